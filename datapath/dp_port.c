/* SPDX-License-Identifier: Apache-2.0 */
/* Ports on control's side: numbers, their life, and which PMD polls what. */
#include "datapath/dp_private.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "datapath/pmd/policer.h"
#include "lib/log.h"

LOG_MODULE(dpif_netdev);

#define LAST_PORT (PL_MAX_PORTS - 1)

void dp_ports_init(void)
{
	dp.numbers = id_pool_create(1, LAST_PORT);
	list_init(&dp.devices);
	list_init(&dp.events);
}

struct dp_device *dp_device(dp_port_t number)
{
	return number < PL_MAX_PORTS ? dp.by_number[number] : NULL;
}

/* ------------------------------------------------------------------ numbers and events */

static struct dp_device *device_create(const char *name, enum dp_device_state state)
{
	struct dp_device *device;
	uint32_t number;

	if (id_pool_alloc(dp.numbers, &number))
		fatal("more than %d ports", LAST_PORT);
	device = xcalloc(1, sizeof *device);
	device->number = number;
	device->state = state;
	str_copy(device->name, name, sizeof device->name);
	list_push_back(&dp.devices, &device->node);
	dp.by_number[number] = device;
	return device;
}

/* Its number stays taken for as long as somebody may know the device by it. */
static void device_destroy(struct dp_device *device)
{
	dp.by_number[device->number] = NULL;
	list_remove(&device->node);
	free(device->tx_locks);
	dp_rxqs_detach(device);
	free(device->rxq_affinity);
	free(device);
}

static void put_event(const struct dp_device *device, enum dp_port_event_type type,
	const char *error)
{
	struct dp_event_node *node = xcalloc(1, sizeof *node);

	node->event.type = type;
	node->event.port = device->number;
	node->event.info = device->info;
	str_copy(node->event.error, error ? error : "", sizeof node->event.error);
	list_push_back(&dp.events, &node->node);
}

bool dp_port_event_next(struct dp_port_event *event)
{
	struct list *first = list_pop_front(&dp.events);
	struct dp_event_node *node = LIST_TO(first, struct dp_event_node, node);
	bool is_implicit;

	if (!node)
		return false;
	*event = node->event;
	free(node);
	/* Implicit ports are nobody else's. */
	is_implicit = dp_underlay_takes(event);
	if (event->type == DP_PORT_FAILED || event->type == DP_PORT_CLOSED)
		id_pool_free(dp.numbers, event->port);
	return is_implicit ? dp_port_event_next(event) : true;
}

/* ------------------------------------------------------------------ on and off the PMDs */

/* A transmit queue that no PMD has yet; else one to be shared. */
static uint16_t choose_txq(const struct dp_device *device, unsigned int pmd)
{
	uint16_t n = device->port->n_txq;

	for (uint16_t q = 0; q < n; q++) {
		bool taken = false;

		for (unsigned int i = 0; i < PMD_MAX && !taken; i++)
			taken = device->pmd_ports[i] && device->pmd_ports[i]->txq == q;
		if (!taken)
			return q;
	}
	return (uint16_t)(pmd % n);
}

/* From now on PMDs lock the transmit queues of DEVICE: another one comes for which there is none. */
static void share_txqs(struct dp_device *device)
{
	_Atomic uint32_t left = 0;

	for (unsigned int i = 0; i < dp.n_pmds; i++) {
		struct pmd_port *pp = device->pmd_ports[i];

		if (!pp || pp->tx_lock)
			continue;
		atomic_fetch_add(&left, 1);
		pmd_command(dp.pmds[i], &(struct command){.type = COMMAND_TX_LOCK, .done = &left,
			.port = pp});
	}
	dp_commands_wait(&left);
	device->port->tx_locked = true;
}

static void attach_pmd(struct dp_device *device, unsigned int i)
{
	struct port *port = device->port;
	bool shared = port->n_txq < dp.n_pmds;
	struct pmd_port *pp = xaligned_calloc(64, sizeof *pp);

	if (shared)
		share_txqs(device);
	pp->port = port;
	pp->dp_port = device->number;
	pp->txq = choose_txq(device, i);
	pp->tx_shared_lock = &device->tx_locks[pp->txq];
	pp->tx_lock = shared ? pp->tx_shared_lock : NULL;
	device->pmd_ports[i] = pp;
	pmd_command(dp.pmds[i], &(struct command){.type = COMMAND_PORT_ADD, .port = pp});
}

