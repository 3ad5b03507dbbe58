/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What EAL and its drivers print goes to our log, module `dpdk`, in place of stderr. Any thread.
 */

/* Once, before rte_eal_init(). */
void eal_log_redirect(void);
/* The last line of level ERR or worse, or "no reason given". Static; for the thread that called EAL. */
const char *eal_log_last_error(void);
