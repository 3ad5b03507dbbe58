/* SPDX-License-Identifier: Apache-2.0 */

#include "tools/sluiced/unbuilt.h"

#include <stdlib.h>
#include <string.h>

#include "lib/fatal.h"
#include "lib/log.h"
#include "lib/sset.h"
#include "lib/util.h"
#include "tools/sluiced/reconcile_internal.h"

LOG_MODULE(bridge);

/* A key of a map. */
struct idle_key {
	const char *key;
	const char *harmless;		/* The value that is as good as none; NULL: there is none. */
	const char *why;
};

#define NO_REVALIDATORS "no thread revalidates flows: they are told of changes"
#define NO_OFFLOAD "nothing is offloaded to hardware"
#define NO_VHOST "there are no vhost-user ports"
#define ONE_POOL "the ports of a NUMA node share one pool of buffers"
#define OTHER_CACHES "the caches are others, and size themselves"
#define NO_FLOW_CONTROL "flow control stays as the device has it"

static const struct idle_key switch_keys[] = {
	{"flow-limit", NULL, "paths of packets are bounded for each PMD thread"},
	{"max-idle", NULL, NO_REVALIDATORS},
	{"max-revalidator", NULL, NO_REVALIDATORS},
	{"min-revalidate-pps", NULL, NO_REVALIDATORS},
	{"n-handler-threads", NULL, "the thread that misses translates"},
	{"n-revalidator-threads", NULL, NO_REVALIDATORS},
	{"hw-offload", "false", NO_OFFLOAD},
	{"n-offload-threads", NULL, NO_OFFLOAD},
	{"tc-policy", "none", NO_OFFLOAD},
	{"offload-rebalance", "false", NO_OFFLOAD},
	{"dpdk-alloc-mem", NULL, "use dpdk-socket-mem"},
	{"dpdk-socket-limit", NULL, "use --socket-limit in dpdk-extra"},
	{"vhost-sock-dir", NULL, NO_VHOST},
	{"vhost-iommu-support", "false", NO_VHOST},
	{"vhost-postcopy-support", "false", NO_VHOST},
	{"per-port-memory", "false", ONE_POOL},
	{"shared-mempool-config", NULL, ONE_POOL},
	{"tx-flush-interval", "0", "packets are sent with the burst that they came in"},
	{"pmd-perf-metrics", "true", "they are always collected"},
	{"smc-enable", "false", OTHER_CACHES},
	{"emc-insert-inv-prob", NULL, OTHER_CACHES},
	{"userspace-tso-enable", "true", "segments are taken and passed on to ports that take them in any case"},
};

static const struct idle_key bridge_keys[] = {
	{"in-band-queue", NULL, "queues are not built"},
	{"controller-queue-size", NULL, "what waits for a controller is bounded in bytes"},
	{"rstp-ageing-time", NULL, "RSTP flushes what a change of topology outdates"},
};

static const struct idle_key interface_keys[] = {
	{"tx-steering", "thread", "each PMD thread sends by a queue of its own"},
	{"emc-enable", "true", OTHER_CACHES},
};

static const struct idle_key interface_options[] = {
	{"dpdk-vf-mac", NULL, "the device keeps its address"},
	{"rx-flow-ctrl", "false", NO_FLOW_CONTROL},
	{"tx-flow-ctrl", "false", NO_FLOW_CONTROL},
	{"flow-ctrl-autoneg", "false", NO_FLOW_CONTROL},
	{"dpdk-lsc-interrupt", "false", "the link's state is asked for each second"},
};

/* The first time that it is said. */
static bool is_new(const char *what)
{
	static struct sset told = SSET_INITIALIZER;

	return sset_add(&told, what);
}

static void warn(const char *kind, const char *name, const char *what, bool present)
{
	char *text;

	if (!present)
		return;
	text = xasprintf("%s%s%s: %s is configured, but this version does not do it", kind, *name ? " " : "",
		name, what);
	if (is_new(text))
		log_warn("%s", text);
	free(text);
}

static void warn_keys(const char *kind, const char *name, const char *column, const struct smap *map,
	const struct idle_key *keys, size_t n)
{
	if (!smap_count(map))
		return;
	for (size_t i = 0; i < n; i++) {
		const char *value = smap_get(map, keys[i].key);
		char *text;

		if (!value || (keys[i].harmless && !strcmp(value, keys[i].harmless)))
			continue;
		text = xasprintf("%s%s%s: %s:%s has no effect (%s)", kind, *name ? " " : "", name, column,
			keys[i].key, keys[i].why);
		if (is_new(text))
			log_warn("%s", text);
		free(text);
	}
}

static void warn_interface(const struct model_interface *cfg, bool has_device)
{
	warn("interface", cfg->name, "ingress policing of a port without a device",
		(cfg->ingress_policing_rate || cfg->ingress_policing_kpkts_rate) && !has_device);
	warn("interface", cfg->name, "bfd", smap_get_bool(&cfg->bfd, "enable", false));
	warn_keys("interface", cfg->name, "other_config", &cfg->other_config, interface_keys,
		ARRAY_SIZE(interface_keys));
	if (!strcmp(cfg->type, "dpdk"))
		warn_keys("interface", cfg->name, "options", &cfg->options, interface_options,
			ARRAY_SIZE(interface_options));
}

static void warn_bridge(const struct model_bridge *cfg)
{
	struct model_interface **iface;
	struct model_port **port;

	warn("bridge", cfg->name, "netflow", cfg->has_netflow);
	warn("bridge", cfg->name, "sflow", cfg->has_sflow);
	warn("bridge", cfg->name, "ipfix", cfg->has_ipfix);
	warn_keys("bridge", cfg->name, "other_config", &cfg->other_config, bridge_keys,
		ARRAY_SIZE(bridge_keys));
	VEC_FOR_EACH (port, &cfg->ports) {
		warn("port", (*port)->name, "qos", (*port)->has_qos);
		warn("port", (*port)->name, "bonding", (*port)->interfaces.n > 1);
		warn("port", (*port)->name, "lacp", (*port)->lacp && strcmp((*port)->lacp, "off"));
		VEC_FOR_EACH (iface, &(*port)->interfaces)
			warn_interface(*iface, !rc_iface_has_no_device((*iface)->type));
	}
}

void unbuilt_warn(const struct model *model)
{
	struct model_bridge **bridge;
	char **column;

	warn_keys("Open_vSwitch", "", "other_config", &model->other_config, switch_keys,
		ARRAY_SIZE(switch_keys));
	if (!smap_get_bool(&model->other_config, "dpdk-init", true) && is_new("dpdk-init"))
		log_warn("Open_vSwitch: other_config:dpdk-init=false has no effect (there are no PMD "
			"threads without DPDK)");
	VEC_FOR_EACH (bridge, &model->bridges)
		warn_bridge(*bridge);
	VEC_FOR_EACH (column, &model->idle_columns)
		if (is_new(*column))
			log_warn("%s is configured, but this version does not do it", *column);
}
