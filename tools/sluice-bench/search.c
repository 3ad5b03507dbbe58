/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/sluice-bench/search.h"

double search_rate(double high, double loss, unsigned int steps, search_probe *probe, void *aux)
{
	double low = 0, at = high, got = probe(at, aux);

	/* It may be that nothing is lost at all. */
	if (got < 0 || got <= loss)
		return got < 0 ? got : high;
	for (unsigned int i = 0; i < steps; i++) {
		at = (low + high) / 2;
		got = probe(at, aux);
		if (got < 0)
			return got;
		if (got <= loss)
			low = at;
		else
			high = at;
	}
	return low;
}
