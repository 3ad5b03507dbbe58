/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/sluice-bench/options.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "lib/fatal.h"
#include "lib/util.h"
#include "tools/sluice-bench/peer.h"

enum {
	OPT_FLOWS = 256,
	OPT_SIZE,
	OPT_TRIALS,
	OPT_MS,
	OPT_CORE,
	OPT_FRAMES,
	OPT_JSON,
	OPT_NO_CACHES,
	OPT_NO_HUGE,
	OPT_PATHS,
	OPT_AGAINST,
	OPT_OVS,
	OPT_OVS_CONFIG,
	OPT_LIST,
	OPT_ALL,
	OPT_SVG,
	OPT_HISTORY,
	OPT_RFC2544,
	OPT_LOSS,
};

static _Noreturn void die(const char *format, ...) PRINTF_FORMAT(1, 2);

static _Noreturn void die(const char *format, ...)
{
	va_list args;

	fprintf(stderr, "sluice-bench: ");
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(2);
}

static _Noreturn void usage(void)
{
	printf("sluice-bench: packet rates of the switch, one core, against the bare loop over the same "
	       "devices\n"
	       "usage: sluice-bench [OPTION...] SCENARIO[:VARIANT]... | all\n\n"
	       "scenarios:\n");
	for (size_t i = 0; i < n_scenarios; i++) {
		printf("  %-15s %s\n", scenario_get(i)->name, scenario_get(i)->summary);
		for (size_t v = 0; scenario_get(i)->variants[v].name; v++)
			printf("    %s:%s\n", scenario_get(i)->name, scenario_get(i)->variants[v].name);
	}
	printf("\noptions:\n"
	       "  --flows N,...     numbers of flows (k and M may follow); default: by scenario\n"
	       "  --size S,...      64 (default), 1518, imix or any frame size with FCS\n"
	       "  --trials N        trials of each case, default 5\n"
	       "  --ms N            length of a trial, default 300\n"
	       "  --core N          core of the PMD thread, default the last\n"
	       "  --frames N        frames in a source's file; more flows are made by rewriting\n"
	       "                    headers on the way in; default 1024\n"
	       "  --all             every row that has a goal, and what became of it; exit status 3 if\n"
	       "                    any is missed\n"
	       "  --rfc2544         also the highest rates without loss (NDR) and with little (PDR), and\n"
	       "                    latencies at half the NDR\n"
	       "  --loss PERCENT    that may be lost in PDR, default 0.5\n"
	       "  --svg FILE        a plot of cycles per packet (-: stdout)\n"
	       "  --plot-history FILE   the history that tests/perf/guard keeps, as SVG on stdout\n"
	       "  --json FILE       results as JSON too (-: in place of the table)\n"
	       "  --no-caches       every packet through the interpreter\n"
	       "  --no-huge         without hugepages (no ratios then)\n"
	       "  --against ovs     Open vSwitch with DPDK too, case by case, and ratios\n"
	       "  --ovs FILE        ovs-vswitchd with DPDK, default that of Debian's package\n"
	       "                    openvswitch-switch-dpdk\n"
	       "  --ovs-config KEY=VALUE    other_config of its Open_vSwitch table, as\n"
	       "                    smc-enable=true; may be repeated\n"
	       "  --paths           what the caches hold after the trials, on stderr\n"
	       "  -v, --verbose     the switch's log on stderr\n"
	       "  -h, --help\n\n"
	       "Needs root, and hugepages: sysctl vm.nr_hugepages=512\n");
	exit(0);
}

static uint64_t parse_number(const char *what, const char *word, uint64_t min, uint64_t max)
{
	size_t len = strlen(word);
	uint64_t unit = 1, value;
	char digits[24];

	str_copy(digits, word, sizeof digits);
	if (len && len < sizeof digits && (word[len - 1] == 'k' || word[len - 1] == 'M')) {
		unit = word[len - 1] == 'k' ? 1000 : 1000000;
		digits[len - 1] = '\0';
	}
	if (len >= sizeof digits || parse_u64(digits, 0, UINT64_MAX / unit, &value) || value * unit < min || value * unit > max)
		die("%s: a number from %llu to %llu was expected", what, (unsigned long long)min,
			(unsigned long long)max);
	return value * unit;
}

