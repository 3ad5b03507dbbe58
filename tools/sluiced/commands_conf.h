/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * "sluice/conf": what is published of the bridges' configuration, in an order and with names that do
 * not depend on how it came about. Two daemons with the same database print the same. Control thread
 * only.
 */

void commands_conf_init(void);
