/* SPDX-License-Identifier: Apache-2.0 */

#include "tools/sluiced/config_json.h"

#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "lib/bitmap.h"
#include "lib/fatal.h"
#include "lib/util.h"

/* One walk over the document. The first fault is kept; the rest of the walk is harmless. */
struct reader {
	char *error;
};

/* How a key's value is read into the struct it belongs to. */
struct column {
	const char *key;
	void (*read)(struct reader *r, const char *path, json_t *value, void *row);
};

static void fault(struct reader *r, const char *path, const char *format, ...) PRINTF_FORMAT(3, 4);

static void fault(struct reader *r, const char *path, const char *format, ...)
{
	va_list args;
	char *text;

	if (r->error)
		return;
	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		fatal("out of memory");
	va_end(args);
	r->error = xasprintf("%s: %s", *path ? path : "(top)", text);
	free(text);
}

/* ------------------------------------------------------------------ values */

static void read_string(struct reader *r, const char *path, json_t *value, char **out)
{
	if (!json_is_string(value)) {
		fault(r, path, "expected a string");
		return;
	}
	free(*out);
	*out = xstrdup(json_string_value(value));
}

static void read_int(struct reader *r, const char *path, json_t *value, int64_t min, int64_t max,
	int64_t *out)
{
	if (!json_is_integer(value) || json_integer_value(value) < min ||
		json_integer_value(value) > max)
		fault(r, path, "expected an integer from %lld to %lld", (long long)min, (long long)max);
	else
		*out = json_integer_value(value);
}

static void read_bool(struct reader *r, const char *path, json_t *value, bool *out)
{
	if (!json_is_boolean(value))
		fault(r, path, "expected true or false");
	else
		*out = json_is_true(value);
}

static void read_choice(struct reader *r, const char *path, json_t *value, const char *choices,
	char **out)
{
	const char *text = json_string_value(value);
	size_t n = text ? strlen(text) : 0;

	for (const char *c = choices; n && *c;) {
		size_t len = strcspn(c, " ");

		if (len == n && !strncmp(c, text, n)) {
			read_string(r, path, value, out);
			return;
		}
		c += len + strspn(c + len, " ");
	}
	fault(r, path, "expected one of: %s", choices);
}

/* An object of strings; numbers and booleans are taken as their text, as ovs-vsctl would. */
static void read_map(struct reader *r, const char *path, json_t *value, struct smap *out)
{
	const char *key;
	json_t *item;

	if (!json_is_object(value)) {
		fault(r, path, "expected an object of strings");
		return;
	}
	json_object_foreach (value, key, item) {
		if (json_is_string(item))
			smap_set(out, key, json_string_value(item));
		else if (json_is_integer(item))
			smap_setf(out, key, "%lld", (long long)json_integer_value(item));
		else if (json_is_boolean(item))
			smap_set(out, key, json_is_true(item) ? "true" : "false");
		else
			fault(r, path, "expected a string as the value of \"%s\"", key);
	}
}

static void read_vlans(struct reader *r, const char *path, json_t *value, unsigned long **out)
{
	size_t i;
	json_t *item;

	if (!json_is_array(value)) {
		fault(r, path, "expected an array of VLANs");
		return;
	}
	free(*out);
	*out = NULL;
	if (!json_array_size(value))
		return;
	*out = bitmap_alloc(4096);
	json_array_foreach (value, i, item) {
		int64_t vlan = 0;

		read_int(r, path, item, 0, 4095, &vlan);
		bitmap_set(*out, vlan);
	}
}

#define READ_STRINGS(R, PATH, VALUE, VEC_PTR)                                                       \
	do {                                                                                        \
		size_t i_;                                                                          \
		json_t *item_;                                                                      \
		if (!json_is_array(VALUE))                                                          \
			fault(R, PATH, "expected an array of strings");                             \
		json_array_foreach (VALUE, i_, item_) {                                             \
			if (!json_is_string(item_))                                                 \
				fault(R, PATH, "expected an array of strings");                     \
			else                                                                        \
				vec_push(VEC_PTR, xstrdup(json_string_value(item_)));               \
		}                                                                                   \
	} while (0)

