/* SPDX-License-Identifier: Apache-2.0 */

#include "tools/sluiced/options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/dirs.h"
#include "lib/fatal.h"
#include "lib/log.h"
#include "lib/stream.h"
#include "lib/util.h"

enum {
	OPT_CONFIG = 256,
	OPT_UNIXCTL,
	OPT_MLOCKALL,
	OPT_PIDFILE,
	OPT_OVERWRITE_PIDFILE,
	OPT_DETACH,
	OPT_MONITOR,
	OPT_NO_CHDIR,
	OPT_NO_SELF_CONFINEMENT,
	OPT_USER,
	OPT_LOG_FILE,
	OPT_SYSLOG_METHOD,
	OPT_SYSLOG_TARGET,
	OPT_PEER_CA_CERT,
	OPT_BOOTSTRAP_CA_CERT,
	OPT_SSL_PROTOCOLS,
	OPT_SSL_CIPHERS,
	OPT_IGNORED,
};

static const struct option long_options[] = {
	{"config", required_argument, NULL, OPT_CONFIG},
	{"unixctl", required_argument, NULL, OPT_UNIXCTL},
	{"mlockall", no_argument, NULL, OPT_MLOCKALL},
	{"pidfile", optional_argument, NULL, OPT_PIDFILE},
	{"overwrite-pidfile", no_argument, NULL, OPT_OVERWRITE_PIDFILE},
	{"detach", no_argument, NULL, OPT_DETACH},
	{"monitor", no_argument, NULL, OPT_MONITOR},
	{"no-chdir", no_argument, NULL, OPT_NO_CHDIR},
	{"no-self-confinement", no_argument, NULL, OPT_NO_SELF_CONFINEMENT},
	{"user", required_argument, NULL, OPT_USER},
	{"verbose", optional_argument, NULL, 'v'},
	{"log-file", optional_argument, NULL, OPT_LOG_FILE},
	{"syslog-method", required_argument, NULL, OPT_SYSLOG_METHOD},
	{"syslog-target", required_argument, NULL, OPT_SYSLOG_TARGET},
	{"private-key", required_argument, NULL, 'p'},
	{"certificate", required_argument, NULL, 'c'},
	{"ca-cert", required_argument, NULL, 'C'},
	{"peer-ca-cert", required_argument, NULL, OPT_PEER_CA_CERT},
	{"bootstrap-ca-cert", required_argument, NULL, OPT_BOOTSTRAP_CA_CERT},
	{"ssl-protocols", required_argument, NULL, OPT_SSL_PROTOCOLS},
	{"ssl-ciphers", required_argument, NULL, OPT_SSL_CIPHERS},
	/* Mean something to other datapaths than this one. */
	{"disable-system", no_argument, NULL, OPT_IGNORED},
	{"disable-system-route", no_argument, NULL, OPT_IGNORED},
	{"hw-rawio-access", no_argument, NULL, OPT_IGNORED},
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'V'},
	{NULL, 0, NULL, 0},
};

static const char help[] =
	"sluiced: OpenFlow switch with a DPDK datapath\n"
	"usage: sluiced [OPTIONS] [DATABASE]\n"
	"       sluiced [OPTIONS] --config=FILE\n"
	"where DATABASE is a socket on which ovsdb-server is listening\n"
	"      (default: \"unix:%s/db.sock\"),\n"
	"and FILE describes bridges, ports and flows in JSON: no database then.\n"
	"\nDaemon options:\n"
	"  --detach                run in background as daemon\n"
	"  --monitor               restart the daemon if it crashes\n"
	"  --no-chdir              do not chdir to '/'\n"
	"  --pidfile[=FILE]        create pidfile (default: %s/%s.pid)\n"
	"  --overwrite-pidfile     with --pidfile, start even if already running\n"
	"  --user=USER[:GROUP]     run as USER, keeping the capabilities that are needed\n"
	"\nLogging options:\n"
	"  -vSPEC, --verbose=SPEC  set logging levels\n"
	"  -v, --verbose           set maximum verbosity level\n"
	"  --log-file[=FILE]       log to FILE (default: %s/%s.log)\n"
	"  --syslog-method=METHOD  libc, null, unix:FILE or udp:IP:PORT\n"
	"\nTLS options (for connections to DATABASE):\n"
	"  -p, --private-key=FILE  file with private key\n"
	"  -c, --certificate=FILE  file with certificate for private key\n"
	"  -C, --ca-cert=FILE      file with peer CA certificate\n"
	"  --bootstrap-ca-cert=FILE  file with peer CA certificate to read or create\n"
	"  --peer-ca-cert=FILE, --ssl-protocols=PROTOS, --ssl-ciphers=CIPHERS\n"
	"\nOther options:\n"
	"  --config=FILE           take the configuration from FILE\n"
	"  --unixctl=SOCKET        control socket (default: %s/%s.PID.ctl)\n"
	"  --mlockall              lock memory, keep it from being paged out\n"
	"  -h, --help              display this help message\n"
	"  -V, --version           display version information\n";

