/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Embedded configuration: the model from a JSON file with the column names of
 * ovs-vswitchd.conf.db(5), nested as bridges / ports / interfaces:
 *
 *     {"other_config": {"pmd-cpu-mask": "2"},
 *      "bridges": [{"name": "br0", "fail_mode": "secure",
 *                   "ports": [{"name": "p1", "tag": 10,
 *                              "interfaces": [{"name": "p1", "type": "system"}]}],
 *                   "controllers": [{"target": "tcp:127.0.0.1:6653"}],
 *                   "flows": ["priority=0,actions=NORMAL"], "flow_file": "br0.flows"}]}
 *
 * A port without `interfaces` has one of its own name, and then takes the interface's columns too. A
 * bridge gets its local port if it is not listed. A wrong key, type or value names the JSON path and
 * what was expected.
 */

#include "tools/sluiced/model.h"

/* 0 and *MODEL (the caller's); -errno with one line in *ERROR (caller frees). */
int config_json_load(const char *file, struct model **model, char **error);
int config_json_parse(const char *text, struct model **model, char **error);
