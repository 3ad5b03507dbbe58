/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * All multipart bodies at once: what a dispatcher of statistics requests includes.
 */

#include "ofproto/wire/flow_stats.h"
#include "ofproto/wire/group_mod.h"
#include "ofproto/wire/meter_mod.h"
#include "ofproto/wire/monitor.h"
#include "ofproto/wire/port.h"
#include "ofproto/wire/queue.h"
#include "ofproto/wire/switch.h"
#include "ofproto/wire/table.h"
