/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The switch itself on the wire: features, configuration, description. Pure functions, any thread.
 */

#include "ofproto/wire/port.h"

struct switch_features {
	uint64_t datapath_id;
	uint32_t n_buffers;
	uint8_t n_tables;
	uint8_t auxiliary_id;	/* 1.3+. */
	uint32_t capabilities;	/* OFPC_*. */
	uint64_t actions;	/* 1.0: set by the encoder. */
};

/*
 * Reply to OFPTYPE_FEATURES_REQUEST. 1.0 to 1.2 have the ports inside: features_begin(), then
 * port_desc_put() for each (as long as there is room: see features_port()), then msg_end(). From 1.3
 * on features_port() puts nothing.
 */
size_t features_begin(const struct switch_features *sf, const struct msg *request, struct sbuf *out);
void features_port(const struct msg *request, size_t handle, const struct port_desc *pd,
	struct sbuf *out);
enum ofp_error features_decode(const struct msg *msg, struct switch_features *sf,
	struct cursor *ports);

struct switch_config {
	enum ofp_frag frag;
	int invalid_ttl_to_controller;	/* 1.1, 1.2: 0 or 1; -1: not said by the version. */
	uint16_t miss_send_len;
};

/* OFPTYPE_SET_CONFIG. OFPSCFC_BAD_FLAGS. */
enum ofp_error config_decode(const struct msg *msg, struct switch_config *sc);
/* Reply to OFPTYPE_GET_CONFIG_REQUEST. */
void config_encode(const struct switch_config *sc, const struct msg *request, struct sbuf *out);

struct switch_desc {
	const char *mfr;
	const char *hw;
	const char *sw;
	const char *serial;
	const char *dp;
};
/* Reply to OFPTYPE_DESC_REQUEST. */
void desc_encode(const struct switch_desc *sd, const struct msg *request, struct sbuf *out);
