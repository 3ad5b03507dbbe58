/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Status of spanning trees: Bridge.status, Bridge.rstp_status, and of a Port status, statistics,
 * rstp_status and rstp_statistics. Empty where no tree runs. Adds columns to ROW. Control thread only.
 */

#include <jansson.h>

#include "tools/sluiced/reconcile.h"

void ovsdb_status_l2_bridge(json_t *row, const struct rc_bridge *bridge);
/* STATISTICS: those too. */
void ovsdb_status_l2_port(json_t *row, const struct rc_port *port, bool statistics);
