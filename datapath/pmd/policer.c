/* SPDX-License-Identifier: Apache-2.0 */

#include "datapath/pmd/policer.h"

#include "datapath/dp.h"
#include "datapath/pipeline/meter.h"
#include "lib/clock.h"
#include "lib/fatal.h"
#include "lib/rcu.h"
#include "lib/util.h"

struct policer {
	struct pl_meter bits, packets;		/* n_bands 0: not limited. */
};

static void meter_init(struct pl_meter *meter, uint16_t flags, uint64_t rate, uint64_t burst)
{
	if (!rate)
		return;
	meter->flags = flags | METER_BURST;
	meter->n_bands = 1;
	meter->bands[0].type = METER_BAND_DROP;
	meter->bands[0].rate = (uint32_t)MIN(rate, (uint64_t)UINT32_MAX);
	meter->bands[0].burst = (uint32_t)MIN(burst, (uint64_t)UINT32_MAX);
	meter_start(meter, clock_us());
}

struct policer *policer_create(const struct policing *policing)
{
	struct policer *policer;

	if (!policing->kbps && !policing->kpps)
		return NULL;
	policer = xcalloc(1, sizeof *policer);
	meter_init(&policer->bits, METER_KBPS, policing->kbps, policing->kb);
	meter_init(&policer->packets, METER_PKTPS, UINT64_C(1000) * policing->kpps,
		UINT64_C(1000) * policing->kpkts);
	return policer;
}

void policer_destroy_later(struct policer *policer)
{
	if (policer)
		rcu_defer_free(policer);
}

bool policer_passes(struct policer *policer, uint32_t bytes, int64_t now_us)
{
	uint8_t level;

	return meter_run(&policer->packets, bytes, now_us, &level) == METER_PASS &&
		meter_run(&policer->bits, bytes, now_us, &level) == METER_PASS;
}
