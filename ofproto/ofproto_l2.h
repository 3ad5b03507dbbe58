/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The protocol engines of a bridge (datapath/l2/): spanning trees and multicast snooping. Here is
 * what the bridge object's files call; what the configuration sets is in ofproto.h.
 *
 * An engine's answers reach packets by the snapshot: a port's permissions (of_port.stp_allows) by
 * conf_put_port(), learned addresses by flushing. Threads: control only.
 */

#include "ofproto/ofproto_private.h"

/* ofproto_l2.c */

/* Frames from the datapath to the engines of their bridges. */
void ofproto_l2_receive(void);
/* Timers of OFPROTO's engines, what they want sent, and what follows. When to call again. */
int64_t ofproto_l2_run(struct ofproto *ofproto, int64_t now_ms);
/* PORT goes away. */
void ofproto_l2_port_removed(struct ofproto *ofproto, struct of_port *port);
void ofproto_l2_uninit(struct ofproto *ofproto);
/* Sends FRAME[LEN] by PORT, with PORT's address as its source. */
void ofproto_l2_send(
	struct ofproto *ofproto, const struct of_port *port, uint8_t *frame, size_t len);
/* PORT may LEARN and FORWARD now; OpenFlow 1.0 sees STATE (OFPPS_STP_*). */
void ofproto_l2_allow(struct ofproto *ofproto, struct of_port *port, bool learn, bool forward,
	uint32_t state);
/* Carrier, and not switched off. */
bool ofproto_l2_is_up(const struct of_port *port);
void ofproto_l2_init(void);

/* ofproto_stp.c */
void ofproto_stp_receive(struct ofproto *ofproto, const struct dp_l2_frame *frame);
void ofproto_stp_run(struct ofproto *ofproto, int64_t now_ms);
void ofproto_stp_init(void);

/* ofproto_rstp.c */
void ofproto_rstp_receive(struct ofproto *ofproto, const struct dp_l2_frame *frame);
void ofproto_rstp_run(struct ofproto *ofproto, int64_t now_ms);
void ofproto_rstp_init(void);

/* ofproto_mcast.c */
void ofproto_mcast_receive(struct ofproto *ofproto, const struct dp_l2_frame *frame);
void ofproto_mcast_flush(struct ofproto *ofproto);
void ofproto_mcast_init(void);
