/* SPDX-License-Identifier: Apache-2.0 */
/* Receive queues: who polls which, what each takes, and how they move from PMD to PMD. */
#include "datapath/dp_private.h"

#include <errno.h>
#include <inttypes.h>
#include <rte_cycles.h>
#include <string.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/vec.h"

LOG_MODULE(dpif_netdev);

#define FOR_EACH_RXQ(DEVICE, RXQ)                                                                  \
	for (struct dp_rxq * (RXQ) = (DEVICE)->rxqs;                                               \
		(RXQ) && (RXQ) < (DEVICE)->rxqs + (DEVICE)->port->n_rxq; (RXQ)++)

/* ------------------------------------------------------------------ load */

static void load_turn(struct dp_load *load, uint64_t sum, unsigned int at)
{
	load->past[at] = sum - load->seen;
	load->seen = sum;
}

/* The last N intervals of PAST. */
static uint64_t recent(const uint64_t past[DP_LOAD_INTERVALS], unsigned int n)
{
	unsigned int at = dp.load_at;
	uint64_t sum = 0;

	while (n--) {
		at = (at + DP_LOAD_INTERVALS - 1) % DP_LOAD_INTERVALS;
		sum += past[at];
	}
	return sum;
}

uint64_t dp_rxq_load(const struct dp_rxq *rxq, unsigned int n)
{
	return stat_get(&rxq->rxq.cycles) - rxq->load.seen + recent(rxq->load.past, n);
}

uint64_t dp_pmd_load(unsigned int i, unsigned int n)
{
	return stat_get(&dp.pmds[i]->stats.busy_cycles) - dp.pmd_loads[i].seen +
		recent(dp.pmd_loads[i].past, n);
}

uint64_t dp_load_tsc(unsigned int n)
{
	uint64_t total = rte_rdtsc() - dp.load_tsc + recent(dp.load_tscs, n);

	return MAX(total, UINT64_C(1));
}

static void turn_interval(int64_t now_ms)
{
	unsigned int at = dp.load_at;
	struct dp_device *device;
	uint64_t now = rte_rdtsc();

	dp.load_tscs[at] = now - dp.load_tsc;
	dp.load_tsc = now;
	dp.load_ms = now_ms;
	dp.load_at = (at + 1) % DP_LOAD_INTERVALS;
	for (unsigned int i = 0; i < dp.n_pmds; i++)
		load_turn(&dp.pmd_loads[i], stat_get(&dp.pmds[i]->stats.busy_cycles), at);
	LIST_FOR_EACH (device, node, &dp.devices)
		FOR_EACH_RXQ (device, rxq)
			load_turn(&rxq->load, stat_get(&rxq->rxq.cycles), at);
}

/* ------------------------------------------------------------------ what there is, for rxq_sched */

struct view {
	VEC(struct rxq_sched_queue) queues;
	VEC(struct dp_rxq *) rxqs;		/* Of each. */
	VEC(struct dp_device *) devices;	/* Of each. */
	struct rxq_sched_pmd pmds[PMD_MAX];
	unsigned int index[PMD_MAX];		/* In dp.pmds. */
	unsigned int n_pmds;
};

static bool is_open(const struct dp_device *device)
{
	return device->rxqs && device->state == DP_DEVICE_OPEN;
}

static struct rxq_sched_queue describe(const struct dp_device *device, const struct dp_rxq *rxq)
{
	return (struct rxq_sched_queue){
		.numa = device->port->numa,
		.core = rxq_sched_affinity(device->rxq_affinity, rxq->rxq.qid),
		.cycles = dp_rxq_load(rxq, DP_LOAD_INTERVALS),
		.pmd = -1,
	};
}

static void view_init(struct view *view, const bool *leave)
{
	struct dp_device *device;

	memset(view, 0, sizeof *view);
	for (unsigned int i = 0; i < dp.n_pmds; i++)
		if (!leave || !leave[i]) {
			view->index[view->n_pmds] = i;
			view->pmds[view->n_pmds++] = (struct rxq_sched_pmd){
				.core = dp.pmds[i]->core, .numa = dp.pmds[i]->numa};
		}
	LIST_FOR_EACH (device, node, &dp.devices)
		if (is_open(device))
			FOR_EACH_RXQ (device, rxq) {
				vec_push(&view->queues, describe(device, rxq));
				vec_push(&view->rxqs, rxq);
				vec_push(&view->devices, device);
			}
}

static void view_uninit(struct view *view)
{
	vec_uninit(&view->queues);
	vec_uninit(&view->rxqs);
	vec_uninit(&view->devices);
}

static void view_sched(struct view *view)
{
	rxq_sched(view->queues.items, view->queues.n, view->pmds, view->n_pmds, dp.rxq_how,
		!dp.rxq_no_isolate);
}

