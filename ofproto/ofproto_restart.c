/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/fatal.h"
#include "lib/log.h"
#include "ofproto/ofproto_private.h"
#include "ofproto/state/flow_mod.h"
#include "ofproto/state/loader.h"
#include "ofproto/state/saver.h"
#include "tunnel/neigh.h"
#include "tunnel/tnl_addr.h"

LOG_MODULE(ofproto);

static struct of_saver *saver;
static struct of_loader *loader;

void ofproto_set_uuid(struct ofproto *ofproto, const char *uuid)
{
	free(ofproto->uuid);
	ofproto->uuid = xstrdup(uuid);
}

void ofproto_port_expect(struct ofproto *ofproto, const char *name, ofp_port_t number)
{
	if (number && number <= OFP_PORT_LAST)
		shash_add_once(&ofproto->port_numbers, name, (void *)(uintptr_t)number);
}

/* ------------------------------------------------------------------ saving */

static void put_neighbours(struct sbuf *s, int64_t now_ms)
{
	struct neigh_info *list;
	size_t n = neigh_list(&list);

	for (size_t i = 0; i < n; i++) {
		sbuf_putf(s, "neigh %s ", list[i].bridge);
		tnl_addr_format(&list[i].addr, s);
		sbuf_putc(s, ' ');
		sbuf_put_mac(s, list[i].mac.b);
		if (list[i].is_static)
			sbuf_puts(s, " static\n");
		else
			sbuf_putf(s, " %" PRId64 "\n", now_ms - list[i].confirmed_ms);
	}
	free(list);
}

void ofproto_save_begin(const char *boot)
{
	struct ofproto **all = ofproto_list();

	ofproto_save_end();
	dp_sweep();
	saver = of_saver_create(boot);
	for (size_t i = 0; all[i]; i++) {
		if (!all[i]->uuid)
			continue;
		ofproto_use_tlv_map(all[i]);
		of_saver_add(saver, all[i]->uuid, &all[i]->state, &all[i]->port_numbers);
	}
	ofproto_use_tlv_map(NULL);
	put_neighbours(of_saver_rest(saver), clock_ms());
	free(all);
}

bool ofproto_save_step(struct sbuf *out)
{
	return of_saver_step(saver, out);
}

void ofproto_save_end(void)
{
	of_saver_destroy(saver);
	saver = NULL;
}

/* ------------------------------------------------------------------ restoring */

bool ofproto_load_begin(const char *file, const char *boot)
{
	loader = of_loader_create(file, boot);
	return loader != NULL;
}

void ofproto_load_ports(struct ofproto *ofproto)
{
	if (loader && ofproto->uuid)
		of_loader_get_ports(loader, ofproto->uuid, &ofproto->port_numbers);
}

/* What the bridge got when it was made goes: the snapshot says what was there. */
long ofproto_load(struct ofproto *ofproto)
{
	struct shash ports = SHASH_INITIALIZER;
	bool known;
	long n = -1;

	if (!loader || !ofproto->uuid)
		return -1;
	known = of_loader_get_ports(loader, ofproto->uuid, &ports);
	shash_uninit(&ports);
	if (known) {
		of_flush(&ofproto->state);
		ofproto_use_tlv_map(ofproto);
		n = (long)of_loader_restore(loader, ofproto->uuid, &ofproto->state);
		ofproto_use_tlv_map(NULL);
	}
	return n;
}

static void take_neighbour(const char *line)
{
	char bridge[16], addr_text[48], mac_text[18], age[24];
	struct ipv6_addr addr;
	struct eth_addr mac;

	if (sscanf(line, "neigh %15s %47s %17s %23s", bridge, addr_text, mac_text, age) != 4 ||
		!tnl_addr_parse(addr_text, &addr) || parse_mac(mac_text, mac.b))
		return;
	neigh_set(bridge, &addr, mac, !strcmp(age, "static"),
		clock_ms() - strtoll(age, NULL, 10));
}

void ofproto_load_neighbours(void)
{
	if (!loader)
		return;
	for (char *const *line = of_loader_rest(loader); *line; line++)
		take_neighbour(*line);
}

void ofproto_load_end(void)
{
	of_loader_destroy(loader);
	loader = NULL;
}