const char *options_version(void)
{
	return "sluiced (sluice " SLUICE_VERSION ", as Open vSwitch) 3.1.0";
}

/* TEXT is an error from lib/log, or NULL. */
static void check(char *text)
{
	if (!text)
		return;
	fprintf(stderr, "sluiced: %s\n", text);
	exit(EXIT_FAILURE);
}

static void check_errno(const char *what, int error)
{
	if (error) {
		fprintf(stderr, "sluiced: %s: error %d\n", what, -error);
		exit(EXIT_FAILURE);
	}
}

static void apply(int opt, struct options *o)
{
	switch (opt) {
	case OPT_CONFIG: o->config = optarg; break;
	case OPT_UNIXCTL: o->unixctl = optarg; break;
	case OPT_MLOCKALL: o->mlockall = true; break;
	case OPT_PIDFILE: o->daemon.pidfile = daemon_pidfile_path(optarg); break;
	case OPT_OVERWRITE_PIDFILE: o->daemon.overwrite_pidfile = true; break;
	case OPT_DETACH: o->daemon.detach = true; break;
	case OPT_MONITOR: o->daemon.monitor = true; break;
	case OPT_NO_CHDIR: o->daemon.no_chdir = true; break;
	case OPT_NO_SELF_CONFINEMENT: o->daemon.no_self_confinement = true; break;
	case OPT_USER: o->daemon.user = optarg; break;
	case 'v': log_set_verbosity(optarg); break;
	case OPT_LOG_FILE: check_errno("--log-file", log_set_file(optarg)); break;
	case OPT_SYSLOG_METHOD: check(log_set_syslog_method(optarg)); break;
	case OPT_SYSLOG_TARGET: {
		char *method = xasprintf("udp:%s", optarg);

		check(log_set_syslog_method(method));
		free(method);
		break;
	}
	case 'p': stream_ssl_set_key_file(optarg); break;
	case 'c': stream_ssl_set_cert_file(optarg); break;
	case 'C': stream_ssl_set_ca_cert_file(optarg, false); break;
	case OPT_PEER_CA_CERT: stream_ssl_set_peer_ca_cert_file(optarg); break;
	case OPT_BOOTSTRAP_CA_CERT: stream_ssl_set_ca_cert_file(optarg, true); break;
	case OPT_SSL_PROTOCOLS: check_errno("--ssl-protocols", stream_ssl_set_protocols(optarg)); break;
	case OPT_SSL_CIPHERS: check_errno("--ssl-ciphers", stream_ssl_set_ciphers(optarg)); break;
	case OPT_IGNORED: break;
	}
}

void options_parse(int argc, char *argv[], struct options *o)
{
	int opt;

	*o = (struct options) {.database = NULL};
	while ((opt = getopt_long(argc, argv, "v::p:c:C:hV", long_options, NULL)) != -1) {
		switch (opt) {
		case 'h':
			printf(help, dirs_run(), dirs_run(), program_name(), dirs_log(), program_name(),
				dirs_run(), program_name());
			exit(EXIT_SUCCESS);
		case 'V':
			printf("%s\n", options_version());
			exit(EXIT_SUCCESS);
		case '?':
			fprintf(stderr, "sluiced: try --help\n");
			exit(EXIT_FAILURE);
		default:
			apply(opt, o);
		}
	}
	if (argc - optind > 1) {
		fprintf(stderr, "sluiced: expected at most one database, got \"%s\" too\n",
			argv[optind + 1]);
		exit(EXIT_FAILURE);
	}
	if (optind < argc) {
		o->database = argv[optind];
		if (!stream_name_is_valid(o->database)) {
			fprintf(stderr, "sluiced: %s: expected a database as unix:PATH, tcp:HOST:PORT "
				"or ssl:HOST:PORT\n", o->database);
			exit(EXIT_FAILURE);
		}
	}
	if (o->config && o->database) {
		fprintf(stderr, "sluiced: --config and a database exclude each other\n");
		exit(EXIT_FAILURE);
	}
	if (!o->config && !o->database)
		o->database = xasprintf("unix:%s/db.sock", dirs_run());
}