/* The PMDs as they are loaded now. */
static void now_pmds(struct rxq_sched_pmd pmds[PMD_MAX])
{
	struct dp_device *device;

	for (unsigned int i = 0; i < dp.n_pmds; i++)
		pmds[i] = (struct rxq_sched_pmd){.core = dp.pmds[i]->core, .numa = dp.pmds[i]->numa};
	LIST_FOR_EACH (device, node, &dp.devices)
		if (is_open(device))
			FOR_EACH_RXQ (device, rxq)
				if (rxq->pmd >= 0) {
					pmds[rxq->pmd].cycles += dp_rxq_load(rxq, DP_LOAD_INTERVALS);
					pmds[rxq->pmd].n_queues++;
					pmds[rxq->pmd].isolated |= rxq->is_pinned &&
						!dp.rxq_no_isolate;
				}
}

bool dp_pmd_is_isolated(unsigned int i)
{
	struct rxq_sched_pmd pmds[PMD_MAX];

	now_pmds(pmds);
	return pmds[i].isolated;
}

/* ------------------------------------------------------------------ moving */

void dp_commands_wait(_Atomic uint32_t *done)
{
	while (atomic_load_explicit(done, memory_order_acquire)) {
		for (unsigned int i = 0; i < dp.n_pmds; i++)
			pmd_commands_flush(dp.pmds[i]);
		usleep(20);
	}
}

static void add_to(struct dp_device *device, struct dp_rxq *rxq, int pmd)
{
	rxq->pmd = pmd;
	if (pmd < 0) {
		log_warn("No non-isolated pmd on any numa available for port '%s' rx queue %d. "
			"This rx queue will not be polled.", device->name, rxq->rxq.qid);
		return;
	}
	rxq->rxq.port = device->pmd_ports[pmd];
	log_info("Core %2d on numa node %d assigned port '%s' rx queue %d.", dp.pmds[pmd]->core,
		dp.pmds[pmd]->numa, device->name, rxq->rxq.qid);
	pmd_command(dp.pmds[pmd], &(struct command){.type = COMMAND_RXQ_ADD, .rxq = &rxq->rxq});
}

/* The queues whose PMD is another one now: all that the old one took from them is sent before the new one
 * takes the next, so nothing is lost and nothing overtakes. */
static void move(struct view *view)
{
	_Atomic uint32_t left = 0;

	for (size_t i = 0; i < view->queues.n; i++) {
		struct rxq_sched_queue *queue = &view->queues.items[i];
		struct dp_rxq *rxq = view->rxqs.items[i];

		queue->pmd = queue->pmd < 0 ? -1 : (int)view->index[queue->pmd];
		rxq->is_pinned = queue->is_pinned;
		if (queue->pmd == rxq->pmd || rxq->pmd < 0)
			continue;
		atomic_fetch_add(&left, 1);
		pmd_command(dp.pmds[rxq->pmd], &(struct command){.type = COMMAND_RXQ_REMOVE,
			.done = &left, .rxq = &rxq->rxq});
	}
	dp_commands_wait(&left);
	for (size_t i = 0; i < view->queues.n; i++)
		if (view->queues.items[i].pmd != view->rxqs.items[i]->pmd)
			add_to(view->devices.items[i], view->rxqs.items[i],
				view->queues.items[i].pmd);
}

static void warn_of_wrong_cores(const struct view *view)
{
	for (size_t i = 0; i < view->queues.n; i++) {
		const struct rxq_sched_queue *queue = &view->queues.items[i];

		if (queue->core >= 0 && !queue->is_pinned)
			log_warn("Core %2d cannot be pinned with port '%s' rx queue %d. Use "
				"pmd-cpu-mask to enable a pmd on core %d. An alternative core "
				"will be assigned.", queue->core, view->devices.items[i]->name,
				view->rxqs.items[i]->rxq.qid, queue->core);
	}
}

void dp_rxqs_assign(const bool *leave)
{
	struct view view;

	view_init(&view, leave);
	log_info("Performing pmd to rx queue assignment using %s algorithm.",
		rxq_sched_how_name(dp.rxq_how));
	view_sched(&view);
	warn_of_wrong_cores(&view);
	move(&view);
	view_uninit(&view);
}

void dp_rxqs_rebalance(void)
{
	if (dp.n_pmds)
		dp_rxqs_assign(NULL);
}

/* ------------------------------------------------------------------ devices come and go */

void dp_rxqs_attach(struct dp_device *device)
{
	struct rxq_sched_pmd pmds[PMD_MAX];
	struct port *port = device->port;
	bool pinned = false;

	device->rxqs = xcalloc(MAX(port->n_rxq, 1), sizeof *device->rxqs);
	for (uint16_t q = 0; q < port->n_rxq; q++) {
		device->rxqs[q].pmd = -1;
		device->rxqs[q].rxq.qid = q;
		device->rxqs[q].rxq.fd = port_rx_fd(port, q);
		pinned |= rxq_sched_affinity(device->rxq_affinity, q) >= 0;
	}
	if (!dp.n_pmds)
		return;
	if (pinned) {
		dp_rxqs_assign(NULL);
		return;
	}
	/* The others stay where they are. */
	FOR_EACH_RXQ (device, rxq) {
		struct rxq_sched_queue queue = describe(device, rxq);

		now_pmds(pmds);
		add_to(device, rxq, rxq_sched_one(&queue, pmds, dp.n_pmds));
	}
}

