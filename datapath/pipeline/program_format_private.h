/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The texts of header values in programs: "set(ipv4(dst=10.0.0.1,ttl=63))". Any thread. */

#include "datapath/pipeline/program.h"

void program_format_set(const struct op *op, struct sbuf *s);
/* Label stack entry: the fields that MASK has. */
void program_format_lse(be32 lse, be32 mask, struct sbuf *s);
/* The outer header of a tunnel push. */
void program_format_outer(const struct op_tnl_push *op, struct sbuf *s);
