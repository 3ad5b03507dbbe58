/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The Open_vSwitch database as a configuration model: which columns are monitored, and how their rows
 * become struct model. Pure reading.
 */

#include "tools/sluiced/model.h"
#include "tools/sluiced/ovsdb/ovsdb_client.h"

extern const struct ovsdb_table_spec ovsdb_model_tables[];

/* UUID of the one row of Open_vSwitch, or NULL if the database is empty. */
const char *ovsdb_model_root(const struct ovsdb_client *client);
/* A new model of the replica as it is (the caller's). */
struct model *ovsdb_model_read(const struct ovsdb_client *client);
