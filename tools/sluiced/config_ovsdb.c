/* SPDX-License-Identifier: Apache-2.0 */

#include "tools/sluiced/config_ovsdb.h"

#include "lib/clock.h"
#include "lib/log.h"
#include "tools/sluiced/ovsdb/ovsdb_client.h"
#include "tools/sluiced/ovsdb/ovsdb_model.h"
#include "tools/sluiced/ovsdb/ovsdb_status.h"
#include "tools/sluiced/reconcile.h"

LOG_MODULE(ovsdb);

#define STATISTICS_MS 5000
#define RETRY_MS 1000
#define STATUS_MS 100		/* Least time between writes of status that changed by itself. */

static struct ovsdb_client *client;
static void (*apply_model)(struct model *model);
static bool model_changed;
static bool writing;		/* A transaction is under way. */
static bool told;		/* cur_cfg was written once, or the server refused it. */
static int64_t written_cfg = -1;
static uint64_t written_generation;
static int64_t next_statistics_ms, next_status_ms;
static int64_t retry_ms;	/* After a refusal nothing is written before this. */

static void changed(void *aux)
{
	(void)aux;
	model_changed = true;
}

static void reconnected(void *aux)
{
	(void)aux;
	ovsdb_status_forget();
	written_cfg = -1;
	written_generation = 0;
	retry_ms = 0;
}

static const struct ovsdb_client_callbacks callbacks = {
	.changed = changed,
	.reconnected = reconnected,
};

int config_ovsdb_start(struct event_loop *loop, const char *remote, void (*apply)(struct model *))
{
	apply_model = apply;
	return ovsdb_client_create(loop, remote, "Open_vSwitch", "ovs_vswitchd", ovsdb_model_tables,
		&callbacks, NULL, &client);
}

void config_ovsdb_stop(void)
{
	ovsdb_client_destroy(client);
	client = NULL;
	ovsdb_status_forget();
}

void config_ovsdb_set_dpdk(bool initialized)
{
	ovsdb_status_set_dpdk(initialized);
}

static void write_done(bool success, const char *why, void *aux)
{
	static struct log_rate_limit rl = LOG_RATE_LIMIT_INIT(5, 5);

	(void)aux;
	writing = false;
	told |= written_cfg >= 0;
	if (success)
		return;
	log_warn_rl(&rl, "writing status failed: %s", why);
	/* The row may have gone meanwhile, or the server: say everything again. */
	ovsdb_status_forget();
	written_cfg = -1;
	written_generation = 0;
	retry_ms = clock_ms() + RETRY_MS;
}

/* Waits for one transaction at a time, so that the server's pace is ours. */
static void write_status(void)
{
	const struct model *model = reconcile_model();
	const char *root = ovsdb_model_root(client);
	uint64_t generation = reconcile_generation();
	int64_t now = clock_ms();
	bool cfg_due = reconcile_is_settled() && written_cfg != model->next_cfg;
	bool counters = now >= next_statistics_ms;
	json_t *operations;

	if (!root || now < retry_ms || (!cfg_due && !counters &&
		(generation == written_generation || now < next_status_ms)))
		return;
	operations = ovsdb_status_operations(root, counters);
	if (cfg_due)
		ovsdb_status_add_cur_cfg(operations, root, model->next_cfg);
	if (counters)
		next_statistics_ms = now + STATISTICS_MS;
	next_status_ms = now + STATUS_MS;
	written_generation = generation;
	if (!json_array_size(operations)) {
		json_decref(operations);
		return;
	}
	if (ovsdb_client_transact(client, operations, write_done, NULL)) {
		ovsdb_status_forget();
		return;
	}
	writing = true;
	if (cfg_due)
		written_cfg = model->next_cfg;
}

/* Two daemons must not serve the same bridges: the one that lost the lock gives them up. */
static void give_up_bridges(void)
{
	if (!reconcile_model() || !reconcile_model()->bridges.n)
		return;
	log_err("another process has the database's lock: its bridges are not ours any more");
	reconcile_apply(model_create());
}

void config_ovsdb_take_changes(void)
{
	if (!client || !model_changed)
		return;
	if (ovsdb_client_is_ready(client)) {
		model_changed = false;
		apply_model(ovsdb_model_read(client));
	} else if (ovsdb_client_is_locked_out(client)) {
		model_changed = false;
		give_up_bridges();
	}
}

bool config_ovsdb_has_told(void)
{
	return told || (client && ovsdb_client_is_ready(client) && !ovsdb_model_root(client));
}

void config_ovsdb_run(void)
{
	if (!client || writing || !ovsdb_client_is_ready(client) || !reconcile_model())
		return;
	write_status();
}
