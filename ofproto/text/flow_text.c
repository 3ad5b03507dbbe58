/* SPDX-License-Identifier: Apache-2.0 */

#include "ofproto/text/flow_text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/fatal.h"
#include "lib/util.h"
#include "ofproto/text/act_text.h"
#include "ofproto/text/match_text.h"
#include "ofproto/wire/action.h"
#include "ofproto/wire/error.h"

static const struct {
	const char *name;
	uint16_t flag;
} flags[] = {
	{"send_flow_rem", OFPFF_SEND_FLOW_REM},
	{"check_overlap", OFPFF_CHECK_OVERLAP},
	{"reset_counts", OFPFF_RESET_COUNTS},
	{"no_packet_counts", OFPFF_NO_PKT_COUNTS},
	{"no_byte_counts", OFPFF_NO_BYT_COUNTS},
};

static int number(const char *key, const char *value, uint64_t max, uint64_t *out, char **error)
{
	if (value && !parse_u64(value, 0, max, out))
		return 0;
	*error = xasprintf("%s: expected a number from 0 to %llu", key, (unsigned long long)max);
	return -EINVAL;
}

/* What a flow has besides match and actions. 1: KEY is of it; 0: not; -EINVAL. */
static int parse_setting(struct flow_mod *fm, const char *key, const char *value, char **error)
{
	uint64_t n;

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		if (value || strcmp(key, flags[i].name))
			continue;
		fm->flags |= flags[i].flag;
		return 1;
	}
	if (!strcmp(key, "cookie")) {
		if (number(key, value, UINT64_MAX, &n, error))
			return -EINVAL;
		fm->new_cookie = htobe64(n);
		return 1;
	}
	if (!strcmp(key, "table")) {
		if (number(key, value, 254, &n, error))
			return -EINVAL;
		fm->table_id = n;
		return 1;
	}
	if (strcmp(key, "priority") && strcmp(key, "idle_timeout") && strcmp(key, "hard_timeout") &&
		strcmp(key, "importance"))
		return 0;
	if (number(key, value, UINT16_MAX, &n, error))
		return -EINVAL;
	if (*key == 'p')
		fm->priority = n;
	else if (!strcmp(key, "idle_timeout"))
		fm->idle_timeout = n;
	else if (*key == 'h')
		fm->hard_timeout = n;
	else
		fm->importance = n;
	return 1;
}

static int parse_match_part(struct flow_mod *fm, char *text, const struct port_names *names,
	char **error)
{
	char *key, *value;

	while (text_next_key_value(&text, &key, &value)) {
		int found = parse_setting(fm, key, value, error);

		if (!found)
			found = match_parse_key(&fm->match, key, value, names, error);
		if (found < 0)
			return found;
		if (!found) {
			*error = xasprintf("unknown keyword %s", key);
			return -EINVAL;
		}
	}
	return 0;
}

int flow_text_parse(const char *text, const struct port_names *names, struct flow_mod *fm,
	char **error)
{
	char *copy = xstrdup(text), *actions = strstr(copy, "action");
	int retval;

	flow_mod_init(fm);
	if (!actions || (actions[6] != '=' && strncmp(actions + 6, "s=", 2))) {
		*error = xstrdup("must specify an action");
		retval = -EINVAL;
	} else {
		char *list = strchr(actions, '=') + 1;

		*actions = '\0';
		retval = parse_match_part(fm, copy, names, error);
		if (!retval)
			retval = act_list_parse(list, names, &fm->acts, error);
	}
	free(copy);
	if (retval)
		flow_mod_uninit(fm);
	return retval;
}
