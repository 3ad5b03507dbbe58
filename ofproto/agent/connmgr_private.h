/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What connmgr tells its fail-open part. Threads: control only.
 */

#include "ofproto/agent/connmgr.h"

struct ofproto *connmgr_ofproto(const struct connmgr *mgr);
/* fail_mode standalone, and there are controllers. */
bool connmgr_may_fail_open(const struct connmgr *mgr);
/* Seconds for which no controller was of use; 0 if one is. */
int connmgr_failure_s(const struct connmgr *mgr, int64_t now_ms);
int connmgr_max_probe_ms(const struct connmgr *mgr);
/* A controller is connected (ADMITTED: and has proved useful). */
bool connmgr_any_controller(const struct connmgr *mgr, bool admitted);
/* Adds or removes a hidden flow that switches everything as NORMAL does. */
void connmgr_normal_flow(struct connmgr *mgr, int priority, bool on);
