/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * dpif-netdev/pmd-*: what the PMD threads do, and which queues they have.
 *
 * Control thread only.
 */

void commands_pmd_init(void);
