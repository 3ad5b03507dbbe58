/* SPDX-License-Identifier: Apache-2.0 */

#include "tools/sluiced/commands_pmd.h"

#include <string.h>

#include "datapath/dp.h"
#include "lib/sbuf.h"
#include "lib/unixctl.h"
#include "lib/util.h"

struct pmd_command {
	void (*format)(const struct dp_pmd_format *f, struct sbuf *s);
	bool seconds;		/* It takes -secs. */
	bool histograms;	/* It takes what is said of histograms and history. */
};

static bool parse_number(struct unixctl_conn *conn, const char *option, const char *text, int64_t max, int64_t *n)
{
	if (text && !parse_i64(text, 0, max, n))
		return true;
	unixctl_replyf_error(conn, "%s: expected a number up to %lld", option, (long long)max);
	return false;
}

/* False: replied with an error. */
static bool parse(struct unixctl_conn *conn, int argc, const char *argv[], const struct pmd_command *command,
	struct dp_pmd_format *f)
{
	int64_t n;

	*f = (struct dp_pmd_format) {.by_core = false};
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "-pmd")) {
			if (!parse_number(conn, "-pmd", argv[i + 1], INT32_MAX, &n))
				return false;
			f->by_core = true;
			f->core = (int)n;
			i++;
		} else if (command->seconds && !strcmp(argv[i], "-secs")) {
			if (!parse_number(conn, "-secs", argv[i + 1], 60, &n))
				return false;
			f->seconds = (unsigned int)n;
			i++;
		} else if (command->histograms && (!strcmp(argv[i], "-it") || !strcmp(argv[i], "-ms"))) {
			if (!parse_number(conn, argv[i], argv[i + 1], INT32_MAX, &n))
				return false;
			if (n) {
				unixctl_replyf_error(conn, "%s: no history is kept", argv[i]);
				return false;
			}
			i++;
		} else if (argv[i][0] == '-' && !(command->histograms && !strcmp(argv[i], "-nh"))) {
			unixctl_replyf_error(conn, "%s: unknown option", argv[i]);
			return false;
		}
	}
	return true;
}

static void cmd_show(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
	const struct pmd_command *command = aux;
	struct sbuf s = SBUF_INITIALIZER;
	struct dp_pmd_format f;

	if (!parse(conn, argc, argv, command, &f))
		return;
	command->format(&f, &s);
	unixctl_reply(conn, sbuf_cstr(&s));
	sbuf_uninit(&s);
}

static void cmd_clear(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
	struct dp_pmd_format f;

	if (!parse(conn, argc, argv, aux, &f))
		return;
	dp_clear_pmd_stats(&f);
	unixctl_reply(conn, NULL);
}

static void cmd_sleep(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
	struct sbuf s = SBUF_INITIALIZER;

	dp_format_pmd_sleep(&s);
	unixctl_reply(conn, sbuf_cstr(&s));
	sbuf_uninit(&s);
}

static void cmd_rebalance(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
	dp_rxqs_rebalance();
	unixctl_reply(conn, "pmd rxq rebalance requested.\n");
}

void commands_pmd_init(void)
{
	static struct pmd_command stats = {.format = dp_format_pmd_stats};
	static struct pmd_command perf = {.format = dp_format_pmd_perf, .histograms = true};
	static struct pmd_command rxq = {.format = dp_format_pmd_rxq, .seconds = true};

	unixctl_command_register("dpif-netdev/pmd-stats-show", "[-pmd core] [dp]", 0, 3, cmd_show, &stats);
	unixctl_command_register("dpif-netdev/pmd-stats-clear", "[-pmd core] [dp]", 0, 3, cmd_clear, &stats);
	unixctl_command_register("dpif-netdev/pmd-perf-show", "[-nh] [-it iter-history-len] "
		"[-ms ms-history-len] [-pmd core] [dp]", 0, 8, cmd_show, &perf);
	unixctl_command_register("dpif-netdev/pmd-rxq-show", "[-pmd core] [-secs secs] [dp]", 0, 5, cmd_show,
		&rxq);
	unixctl_command_register("dpif-netdev/pmd-rxq-rebalance", "[dp]", 0, 1, cmd_rebalance, NULL);
	unixctl_command_register("sluice/pmd-sleep-show", "", 0, 0, cmd_sleep, NULL);
}
