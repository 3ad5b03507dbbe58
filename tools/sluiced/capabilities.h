/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What a flow may use here, in the words of Open vSwitch's datapath: Datapath.capabilities and
 * dpif/show-dp-features.
 */

struct capability {
	const char *key;		/* Of the database. */
	const char *title;		/* NULL: it is not shown. */
	const char *value;		/* "true", "false", a number. */
};

/* Ends with a NULL key. */
extern const struct capability capabilities[];
