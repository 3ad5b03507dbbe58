/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Commands of the bridge object for ovs-appctl; and ofproto/trace, which is long enough for a file
 * of its own. Threads: control only.
 */

void ofproto_trace_init(void);
