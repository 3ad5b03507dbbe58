/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Settings of ovs-vswitchd.conf.db(5) that are accepted and do nothing here: each is told once in the
 * log, with the reason, so that nobody waits for it. What belongs to other programs that share the
 * database (ovs-vsctl, ovs-ctl, ovs-monitor-ipsec) is none of them.
 *
 * Control thread only.
 */

#include "tools/sluiced/model.h"

void unbuilt_warn(const struct model *model);