/* Reads every key of OBJECT by COLUMNS (ended by a NULL key) into ROW, then by MORE into MORE_ROW. */
static void read_row(struct reader *r, const char *path, json_t *object, const struct column *columns,
	void *row, const struct column *more, void *more_row)
{
	const char *key;
	json_t *value;

	json_object_foreach (object, key, value) {
		char *where = xasprintf("%s%s%s", path, *path ? "." : "", key);
		const struct column *c = columns;
		void *target = row;

		while (c->key && strcmp(c->key, key))
			c++;
		if (!c->key && more) {
			target = more_row;
			for (c = more; c->key && strcmp(c->key, key);)
				c++;
		}
		if (c->key)
			c->read(r, where, value, target);
		else
			fault(r, where, "unknown key");
		free(where);
	}
}

/* Name of the row OBJECT at PATH, or NULL with a fault. */
static const char *row_name(struct reader *r, const char *path, json_t *object, const char *key)
{
	const char *name;

	if (!json_is_object(object)) {
		fault(r, path, "expected an object");
		return NULL;
	}
	name = json_string_value(json_object_get(object, key));
	if (!name || !*name)
		fault(r, path, "expected a key \"%s\" with a string", key);
	return name;
}

static void skip(struct reader *r, const char *path, json_t *value, void *row)
{
	(void)r, (void)path, (void)value, (void)row;
}

/* Calls ONE for each item of the array VALUE. */
static void read_rows(struct reader *r, const char *path, json_t *value, void *parent,
	void (*one)(struct reader *r, const char *path, json_t *value, void *parent))
{
	size_t i;
	json_t *item;

	if (!json_is_array(value)) {
		fault(r, path, "expected an array");
		return;
	}
	json_array_foreach (value, i, item) {
		char *where = xasprintf("%s[%zu]", path, i);

		one(r, where, item, parent);
		free(where);
	}
}

/* ------------------------------------------------------------------ rows */

#define COLUMN(ROW, NAME, EXPR)                                                                     \
	static void ROW##_##NAME(struct reader *r, const char *path, json_t *value, void *row_)     \
	{                                                                                           \
		struct model_##ROW *row = row_;                                                     \
		EXPR;                                                                               \
	}

COLUMN(interface, type, read_string(r, path, value, &row->type))
COLUMN(interface, options, read_map(r, path, value, &row->options))
COLUMN(interface, other_config, read_map(r, path, value, &row->other_config))
COLUMN(interface, external_ids, read_map(r, path, value, &row->external_ids))
COLUMN(interface, ofport_request, read_int(r, path, value, 1, OFP_PORT_LAST, &row->ofport_request))
COLUMN(interface, ingress_policing_rate, read_int(r, path, value, 0, UINT32_MAX, &row->ingress_policing_rate))
COLUMN(interface, ingress_policing_burst, read_int(r, path, value, 0, UINT32_MAX, &row->ingress_policing_burst))
COLUMN(interface, ingress_policing_kpkts_rate, read_int(r, path, value, 0, UINT32_MAX, &row->ingress_policing_kpkts_rate))
COLUMN(interface, ingress_policing_kpkts_burst, read_int(r, path, value, 0, UINT32_MAX, &row->ingress_policing_kpkts_burst))
COLUMN(interface, mtu_request, read_int(r, path, value, 68, 65535, &row->mtu_request))
COLUMN(interface, mac, {
	uint8_t mac[6];

	if (!json_is_string(value) || parse_mac(json_string_value(value), mac))
		fault(r, path, "expected an Ethernet address like 02:00:00:00:00:01");
	else
		read_string(r, path, value, &row->mac);
})

