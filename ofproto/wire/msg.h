/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * OpenFlow messages: which one it is (header, experimenter and multipart header, length), and how one
 * is begun and ended. One descriptor table tells, for each message and version, its numbers and the
 * length its body may have.
 *
 * Words: `type`: what a message means (enum ofp_type); `family`: whose layout of it this is.
 * `multipart`: what OpenFlow 1.0 calls stats.
 *
 * Reading: msg_decode() checks everything up to the body; the decoder of the type (X_decode in the
 * header of its family) reads the body. A struct msg borrows the bytes it was made of.
 *
 * Writing: encoders append whole messages to a struct sbuf, one after the other; each says its length
 * in its header, so several may lie in one buffer.
 *
 * Pure functions but for the assembler; any thread.
 */

#include "lib/cursor.h"
#include "lib/list.h"
#include "ofproto/wire/error.h"
#include "ofproto/wire/prop.h"
#include "ofproto/wire/put.h"

enum ofp_type {
	OFPTYPE_HELLO,
	OFPTYPE_ERROR,
	OFPTYPE_ECHO_REQUEST,
	OFPTYPE_ECHO_REPLY,
	OFPTYPE_FEATURES_REQUEST,
	OFPTYPE_FEATURES_REPLY,
	OFPTYPE_GET_CONFIG_REQUEST,
	OFPTYPE_GET_CONFIG_REPLY,
	OFPTYPE_SET_CONFIG,

	OFPTYPE_PACKET_IN,
	OFPTYPE_FLOW_REMOVED,
	OFPTYPE_PORT_STATUS,

	OFPTYPE_PACKET_OUT,
	OFPTYPE_FLOW_MOD,
	OFPTYPE_GROUP_MOD,
	OFPTYPE_PORT_MOD,
	OFPTYPE_TABLE_MOD,
	OFPTYPE_METER_MOD,
	OFPTYPE_BARRIER_REQUEST,
	OFPTYPE_BARRIER_REPLY,

	OFPTYPE_QUEUE_GET_CONFIG_REQUEST,
	OFPTYPE_QUEUE_GET_CONFIG_REPLY,
	OFPTYPE_ROLE_REQUEST,
	OFPTYPE_ROLE_REPLY,
	OFPTYPE_ROLE_STATUS,
	OFPTYPE_GET_ASYNC_REQUEST,
	OFPTYPE_GET_ASYNC_REPLY,
	OFPTYPE_SET_ASYNC_CONFIG,
	OFPTYPE_TABLE_STATUS,
	OFPTYPE_REQUESTFORWARD,
	OFPTYPE_BUNDLE_CONTROL,
	OFPTYPE_BUNDLE_ADD_MESSAGE,

	/* Multipart. */
	OFPTYPE_DESC_REQUEST,
	OFPTYPE_DESC_REPLY,
	OFPTYPE_FLOW_STATS_REQUEST,
	OFPTYPE_FLOW_STATS_REPLY,
	OFPTYPE_AGGREGATE_REQUEST,
	OFPTYPE_AGGREGATE_REPLY,
	OFPTYPE_TABLE_STATS_REQUEST,
	OFPTYPE_TABLE_STATS_REPLY,
	OFPTYPE_PORT_STATS_REQUEST,
	OFPTYPE_PORT_STATS_REPLY,
	OFPTYPE_QUEUE_STATS_REQUEST,
	OFPTYPE_QUEUE_STATS_REPLY,
	OFPTYPE_GROUP_STATS_REQUEST,
	OFPTYPE_GROUP_STATS_REPLY,
	OFPTYPE_GROUP_DESC_REQUEST,
	OFPTYPE_GROUP_DESC_REPLY,
	OFPTYPE_GROUP_FEATURES_REQUEST,
	OFPTYPE_GROUP_FEATURES_REPLY,
	OFPTYPE_METER_STATS_REQUEST,
	OFPTYPE_METER_STATS_REPLY,
	OFPTYPE_METER_CONFIG_REQUEST,
	OFPTYPE_METER_CONFIG_REPLY,
	OFPTYPE_METER_FEATURES_REQUEST,
	OFPTYPE_METER_FEATURES_REPLY,
	OFPTYPE_TABLE_FEATURES_REQUEST,
	OFPTYPE_TABLE_FEATURES_REPLY,
	OFPTYPE_TABLE_DESC_REQUEST,
	OFPTYPE_TABLE_DESC_REPLY,
	OFPTYPE_PORT_DESC_REQUEST,
	OFPTYPE_PORT_DESC_REPLY,
	OFPTYPE_FLOW_MONITOR_REQUEST,
	OFPTYPE_FLOW_MONITOR_REPLY,
	OFPTYPE_IPFIX_BRIDGE_STATS_REQUEST,
	OFPTYPE_IPFIX_BRIDGE_STATS_REPLY,
	OFPTYPE_IPFIX_FLOW_STATS_REQUEST,
	OFPTYPE_IPFIX_FLOW_STATS_REPLY,

