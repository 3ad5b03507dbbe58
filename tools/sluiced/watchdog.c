/* SPDX-License-Identifier: Apache-2.0 */

#include "tools/sluiced/watchdog.h"

#include "datapath/dp.h"
#include "lib/daemon.h"
#include "lib/log.h"
#include "lib/util.h"

LOG_MODULE(watchdog);

static struct event_timer *timer;

static void feed(void *aux)
{
	static struct log_rate_limit rl = LOG_RATE_LIMIT_INIT(6, 6);

	(void)aux;
	if (dp_is_alive())
		daemon_notify("WATCHDOG=1");
	else
		log_err_rl(&rl, "a PMD thread does not go on: the watchdog is not fed");
}

void watchdog_start(struct event_loop *loop)
{
	uint64_t ms = daemon_watchdog_us() / 1000;

	if (!ms)
		return;
	timer = event_timer_create(loop, feed, NULL);
	/* Often enough that one that comes late does no harm. */
	event_timer_start(timer, 0, MAX(ms / 4, UINT64_C(1)));
}

void watchdog_stop(void)
{
	event_timer_destroy(timer);
	timer = NULL;
}
