/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/dirs.h"

#include <stdlib.h>

#include "lib/fatal.h"

static const char *from_env(const char **cache, const char *variable, const char *def)
{
	if (!*cache) {
		const char *value = getenv(variable);

		*cache = xstrdup(value && *value ? value : def);
	}
	return *cache;
}

const char *dirs_run(void)
{
	static const char *dir;

	return from_env(&dir, "OVS_RUNDIR", "/var/run/openvswitch");
}

const char *dirs_log(void)
{
	static const char *dir;

	return from_env(&dir, "OVS_LOGDIR", "/var/log/openvswitch");
}

char *dirs_abs(const char *dir, const char *name)
{
	return *name == '/' ? xstrdup(name) : xasprintf("%s/%s", dir, name);
}