	/* Nicira extensions. */
	OFPTYPE_SET_FLOW_FORMAT,
	OFPTYPE_FLOW_MOD_TABLE_ID,
	OFPTYPE_SET_PACKET_IN_FORMAT,
	OFPTYPE_FLOW_AGE,
	OFPTYPE_SET_CONTROLLER_ID,
	OFPTYPE_TLV_TABLE_MOD,
	OFPTYPE_TLV_TABLE_REQUEST,
	OFPTYPE_TLV_TABLE_REPLY,
	OFPTYPE_RESUME,
	OFPTYPE_CT_FLUSH_ZONE,
	OFPTYPE_CT_FLUSH,
	OFPTYPE_FLOW_MONITOR_CANCEL,
	OFPTYPE_FLOW_MONITOR_PAUSED,
	OFPTYPE_FLOW_MONITOR_RESUMED,

	OFP_N_TYPES,
};

/* Family of a layout, as in the names that ovs-ofctl prints: OFPT_, OFPST_, NXT_, NXST_, ONFT_,
 * ONFST_. */
enum msg_family {
	MSG_OFPT,
	MSG_OFPST,
	MSG_NXT,
	MSG_NXST,
	MSG_ONFT,
	MSG_ONFST,
};

struct msg {
	enum ofp_version version;
	enum ofp_type type;
	enum msg_family family;
	be32 xid;
	uint16_t mp_flags;	/* Multipart flags as on the wire; 0 otherwise. */
	const uint8_t *data;	/* The whole message, header included. */
	size_t len;
	uint32_t number;	/* Of the layout within its family: NXT_PACKET_IN2 is 30. */
	struct cursor body;	/* Behind all headers. Decoders work on a copy. */
};

#define MSG_MP_MORE 1		/* msg.mp_flags: REPLY_MORE or REQ_MORE. */

/* The length that a header announces: DATA holds at least OFP_HEADER_LEN bytes. May be less than a
 * header: then the stream is beyond repair. */
size_t msg_header_len(const void *data);
enum ofp_version msg_header_version(const void *data);
uint8_t msg_header_type(const void *data);	/* 0 hello, 1 error, ... */
be32 msg_header_xid(const void *data);

/*
 * Which message DATA[LEN] (as long as its header says) is. OFPBRC_BAD_VERSION, _BAD_TYPE, _BAD_STAT,
 * _BAD_VENDOR, _BAD_SUBTYPE, _BAD_LEN otherwise. HELLO, ERROR and ECHO are known in any version.
 * The body of a multipart request may have any length: it may be a part (see mp_assembler_put()).
 */
enum ofp_error msg_decode(const void *data, size_t len, struct msg *msg);

/* "FLOW_MOD", "FLOW reply", ...; with "OFPT_" and so on before it, what ovs-ofctl prints. */
const char *ofp_type_name(enum ofp_type type);
const char *msg_family_name(enum msg_family family);	/* "OFPT" */
/* In MSG's version: what is a multipart request in one may be a message of its own in another. */
bool msg_is_multipart_request(const struct msg *msg);
/* The reply to a multipart request. */
enum ofp_type ofp_type_reply(enum ofp_type request);

/*
 * Begins a message of TYPE in OUT, headers written, and returns a handle for msg_end(), which sets the
 * length. If a version has several layouts, FAMILY says which (MSG_OFPT or MSG_OFPST stands for the
 * standard one if there is one, else whatever the version has). TYPE must exist in VERSION.
 */
