/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A bridge without ports' devices or PMDs, served by a child process, for stock ovs-ofctl to talk
 * to.
 */

#include <stdbool.h>

struct ofproto;

/* False: there is no ovs-ofctl here. SETUP (may be NULL) runs in the child once the bridge is
 * there. */
bool ofctl_start(void (*setup)(struct ofproto *ofproto));
void ofctl_stop(void);

/* Runs `ovs-ofctl` with the words of FORMAT; "BR" in them stands for the bridge's socket. Output of
 * both kinds, valid until the next call; *STATUS is the exit status. */
const char *ofctl(int *status, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same for a command that must succeed. */
const char *ofctl_ok(const char *format, ...) __attribute__((format(printf, 1, 2)));
