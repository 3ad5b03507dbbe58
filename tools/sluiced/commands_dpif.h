/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What Open vSwitch tells of its datapath: dpif/show, dpif/dump-flows, dpctl/show, dpctl/dump-flows and
 * their kin, upcall/show. The texts are those of Open vSwitch 3.1 with its userspace datapath, since
 * programs read them. There is one datapath, netdev@ovs-netdev. Control thread only.
 */

void commands_dpif_init(void);
/* Once in a while: what upcall/show averages. */
void commands_dpif_run(void);
