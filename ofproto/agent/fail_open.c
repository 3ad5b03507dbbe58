/* SPDX-License-Identifier: Apache-2.0 */
#include "ofproto/agent/fail_open.h"

#include "lib/clock.h"
#include "lib/log.h"
#include "ofproto/agent/async.h"
#include "ofproto/agent/connmgr_private.h"

LOG_MODULE(fail_open);

/* Above all that a controller can say. */
#define FAIL_OPEN_PRIORITY 0xf0f0f0
#define BOGUS_INTERVAL_MS 2000
#define REPORT_INTERVAL_S 60

void fail_open_init(struct fail_open *fo)
{
	*fo = (struct fail_open) { 0 };
}

/* Seconds without a controller after which it is time, -1 never. */
static int trigger_s(const struct connmgr *mgr)
{
	return connmgr_may_fail_open(mgr) ? connmgr_max_probe_ms(mgr) / 1000 * 3 : -1;
}

static void fail_open_enter(struct fail_open *fo, struct connmgr *mgr, int failed_s)
{
	if (!fo->failed_s) {
		log_warn("Could not connect to controller (or switch failed controller's "
			"post-connection admission control policy) for %d seconds, failing open",
			failed_s);
		fo->failed_s = failed_s;
		ofproto_flush(connmgr_ofproto(mgr));
	} else if (failed_s > fo->failed_s + REPORT_INTERVAL_S) {
		log_info("Still in fail-open mode after %d seconds disconnected from controller",
			failed_s);
		fo->failed_s = failed_s;
	}
}

int64_t fail_open_run(struct fail_open *fo, struct connmgr *mgr, int64_t now_ms)
{
	int trigger = trigger_s(mgr), failed_s;

	if (trigger < 0)
		return -1;
	failed_s = connmgr_failure_s(mgr, now_ms);
	if (failed_s > 0 && failed_s >= trigger)
		fail_open_enter(fo, mgr, failed_s);
	if (!fo->failed_s)
		return 1000;
	if (!connmgr_any_controller(mgr, false)) {
		fo->next_bogus_ms = 0;
		return 1000;
	}
	if (fo->next_bogus_ms && now_ms >= fo->next_bogus_ms)
		async_bogus_packet_in(mgr);
	if (now_ms >= fo->next_bogus_ms)
		fo->next_bogus_ms = now_ms + BOGUS_INTERVAL_MS;
	return fo->next_bogus_ms - now_ms;
}

static void fail_open_recover(struct fail_open *fo, struct connmgr *mgr)
{
	log_warn("No longer in fail-open mode");
	fo->failed_s = 0;
	fo->next_bogus_ms = 0;
	if (fo->has_flow)
		connmgr_normal_flow(mgr, FAIL_OPEN_PRIORITY, false);
	fo->has_flow = false;
}

void fail_open_maybe_recover(struct fail_open *fo, struct connmgr *mgr)
{
	if (fo->failed_s && connmgr_any_controller(mgr, true))
		fail_open_recover(fo, mgr);
}

void fail_open_stop(struct fail_open *fo, struct connmgr *mgr)
{
	if (fo->failed_s)
		fail_open_recover(fo, mgr);
}

void fail_open_flushed(struct fail_open *fo, struct connmgr *mgr)
{
	int trigger = trigger_s(mgr);

	fo->has_flow = fo->failed_s && trigger >= 0 &&
		connmgr_failure_s(mgr, clock_ms()) >= trigger;
	if (fo->has_flow)
		connmgr_normal_flow(mgr, FAIL_OPEN_PRIORITY, true);
}