static double parse_percent(const char *what, const char *word)
{
	char *end;
	double value = strtod(word, &end);

	if (end == word || *end || !(value >= 0 && value < 100))
		die("%s: a percentage from 0 to less than 100 was expected", what);
	return value;
}

static void parse_flows(struct options *o, char *list)
{
	char *save = NULL;

	for (char *word = strtok_r(list, ",", &save); word; word = strtok_r(NULL, ",", &save)) {
		if (o->n_flows == OPTIONS_MAX_POINTS)
			die("--flows: at most %d numbers", OPTIONS_MAX_POINTS);
		o->flows[o->n_flows++] = parse_number("--flows", word, 1, 100000000);
	}
}

static void parse_sizes(struct options *o, char *list)
{
	char *save = NULL;

	o->n_sizes = 0;
	for (char *word = strtok_r(list, ",", &save); word; word = strtok_r(NULL, ",", &save)) {
		if (o->n_sizes == ARRAY_SIZE(o->sizes))
			die("--size: at most %zu sizes", ARRAY_SIZE(o->sizes));
		o->sizes[o->n_sizes++] =
			strcmp(word, "imix") ? (uint16_t)parse_number("--size", word, 64, 1518) : 0;
	}
}

/* NAME, or NAME:VARIANT. */
static void add_scenario(struct options *o, const char *word)
{
	size_t len = strcspn(word, ":");
	char *name = xasprintf("%.*s", (int)len, word);
	const struct scenario *scenario = scenario_find(name);
	const struct scenario_variant *variant;
	bool found = false;

	free(name);
	if (!scenario)
		die("there is no scenario \"%s\" (--help lists them)", word);
	for (size_t i = 0; (variant = scenario_variant(scenario, i)); i++) {
		if (word[len] && strcmp(variant->name, word + len + 1))
			continue;
		found = true;
		if (o->n_cases < ARRAY_SIZE(o->cases))
			o->cases[o->n_cases++] = (struct option_case){scenario, variant};
	}
	if (!found)
		die("scenario \"%.*s\" has no variant \"%s\" (--help lists them)", (int)len, word,
			word + len + 1);
}

static void parse_scenarios(struct options *o, int argc, char *argv[])
{
	if (!argc && !o->all && !o->history)
		die("which scenario? (--help lists them; all: every one)");
	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "all")) {
			add_scenario(o, argv[i]);
			continue;
		}
		for (size_t s = 0; s < n_scenarios; s++)
			add_scenario(o, scenario_get(s)->name);
	}
}

/* SETTING goes through a shell, and what the peer's start sets itself stays. */
static void add_ovs_config(struct target_config *config, const char *setting)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-=.,:";
	static const char *const ours[] = {"dpdk-", "pmd-cpu-mask", "flow-restore-wait"};
	const char *value = strchr(setting, '=');

	if (!value || value == setting || strspn(setting, allowed) != strlen(setting))
		die("--ovs-config %s: KEY=VALUE of other_config is expected", setting);
	for (size_t i = 0; i < ARRAY_SIZE(ours); i++)
		if (!strncmp(setting, ours[i], strlen(ours[i])))
			die("--ovs-config %s: that is set here", setting);
	if (config->n_ovs_configs == TARGET_MAX_OVS_CONFIGS)
		die("--ovs-config: at most %d", TARGET_MAX_OVS_CONFIGS);
	config->ovs_configs[config->n_ovs_configs++] = setting;
}

