/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Commands of ovs-vswitchd for what is not there: CFM, BFD, LACP, LLDP, QoS, connection tracking, a
 * kernel or hardware datapath, threads and CPU variants to choose from. They answer as Open vSwitch does
 * where nothing of the kind is configured, if that is true here; otherwise they say why they can't.
 *
 * Control thread only.
 */

void commands_absent_init(void);