static void attach(struct dp_device *device)
{
	for (unsigned int i = 0; i < dp.n_pmds; i++)
		attach_pmd(device, i);
	dp_rxqs_attach(device);
}

void dp_ports_attach_pmd(unsigned int i)
{
	struct dp_device *device;

	LIST_FOR_EACH (device, node, &dp.devices)
		if (device->state == DP_DEVICE_OPEN)
			attach_pmd(device, i);
}

static void fold(struct dp_device *device, struct pmd_port *pp)
{
	device->base.rx_packets += stat_get(&pp->rx_packets);
	device->base.rx_bytes += stat_get(&pp->rx_bytes);
	device->base.tx_packets += stat_get(&pp->tx_packets);
	device->base.tx_bytes += stat_get(&pp->tx_bytes);
	for (unsigned int i = 0; i < DROP_N_REASONS; i++) {
		device->base_drops[i] += stat_get(&pp->drops[i]);
		device->base_tx_drops[i] += stat_get(&pp->tx_drops[i]);
		device->base.tx_dropped += stat_get(&pp->tx_drops[i]);
	}
}

static void forget_pmd_port(struct dp_device *device, unsigned int i)
{
	if (device->pmd_ports[i])
		fold(device, device->pmd_ports[i]);
	free(device->pmd_ports[i]);
	device->pmd_ports[i] = NULL;
}

static void detached(struct dp_device *device)
{
	for (unsigned int i = 0; i < PMD_MAX; i++)
		forget_pmd_port(device, i);
	dp_rxqs_detach(device);
}

void dp_ports_forget_pmd(unsigned int i, unsigned int last)
{
	struct dp_device *device;

	LIST_FOR_EACH (device, node, &dp.devices) {
		forget_pmd_port(device, i);
		if (i != last) {
			device->pmd_ports[i] = device->pmd_ports[last];
			device->pmd_ports[last] = NULL;
		}
		dp_rxqs_forget_pmd(device, i, last);
	}
}

/* ------------------------------------------------------------------ life */

dp_port_t dp_port_alloc(const char *name)
{
	return device_create(name, DP_DEVICE_NONE)->number;
}

void dp_port_free(dp_port_t number)
{
	struct dp_device *device = dp_device(number);

	if (device && device->state == DP_DEVICE_NONE) {
		device_destroy(device);
		id_pool_free(dp.numbers, number);
	}
}

dp_port_t dp_port_open(const struct dp_port_spec *spec)
{
	struct dp_device *device = device_create(spec->name, DP_DEVICE_OPENING);
	struct worker_job *job;

	if (!dp.worker) {
		dp_port_t number = device->number;

		put_event(device, DP_PORT_FAILED,
			"the datapath did not start (see the log); no device can be opened");
		device_destroy(device);
		return number;
	}
	job = worker_job_create(WORKER_OPEN, device->number, NULL);
	worker_job_set_spec(job, spec);
	job->n_txq = (uint16_t)MAX(dp.starting ? dp.n_pmds_planned : dp.n_pmds, 1u);
	worker_post(dp.worker, job);
	return device->number;
}

static void start_closing(struct dp_device *device)
{
	detached(device);
	device->state = DP_DEVICE_CLOSING;
	worker_post(dp.worker, worker_job_create(WORKER_CLOSE, device->number, device->port));
}

void dp_port_close(dp_port_t number)
{
	struct dp_device *device = dp_device(number);

	if (!device)
		return;
	if (device->state == DP_DEVICE_OPENING)
		device->close_wanted = true;
	if (device->state != DP_DEVICE_OPEN)
		return;
	device->state = DP_DEVICE_LEAVING;
	atomic_store(&device->leaving, dp.n_pmds);
	for (unsigned int i = 0; i < dp.n_pmds; i++)
		pmd_command(dp.pmds[i], &(struct command){.type = COMMAND_PORT_REMOVE,
			.done = &device->leaving, .port = device->pmd_ports[i]});
	if (!dp.n_pmds)
		start_closing(device);
}

static void opened(struct dp_device *device, const struct worker_job *job)
{
	if (job->err) {
		put_event(device, DP_PORT_FAILED, job->error);
		device_destroy(device);
		return;
	}
	device->port = job->port;
	device->info = job->info;
	device->tx_locks = xcalloc(MAX(job->port->n_txq, 1), sizeof *device->tx_locks);
	device->state = DP_DEVICE_OPEN;
	attach(device);
	if (device->close_wanted)
		dp_port_close(device->number);
	else
		put_event(device, DP_PORT_OPENED, NULL);
}

