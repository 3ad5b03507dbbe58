/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What sluicectl prints of the daemon's JSON: tables, with colour only on a terminal and without
 * NO_COLOR.
 */

#include <jansson.h>

void print_show(const json_t *show);
/* Rates of the ports between two answers of sluice/show. */
void print_top(const json_t *before, const json_t *now);
/* The same as an array (new reference). */
json_t *print_rates(const json_t *before, const json_t *now);
/* Interface NAME in SHOW (borrowed), or NULL. */
json_t *print_find_interface(const json_t *show, const char *name);
/* The lines of TEXT as strings (new reference). */
json_t *print_lines_as_array(const char *text);
