/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Hugepages of this machine, and how many a benchmark needs. */

#include <stdint.h>

/* Free, of the default size, in MB; 0: none, or the kernel does not say. */
uint64_t hugepages_free_mb(void);
/* For N_MBUFS packet buffers and what DPDK needs besides. */
uint64_t hugepages_needed_mb(uint64_t n_mbufs);