void dp_rxqs_detach(struct dp_device *device)
{
	free(device->rxqs);
	device->rxqs = NULL;
}

void dp_rxqs_forget_pmd(struct dp_device *device, unsigned int i, unsigned int last)
{
	FOR_EACH_RXQ (device, rxq) {
		if (rxq->pmd == (int)i)
			rxq->pmd = -1;
		else if (rxq->pmd == (int)last)
			rxq->pmd = (int)i;
	}
}

void dp_port_set_rxq_affinity(dp_port_t number, const char *affinity)
{
	struct dp_device *device = dp_device(number);

	if (!device || !strcmp(affinity ? affinity : "",
			    device->rxq_affinity ? device->rxq_affinity : ""))
		return;
	if (affinity && !rxq_sched_affinity_is_valid(affinity)) {
		log_warn("%s: pmd-rxq-affinity \"%s\" is no list of queue:core", device->name, affinity);
		affinity = NULL;
	}
	free(device->rxq_affinity);
	device->rxq_affinity = affinity && *affinity ? xstrdup(affinity) : NULL;
	if (is_open(device) && dp.n_pmds)
		dp_rxqs_assign(NULL);
}

/* ------------------------------------------------------------------ settings and balancing */

void dp_rxqs_configure(const struct dp_config *config)
{
	enum rxq_sched_how how = RXQ_SCHED_CYCLES;
	bool no_isolate = config->pmd_rxq_no_isolate;

	if (config->pmd_rxq_assign && rxq_sched_how_from_name(config->pmd_rxq_assign, &how))
		log_warn("Unsupported rx queue to PMD assignment mode in pmd-rxq-assign. Defaulting "
			"to 'cycles'.");
	if (no_isolate && how != RXQ_SCHED_GROUP) {
		log_warn("pmd-rxq-isolate can only be set false when using pmd-rxq-assign=group");
		no_isolate = false;
	}
	if (config->auto_lb.enabled != dp.auto_lb.enabled)
		log_info(config->auto_lb.enabled ? "PMD auto load balance is enabled, interval %u mins, "
			"pmd load threshold %u%%, improvement threshold %u%%." :
			"PMD auto load balance is disabled.", MAX(config->auto_lb.interval_min, 1u),
			config->auto_lb.load_threshold, config->auto_lb.improvement);
	dp.auto_lb = config->auto_lb;
	if (how == dp.rxq_how && no_isolate == dp.rxq_no_isolate)
		return;
	dp.rxq_how = how;
	dp.rxq_no_isolate = no_isolate;
	dp_rxqs_rebalance();
}

/* Some PMD is busier than it should be, and there is something that can be moved. */
static bool is_worth_a_look(void)
{
	struct rxq_sched_pmd pmds[PMD_MAX];
	unsigned int n = 0;
	bool busy = false, movable = false;
	uint64_t total = dp_load_tsc(DP_LOAD_INTERVALS);

	now_pmds(pmds);
	for (unsigned int i = 0; i < dp.n_pmds; i++) {
		if (pmds[i].isolated)
			continue;
		n++;
		movable |= pmds[i].n_queues > 1;
		busy |= dp_pmd_load(i, DP_LOAD_INTERVALS) >= total / 100 * dp.auto_lb.load_threshold;
	}
	return n > 1 && busy && movable;
}

static void auto_balance(void)
{
	struct rxq_sched_pmd now[PMD_MAX];
	double before, after;
	unsigned int better;
	struct view view;

	if (dp.rxq_how == RXQ_SCHED_ROUNDROBIN || !is_worth_a_look())
		return;
	now_pmds(now);
	before = rxq_sched_variance(now, dp.n_pmds);
	view_init(&view, NULL);
	view_sched(&view);
	after = rxq_sched_variance(view.pmds, view.n_pmds);
	view_uninit(&view);
	better = after < before ? (unsigned int)((before - after) * 100 / before) : 0;
	log_info("PMD auto load balance dry run: the loads' variance would be %u%% smaller, "
		"%u%% are wanted.", better, dp.auto_lb.improvement);
	if (better < dp.auto_lb.improvement || after >= before)
		return;
	log_info("PMD auto load balance moves queues.");
	dp_rxqs_assign(NULL);
}

void dp_rxqs_run(int64_t now_ms)
{
	if (!dp.load_tsc) {
		dp.load_tsc = rte_rdtsc();
		dp.load_ms = dp.auto_lb_ms = now_ms;
	}
	if (now_ms - dp.load_ms >= DP_LOAD_INTERVAL_MS)
		turn_interval(now_ms);
	if (now_ms - dp.auto_lb_ms < (int64_t)MAX(dp.auto_lb.interval_min, 1u) * 60000)
		return;
	dp.auto_lb_ms = now_ms;
	if (dp.auto_lb.enabled)
		auto_balance();
}