static const struct column interface_columns[] = {
	{"name", skip},
	{"type", interface_type},
	{"options", interface_options},
	{"other_config", interface_other_config},
	{"external_ids", interface_external_ids},
	{"ofport_request", interface_ofport_request},
	{"mtu_request", interface_mtu_request},
	{"ingress_policing_rate", interface_ingress_policing_rate},
	{"ingress_policing_burst", interface_ingress_policing_burst},
	{"ingress_policing_kpkts_rate", interface_ingress_policing_kpkts_rate},
	{"ingress_policing_kpkts_burst", interface_ingress_policing_kpkts_burst},
	{"mac", interface_mac},
	{NULL, NULL},
};

static void one_interface(struct reader *r, const char *path, json_t *value, void *parent)
{
	const char *name = row_name(r, path, value, "name");

	if (name)
		read_row(r, path, value, interface_columns,
			model_add_interface(parent, path, name), NULL, NULL);
}

COLUMN(port, tag, read_int(r, path, value, 0, 4095, &row->tag))
COLUMN(port, trunks, read_vlans(r, path, value, &row->trunks))
COLUMN(port, cvlans, read_vlans(r, path, value, &row->cvlans))
COLUMN(port, vlan_mode, read_choice(r, path, value,
	"access trunk native-tagged native-untagged dot1q-tunnel", &row->vlan_mode))
COLUMN(port, protected, read_bool(r, path, value, &row->protected))
COLUMN(port, other_config, read_map(r, path, value, &row->other_config))
COLUMN(port, external_ids, read_map(r, path, value, &row->external_ids))
COLUMN(port, interfaces, read_rows(r, path, value, row, one_interface))

static const struct column port_columns[] = {
	{"name", skip},
	{"tag", port_tag},
	{"trunks", port_trunks},
	{"cvlans", port_cvlans},
	{"vlan_mode", port_vlan_mode},
	{"protected", port_protected},
	{"other_config", port_other_config},
	{"external_ids", port_external_ids},
	{"interfaces", port_interfaces},
	{NULL, NULL},
};

static void one_port(struct reader *r, const char *path, json_t *value, void *parent)
{
	const char *name = row_name(r, path, value, "name");
	struct model_port *port;
	bool own;

	if (!name)
		return;
	own = !json_object_get(value, "interfaces");
	port = model_add_port(parent, path, name);
	read_row(r, path, value, port_columns, port, own ? interface_columns : NULL,
		own ? model_add_interface(port, path, name) : NULL);
}

COLUMN(controller, connection_mode, read_choice(r, path, value, "in-band out-of-band",
	&row->connection_mode))
COLUMN(controller, type, read_choice(r, path, value, "primary service", &row->type))
COLUMN(controller, max_backoff, read_int(r, path, value, 1000, INT32_MAX, &row->max_backoff))
COLUMN(controller, inactivity_probe, read_int(r, path, value, 0, INT32_MAX, &row->inactivity_probe))
COLUMN(controller, controller_rate_limit, read_int(r, path, value, 100, INT32_MAX,
	&row->controller_rate_limit))
COLUMN(controller, controller_burst_limit, read_int(r, path, value, 25, INT32_MAX,
	&row->controller_burst_limit))
COLUMN(controller, enable_async_messages, read_bool(r, path, value, &row->enable_async_messages))

static const struct column controller_columns[] = {
	{"target", skip},
	{"type", controller_type},
	{"connection_mode", controller_connection_mode},
	{"max_backoff", controller_max_backoff},
	{"inactivity_probe", controller_inactivity_probe},
	{"controller_rate_limit", controller_controller_rate_limit},
	{"controller_burst_limit", controller_controller_burst_limit},
	{"enable_async_messages", controller_enable_async_messages},
	{NULL, NULL},
};

static void one_controller(struct reader *r, const char *path, json_t *value, void *parent)
{
	const char *target = row_name(r, path, value, "target");

	if (target)
		read_row(r, path, value, controller_columns,
			model_add_controller(parent, path, target), NULL, NULL);
}