static void take_result(const struct worker_job *job)
{
	struct dp_device *device = dp_device(job->dp_port);

	if (job->type == WORKER_START)
		dp_started(job->err, job->error);
	if (job->type == WORKER_POPULATE) {
		dp.n_populating--;
		if (job->exact)
			exact_allow(job->exact, job->mask);
	}
	if (!device)
		return;
	switch (job->type) {
	case WORKER_OPEN:
		opened(device, job);
		return;
	case WORKER_CLOSE:
		put_event(device, DP_PORT_CLOSED, NULL);
		device_destroy(device);
		return;
	case WORKER_CHANGED:
		device->info = job->info;
		if (device->state == DP_DEVICE_OPEN)
			put_event(device, DP_PORT_CHANGED, NULL);
		return;
	case WORKER_GONE:
		if (device->state == DP_DEVICE_OPEN)
			put_event(device, DP_PORT_GONE, "the device is gone");
		return;
	case WORKER_START:
	case WORKER_POPULATE:
		return;
	case WORKER_SET_ADMIN:
	case WORKER_SET_MTU:
	case WORKER_SET_MAC:
		if (job->err)
			log_warn("%s: can't change the device: %s", device->name,
				strerror(-job->err));
		return;
	}
}

void dp_ports_run(void)
{
	struct worker_job *job;
	struct dp_device *device;

	while (dp.worker && (job = worker_next(dp.worker)) != NULL) {
		take_result(job);
		worker_job_destroy(job);
	}
	LIST_FOR_EACH (device, node, &dp.devices)
		if (device->state == DP_DEVICE_LEAVING &&
			!atomic_load_explicit(&device->leaving, memory_order_acquire))
			start_closing(device);
}

static bool any_device(void)
{
	struct dp_device *device;

	LIST_FOR_EACH (device, node, &dp.devices)
		if (device->state != DP_DEVICE_NONE)
			return true;
	return false;
}

void dp_ports_uninit(void)
{
	struct dp_device *device;
	struct dp_port_event event;

	LIST_FOR_EACH (device, node, &dp.devices)
		dp_port_close(device->number);
	while (any_device()) {
		for (unsigned int i = 0; i < dp.n_pmds; i++)
			pmd_commands_flush(dp.pmds[i]);
		dp_ports_run();
		usleep(1000);
	}
	LIST_FOR_EACH_SAFE (device, node, &dp.devices)
		device_destroy(device);
	while (dp_port_event_next(&event))
		continue;
	id_pool_destroy(dp.numbers);
}

static void post_change(dp_port_t number, struct worker_job *job)
{
	struct dp_device *device = dp_device(number);

	if (!device || device->state != DP_DEVICE_OPEN) {
		worker_job_destroy(job);
		return;
	}
	job->port = device->port;
	worker_post(dp.worker, job);
}

void dp_port_set_admin(dp_port_t port, bool up)
{
	struct worker_job *job = worker_job_create(WORKER_SET_ADMIN, port, NULL);

	job->admin_up = up;
	post_change(port, job);
}

void dp_port_set_mtu(dp_port_t port, uint32_t mtu)
{
	struct worker_job *job = worker_job_create(WORKER_SET_MTU, port, NULL);

	job->mtu = mtu;
	post_change(port, job);
}

void dp_port_set_mac(dp_port_t port, struct eth_addr mac)
{
	struct worker_job *job = worker_job_create(WORKER_SET_MAC, port, NULL);

	job->mac = mac;
	post_change(port, job);
}

const char *dp_port_name(dp_port_t port)
{
	const struct dp_device *device = dp_device(port);

	return device ? device->name : NULL;
}

bool dp_port_set_policing(dp_port_t port, const struct policing *policing)
{
	struct dp_device *device = dp_device(port);

	if (!device || device->state != DP_DEVICE_OPEN)
		return false;
	/* The buckets are not filled again without a reason. */
	if (!memcmp(&device->policing, policing, sizeof *policing))
		return true;
	device->policing = *policing;
	policer_destroy_later(atomic_exchange(&device->port->policer, policer_create(policing)));
	return true;
}