static void parse_option(struct options *o, int c)
{
	switch (c) {
	case OPT_FLOWS:
		parse_flows(o, optarg);
		break;
	case OPT_SIZE:
		parse_sizes(o, optarg);
		break;
	case OPT_TRIALS:
		o->measure.trials = (unsigned int)parse_number("--trials", optarg, 1,
			MEASURE_MAX_TRIALS);
		break;
	case OPT_MS:
		o->measure.ms = (unsigned int)parse_number("--ms", optarg, 10, 600000);
		break;
	case OPT_CORE:
		o->measure.target.core = (int)parse_number("--core", optarg, 0, 63);
		break;
	case OPT_FRAMES:
		o->measure.target.max_frames = parse_number("--frames", optarg, 1, 1000000);
		break;
	case OPT_JSON:
		o->json = optarg;
		break;
	case OPT_NO_CACHES:
		o->measure.target.no_caches = true;
		break;
	case OPT_NO_HUGE:
		o->measure.target.ordinary_memory = true;
		break;
	case OPT_AGAINST:
		if (strcmp(optarg, "ovs"))
			die("--against: only \"ovs\" is known");
		o->against_ovs = true;
		break;
	case OPT_OVS:
		o->measure.target.vswitchd = optarg;
		break;
	case OPT_OVS_CONFIG:
		add_ovs_config(&o->measure.target, optarg);
		break;
	case OPT_PATHS:
		o->measure.show_paths = true;
		break;
	case OPT_ALL:
		o->all = true;
		break;
	case OPT_SVG:
		o->svg = optarg;
		break;
	case OPT_HISTORY:
		o->history = optarg;
		break;
	case OPT_RFC2544:
		o->measure.search = true;
		break;
	case OPT_LOSS:
		o->measure.pdr_loss = parse_percent("--loss", optarg) / 100;
		break;
	case 'v':
		o->verbose = true;
		break;
	case 'h':
	case OPT_LIST:
		usage();
	default:
		exit(2);
	}
}

static bool find_peer(struct options *o)
{
	o->measure.target.vswitchd = peer_find(o->measure.target.vswitchd);
	return o->measure.target.vswitchd;
}

void options_parse(int argc, char *argv[], struct options *o)
{
	static const struct option longs[] = {
		{"flows", required_argument, NULL, OPT_FLOWS},
		{"size", required_argument, NULL, OPT_SIZE},
		{"trials", required_argument, NULL, OPT_TRIALS},
		{"ms", required_argument, NULL, OPT_MS},
		{"core", required_argument, NULL, OPT_CORE},
		{"frames", required_argument, NULL, OPT_FRAMES},
		{"json", required_argument, NULL, OPT_JSON},
		{"no-caches", no_argument, NULL, OPT_NO_CACHES},
		{"no-huge", no_argument, NULL, OPT_NO_HUGE},
		{"against", required_argument, NULL, OPT_AGAINST},
		{"ovs", required_argument, NULL, OPT_OVS},
		{"ovs-config", required_argument, NULL, OPT_OVS_CONFIG},
		{"paths", no_argument, NULL, OPT_PATHS},
		{"list", no_argument, NULL, OPT_LIST},
		{"all", no_argument, NULL, OPT_ALL},
		{"svg", required_argument, NULL, OPT_SVG},
		{"plot-history", required_argument, NULL, OPT_HISTORY},
		{"rfc2544", no_argument, NULL, OPT_RFC2544},
		{"loss", required_argument, NULL, OPT_LOSS},
		{"verbose", no_argument, NULL, 'v'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	int c;

	*o = (struct options){
		.sizes = {64},
		.n_sizes = 1,
		.measure = {.trials = 5, .ms = 300, .pdr_loss = 0.005, .target = {.core = -1}},
	};
	while ((c = getopt_long(argc, argv, "vh", longs, NULL)) != -1)
		parse_option(o, c);
	parse_scenarios(o, argc - optind, argv + optind);
	if (!o->measure.target.max_frames)
		o->measure.target.max_frames = 1024;
	o->measure.target.verbose = o->verbose;
	if (o->against_ovs && !find_peer(o))
		die("--against ovs: no Open vSwitch with DPDK here: apt-get install "
		    "openvswitch-switch-dpdk, or --ovs FILE");
}