COLUMN(mirror, select_all, read_bool(r, path, value, &row->select_all))
COLUMN(mirror, select_src_port, READ_STRINGS(r, path, value, &row->select_src_ports))
COLUMN(mirror, select_dst_port, READ_STRINGS(r, path, value, &row->select_dst_ports))
COLUMN(mirror, select_vlan, read_vlans(r, path, value, &row->select_vlans))
COLUMN(mirror, output_port, read_string(r, path, value, &row->output_port))
COLUMN(mirror, output_vlan, read_int(r, path, value, 1, 4095, &row->output_vlan))
COLUMN(mirror, snaplen, read_int(r, path, value, 14, 65535, &row->snaplen))

static const struct column mirror_columns[] = {
	{"name", skip},
	{"select_all", mirror_select_all},
	{"select_src_port", mirror_select_src_port},
	{"select_dst_port", mirror_select_dst_port},
	{"select_vlan", mirror_select_vlan},
	{"output_port", mirror_output_port},
	{"output_vlan", mirror_output_vlan},
	{"snaplen", mirror_snaplen},
	{NULL, NULL},
};

static void one_mirror(struct reader *r, const char *path, json_t *value, void *parent)
{
	const char *name = row_name(r, path, value, "name");

	if (name)
		read_row(r, path, value, mirror_columns, model_add_mirror(parent, path, name), NULL,
			NULL);
}

COLUMN(bridge, datapath_type, read_choice(r, path, value, "system netdev", &row->datapath_type))
COLUMN(bridge, fail_mode, read_choice(r, path, value, "standalone secure", &row->fail_mode))
COLUMN(bridge, protocols, READ_STRINGS(r, path, value, &row->protocols))
COLUMN(bridge, flood_vlans, read_vlans(r, path, value, &row->flood_vlans))
COLUMN(bridge, mcast_snooping_enable, read_bool(r, path, value, &row->mcast_snooping_enable))
COLUMN(bridge, stp_enable, read_bool(r, path, value, &row->stp_enable))
COLUMN(bridge, rstp_enable, read_bool(r, path, value, &row->rstp_enable))
COLUMN(bridge, other_config, read_map(r, path, value, &row->other_config))
COLUMN(bridge, external_ids, read_map(r, path, value, &row->external_ids))
COLUMN(bridge, flows, READ_STRINGS(r, path, value, &row->flows))
COLUMN(bridge, flow_file, read_string(r, path, value, &row->flow_file))
COLUMN(bridge, ports, read_rows(r, path, value, row, one_port))
COLUMN(bridge, controllers, read_rows(r, path, value, row, one_controller))
COLUMN(bridge, mirrors, read_rows(r, path, value, row, one_mirror))

static const struct column bridge_columns[] = {
	{"name", skip},
	{"datapath_type", bridge_datapath_type},
	{"fail_mode", bridge_fail_mode},
	{"protocols", bridge_protocols},
	{"flood_vlans", bridge_flood_vlans},
	{"mcast_snooping_enable", bridge_mcast_snooping_enable},
	{"stp_enable", bridge_stp_enable},
	{"rstp_enable", bridge_rstp_enable},
	{"other_config", bridge_other_config},
	{"external_ids", bridge_external_ids},
	{"flows", bridge_flows},
	{"flow_file", bridge_flow_file},
	{"ports", bridge_ports},
	{"controllers", bridge_controllers},
	{"mirrors", bridge_mirrors},
	{NULL, NULL},
};

/* Names must be unique, and every bridge has its local port. */
static void finish_bridge(struct reader *r, const char *path, struct model_bridge *bridge)
{
	struct model_port **a, *local = NULL;

	VEC_FOR_EACH (a, &bridge->ports) {
		for (struct model_port **b = bridge->ports.items; b < a; b++)
			if (!strcmp((*a)->name, (*b)->name))
				fault(r, (*a)->id, "port \"%s\" is there twice", (*a)->name);
		if (!(*a)->interfaces.n)
			fault(r, (*a)->id, "expected at least one interface");
		if (!strcmp((*a)->name, bridge->name))
			local = *a;
	}
	if (!local) {
		local = model_add_port(bridge, path, bridge->name);
		model_add_interface(local, path, bridge->name);
	}
}

