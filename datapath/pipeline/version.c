/* SPDX-License-Identifier: Apache-2.0 */

#include "datapath/pipeline/version.h"

/* From 1, so that a rule can be older than everything. */
_Atomic version_t version_current = 1;
