/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Addresses and traffic of an OpenStack compute node with VXLAN: what scenarios of overlays have in common.
 */

#include "tools/sluice-bench/scenario.h"

#define MAX_VMS 1024
#define VNI 100
#define LOCAL_IP 0xac100001	/* 172.16.0.1 */
#define REMOTE_IP 0xac100002
#define LOCAL_MAC 0x02000000b003	/* Of br-phy, the third bridge. */
#define REMOTE_MAC 0x0200000000fe
#define VM_MAC 0xfa163e000001
#define FAR_MAC 0xfa163e800000	/* Of the first remote VM. */
#define VM_IP 0x0a000001
#define FAR_IP 0x0a000100
#define OUTER_LEN 50

/* Remote VMs: as many as there are flows, a power of two, at most MAX_VMS. */
unsigned int neutron_vms(const struct scenario_params *params);
/* br-int, br-tun with a tunnel to the remote host, br-phy whose rule is NORMAL; without a wire and a VM. */
void neutron_bridges(struct conf *conf);
/* From the VM (VM_MAC) to the remote ones; from them in VXLAN. */
void neutron_encap_stream(struct bench_stream *stream, uint16_t len, const struct scenario_params *params);
void neutron_decap_stream(struct bench_stream *stream, uint16_t len, const struct scenario_params *params);
/* Checks: in VXLAN; out of it. */
const char *neutron_encap_check(const uint8_t *frame, uint32_t len);
const char *neutron_decap_check(const uint8_t *frame, uint32_t len);
