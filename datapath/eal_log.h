/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What EAL and its drivers print goes to our log, module `dpdk`, in place of stderr. Any thread.
 */

/* Once, before rte_eal_init(). */
void eal_log_redirect(void);
/* The first line of level ERR or worse that the calling thread caused since eal_log_forget(), or
 * "no reason given": later ones tend to say less. */
const char *eal_log_error(void);
void eal_log_forget(void);
