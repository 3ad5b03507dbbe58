/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath/eal_log.h"

#include <stdio.h>
#include <string.h>

#include <rte_log.h>

#include "lib/log.h"

LOG_MODULE(dpdk);

static __thread char first_error[200];

static enum log_level level_from_rte(int level)
{
	switch (level) {
	case RTE_LOG_EMERG:
	case RTE_LOG_ALERT:
	case RTE_LOG_CRIT:
		return LOG_LEVEL_EMER;
	case RTE_LOG_ERR:
		return LOG_LEVEL_ERR;
	case RTE_LOG_WARNING:
		return LOG_LEVEL_WARN;
	case RTE_LOG_NOTICE:
	case RTE_LOG_INFO:
		return LOG_LEVEL_INFO;
	default:
		return LOG_LEVEL_DBG;
	}
}

static ssize_t write_to_log(void *cookie, const char *text, size_t size)
{
	static struct log_rate_limit rl = LOG_RATE_LIMIT_INIT(600, 600);
	enum log_level level = level_from_rte(rte_log_cur_msg_loglevel());
	size_t len = size;

	while (len && (text[len - 1] == '\n' || text[len - 1] == ' '))
		len--;
	if (!len)
		return (ssize_t)size;
	if (level <= LOG_LEVEL_ERR && !first_error[0])
		snprintf(first_error, sizeof first_error, "%.*s", (int)len, text);
	log_at_rl(&rl, level, "%.*s", (int)len, text);
	return (ssize_t)size;
}

void eal_log_redirect(void)
{
	FILE *stream = fopencookie(NULL, "w+", (cookie_io_functions_t){.write = write_to_log});

	if (!stream)
		return;
	setvbuf(stream, NULL, _IOLBF, 0);
	rte_openlog_stream(stream);
}

const char *eal_log_error(void)
{
	return first_error[0] ? first_error : "no reason given";
}

void eal_log_forget(void)
{
	first_error[0] = '\0';
}