static void one_bridge(struct reader *r, const char *path, json_t *value, void *parent)
{
	const char *name = row_name(r, path, value, "name");
	struct model *model = parent;
	struct model_bridge **other, *bridge;

	if (!name)
		return;
	VEC_FOR_EACH (other, &model->bridges)
		if (!strcmp((*other)->name, name))
			fault(r, path, "bridge \"%s\" is there twice", name);
	bridge = model_add_bridge(model, path, name);
	read_row(r, path, value, bridge_columns, bridge, NULL, NULL);
	finish_bridge(r, path, bridge);
}

static void top_other_config(struct reader *r, const char *path, json_t *value, void *row)
{
	read_map(r, path, value, &((struct model *)row)->other_config);
}

static void top_external_ids(struct reader *r, const char *path, json_t *value, void *row)
{
	read_map(r, path, value, &((struct model *)row)->external_ids);
}

static void top_bridges(struct reader *r, const char *path, json_t *value, void *row)
{
	read_rows(r, path, value, row, one_bridge);
}

COLUMN(ssl, private_key, read_string(r, path, value, &row->private_key))
COLUMN(ssl, certificate, read_string(r, path, value, &row->certificate))
COLUMN(ssl, ca_cert, read_string(r, path, value, &row->ca_cert))
COLUMN(ssl, bootstrap_ca_cert, read_bool(r, path, value, &row->bootstrap_ca_cert))

static const struct column ssl_columns[] = {
	{"private_key", ssl_private_key},
	{"certificate", ssl_certificate},
	{"ca_cert", ssl_ca_cert},
	{"bootstrap_ca_cert", ssl_bootstrap_ca_cert},
	{NULL, NULL},
};

static void top_ssl(struct reader *r, const char *path, json_t *value, void *row)
{
	struct model *model = row;

	if (!json_is_object(value)) {
		fault(r, path, "expected an object");
		return;
	}
	if (!model->ssl)
		model->ssl = xcalloc(1, sizeof *model->ssl);
	read_row(r, path, value, ssl_columns, model->ssl, NULL, NULL);
}

static const struct column top_columns[] = {
	{"other_config", top_other_config},
	{"external_ids", top_external_ids},
	{"ssl", top_ssl},
	{"bridges", top_bridges},
	{NULL, NULL},
};

static int from_json(json_t *json, struct model **modelp, char **error)
{
	struct model *model = model_create();
	struct reader r = {NULL};

	if (json_is_object(json))
		read_row(&r, "", json, top_columns, model, NULL, NULL);
	else
		fault(&r, "", "expected an object");
	if (r.error) {
		model_destroy(model);
		*error = r.error;
		return -EINVAL;
	}
	*modelp = model;
	return 0;
}

int config_json_parse(const char *text, struct model **model, char **error)
{
	json_error_t why;
	json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, &why);
	int retval;

	if (!json) {
		*error = xasprintf("line %d, column %d: %s", why.line, why.column, why.text);
		return -EINVAL;
	}
	retval = from_json(json, model, error);
	json_decref(json);
	return retval;
}

int config_json_load(const char *file, struct model **model, char **error)
{
	json_error_t why;
	json_t *json = json_load_file(file, JSON_REJECT_DUPLICATES, &why);
	char *text;
	int retval;

	if (!json) {
		*error = why.line > 0
			? xasprintf("%s: line %d, column %d: %s", file, why.line, why.column, why.text)
			: xasprintf("%s: %s", file, why.text);
		return -EINVAL;
	}
	retval = from_json(json, model, &text);
	json_decref(json);
	if (retval) {
		*error = xasprintf("%s: %s", file, text);
		free(text);
	}
	return retval;
}
