/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * ovs/route/add, del, lookup and show: the routes that people add by hand, kept here over every
 * reading of the kernel's. Texts as Open vSwitch's. Control.
 */

#include "lib/sbuf.h"

/* Arguments from ARGV[0] on. 0, or -EINVAL with *ERROR (caller frees). */
int route_add_manual(int argc, const char *argv[], char **error);
int route_del_manual(int argc, const char *argv[], char **error);
int route_lookup_manual(int argc, const char *argv[], struct sbuf *s, char **error);
void route_format(struct sbuf *s);