size_t msg_begin(struct sbuf *out, enum ofp_version version, enum ofp_type type,
	enum msg_family family, be32 xid);
/* Of types with several layouts in one family: the one with this NUMBER. */
size_t msg_begin_number(struct sbuf *out, enum ofp_version version, enum msg_family family,
	uint32_t number, be32 xid);
void msg_end(struct sbuf *out, size_t handle);
/* A message without body. */
void msg_put_empty(struct sbuf *out, enum ofp_version version, enum ofp_type type, be32 xid);
/* The standard or extension message TYPE is in VERSION's vocabulary. */
bool msg_exists(enum ofp_version version, enum ofp_type type);

/* Echo reply, barrier reply: to REQUEST, same version and xid. */
void msg_put_echo_reply(struct sbuf *out, const struct msg *request);
void msg_put_barrier_reply(struct sbuf *out, const struct msg *request);
void msg_put_echo_request(struct sbuf *out, enum ofp_version version, be32 xid);

/*
 * Multipart replies. Entries are put one at a time between mp_entry_begin() and mp_entry_end(), which
 * starts a new message when the 64 KB are full; mp_end() ends the last one. With no entry at all one
 * empty reply comes out. OUT may be looked at (and emptied up to mp.start) between entries: all but
 * the last message is then finished.
 */
struct mp_reply {
	struct sbuf *out;
	enum ofp_version version;
	enum ofp_type type;	/* Of the reply. */
	enum msg_family family;
	be32 xid;
	size_t start;		/* Of the message under way. */
	size_t entry;		/* Of the entry under way. */
};

void mp_begin(struct mp_reply *mp, struct sbuf *out, const struct msg *request);
/* For replies that are no answer (flow monitor updates): any version and xid. */
void mp_begin_async(struct mp_reply *mp, struct sbuf *out, enum ofp_version version,
	enum ofp_type reply, enum msg_family family, be32 xid);
void mp_entry_begin(struct mp_reply *mp);
void mp_entry_end(struct mp_reply *mp);
void mp_end(struct mp_reply *mp);

/*
 * Puts multipart requests together that come in parts (1.3+). One assembler a session. A part with
 * MORE is kept; the last one gives a message with all bodies.
 */
struct mp_assembler {
	struct list partials;
	unsigned int n_partials;
};

void mp_assembler_init(struct mp_assembler *a);
void mp_assembler_uninit(struct mp_assembler *a);
/*
 * MSG is any multipart request. Returns OFP_OK with *DONE set if WHOLE holds the complete request, *DONE
 * false if parts are missing. OFPBRC_BAD_LEN if the whole has no length that its type may have;
 * OFPBRC_BAD_STAT if the parts are of several types, or of one that has nothing to say in several (all
 * but table features; parts without a body are none); OFPBRC_MULTIPART_BUFFER_OVERFLOW if too many are
 * under way. After an error WHOLE is the message to blame. It is to be freed by msg_whole_uninit() in
 * any case.
 */
struct msg_whole {
	struct msg msg;
	struct sbuf bytes;	/* Backing of msg if it was assembled. */
};
enum ofp_error mp_assembler_put(struct mp_assembler *a, const struct msg *msg, int64_t now_ms,
	struct msg_whole *whole, bool *done);
void msg_whole_uninit(struct msg_whole *whole);
/* Gives up requests whose next part did not come within a second: their error messages
 * (OFPBRC_MULTIPART_REQUEST_TIMEOUT) go to OUT. Returns when to call again, INT64_MAX if never. */
int64_t mp_assembler_run(struct mp_assembler *a, int64_t now_ms, struct sbuf *out);

/* Ports between 16 bits (OpenFlow 1.0, NXM) and 32. */
bool ofp_port_from_16(uint16_t port16, ofp_port_t *port);
uint16_t ofp_port_to_16(ofp_port_t port);
/* From 1.1's 32 bits: false (OFPBAC_BAD_OUT_PORT) for 0xff00 to OFPP_MAX and other holes. */
bool ofp_port_from_32(uint32_t port32, ofp_port_t *port);
