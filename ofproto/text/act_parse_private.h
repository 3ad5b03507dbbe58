/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What the files of the action parser share. act_parse.c has the list of actions by name and
 * what takes one number or nothing; act_parse_output.c sends packets somewhere,
 * act_parse_header.c changes headers and fields, act_parse_control.c metadata and the course of
 * processing.
 *
 * A parse function appends its action to the builder. Its argument is writable text: what stands
 * after "name:" or inside "name(...)", "" if nothing does. It returns 0, or -EINVAL with an
 * allocated sentence in *error. Threads: any, no shared state.
 */

#include "datapath/pipeline/act.h"
#include "lib/field.h"
#include "lib/util.h"

struct act_parser {
	const struct port_names *names;
	struct act_builder *b;
	const char *name; /* Of the action being parsed. */
	char **error;
};

typedef int act_parse_fn(struct act_parser *p, char *arg, enum act_type type);

/* Puts "NAME: sentence" into *error; -EINVAL. */
int act_parse_fail(struct act_parser *p, const char *format, ...) PRINTF_FORMAT(2, 3);
/* A number from 0 to MAX, in any base of C. */
int act_parse_number(struct act_parser *p, const char *text, uint64_t max, uint64_t *value);
/* A port's number or name. */
int act_parse_port(struct act_parser *p, const char *text, ofp_port_t *value);
/* A field or bits of it, and nothing behind. */
int act_parse_subfield(struct act_parser *p, const char *text, struct subfield *sf);
/* Splits "A->B" at the arrow. */
int act_parse_arrow(struct act_parser *p, char *text, char **right);
/* Appends output to VALUE; MAX_LEN is for the controller. 0. */
int act_parse_put_output(struct act_parser *p, ofp_port_t value, uint16_t max_len);
/* Bytes in hexadecimal, with dots between them if you like; appended to OUT. */
int act_parse_userdata(struct act_parser *p, const char *text, struct sbuf *out);

/* act_parse_output.c */
act_parse_fn act_parse_bundle, act_parse_controller, act_parse_enqueue, act_parse_group,
	act_parse_output;

/* act_parse_header.c */
act_parse_fn act_parse_dec_ttl, act_parse_delete_field, act_parse_ipv4_action,
	act_parse_load, act_parse_mac_action, act_parse_move, act_parse_push, act_parse_set_field,
	act_parse_stack, act_parse_strip_vlan, act_parse_vlan_pcp, act_parse_vlan_vid;

/* act_parse_control.c */
act_parse_fn act_parse_check_pkt_larger, act_parse_conjunction, act_parse_fin_timeout,
	act_parse_learn, act_parse_multipath, act_parse_nest, act_parse_note, act_parse_resubmit,
	act_parse_sample, act_parse_set_tunnel, act_parse_table, act_parse_write_metadata;
