/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A conf as the JSON that sluiced --config reads. Its sources' files are on the stage (stage.h). */

#include "tools/sluice-bench/conf.h"

/* Caller frees. */
char *lab_json(const struct conf *conf, bool with_passing);
