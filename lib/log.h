/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Logging by module, in the manner and with the texts of ovs-vswitchd's vlog.
 *
 * A file declares its module once at file scope, LOG_MODULE(bridge); and then says log_info("...").
 * Several files may share a module's name. A message goes to each destination (console, syslog,
 * file) whose level for the module lets it pass. Messages have no newline at the end.
 *
 * The control thread logs; a call from another thread is safe (a mutex) but never made on the
 * packet path. Nothing here fails except where an int says so.
 */

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/list.h"
#include "lib/util.h"

enum log_level {
	LOG_LEVEL_OFF,
	LOG_LEVEL_EMER,
	LOG_LEVEL_ERR,
	LOG_LEVEL_WARN,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DBG,
	LOG_N_LEVELS
};

enum log_destination {
	LOG_TO_SYSLOG,
	LOG_TO_CONSOLE,
	LOG_TO_FILE,
	LOG_N_DESTINATIONS
};

struct log_module {
	struct list node;
	const char *name;
	int max_level; /* most talkative of levels[] */
	int levels[LOG_N_DESTINATIONS];
	bool honor_rate_limits;
};

/* Allows BURST messages at once and RATE a minute on average; says how many it dropped. */
struct log_rate_limit {
	unsigned int rate, burst;
	unsigned int tokens; /* in 1/60000 of a message */
	int64_t last_fill_ms;
	int64_t first_dropped_ms, last_dropped_ms;
	unsigned int n_dropped;
};

#define LOG_RATE_LIMIT_INIT(RATE, BURST)                                                           \
	{                                                                                          \
		.rate = (RATE), .burst = (BURST)                                                   \
	}

#define LOG_MODULE(NAME)                                                                           \
	static struct log_module log_this_module = {.name = #NAME};                                \
	__attribute__((constructor)) static void log_module_register_this_(void)                   \
	{                                                                                          \
		log_module_register(&log_this_module);                                             \
	}                                                                                          \
	struct log_module /* takes the semicolon */

void log_module_register(struct log_module *module);

static inline bool log_is_enabled(const struct log_module *module, enum log_level level)
{
	return (int)level <= module->max_level;
}

void log_msg(struct log_module *module, enum log_level level, const char *format, ...)
	PRINTF_FORMAT(3, 4);
void log_msgv(struct log_module *module, enum log_level level, const char *format, va_list args)
	PRINTF_FORMAT(3, 0);
void log_msg_rl(struct log_module *module, enum log_level level, struct log_rate_limit *rl,
	const char *format, ...) PRINTF_FORMAT(4, 5);

/* True if a message under RL must not be written now (it then counts as dropped). */
bool log_should_drop(struct log_module *module, enum log_level level, struct log_rate_limit *rl);

#define log_at(LEVEL, ...)                                                                         \
	do {                                                                                       \
		if (log_is_enabled(&log_this_module, LEVEL))                                       \
			log_msg(&log_this_module, LEVEL, __VA_ARGS__);                             \
	} while (0)
#define log_at_rl(RL, LEVEL, ...)                                                                  \
	do {                                                                                       \
		if (log_is_enabled(&log_this_module, LEVEL))                                       \
			log_msg_rl(&log_this_module, LEVEL, RL, __VA_ARGS__);                      \
	} while (0)

#define log_emer(...) log_at(LOG_LEVEL_EMER, __VA_ARGS__)
#define log_err(...) log_at(LOG_LEVEL_ERR, __VA_ARGS__)
#define log_warn(...) log_at(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...) log_at(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_dbg(...) log_at(LOG_LEVEL_DBG, __VA_ARGS__)
#define log_dbg_is_enabled() log_is_enabled(&log_this_module, LOG_LEVEL_DBG)

/* RL is a struct log_rate_limit *, usually static. */
#define log_err_rl(RL, ...) log_at_rl(RL, LOG_LEVEL_ERR, __VA_ARGS__)
#define log_warn_rl(RL, ...) log_at_rl(RL, LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info_rl(RL, ...) log_at_rl(RL, LOG_LEVEL_INFO, __VA_ARGS__)
#define log_dbg_rl(RL, ...) log_at_rl(RL, LOG_LEVEL_DBG, __VA_ARGS__)

/* Once in the life of the process. */
#define log_once_(LEVEL, ...)                                                                      \
	do {                                                                                       \
		static bool log_done_;                                                             \
		if (!log_done_) {                                                                  \
			log_done_ = true;                                                          \
			log_at(LEVEL, __VA_ARGS__);                                                \
		}                                                                                  \
	} while (0)
#define log_info_once(...) log_once_(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_warn_once(...) log_once_(LOG_LEVEL_WARN, __VA_ARGS__)

/* Configuration. */

const char *log_level_name(enum log_level level);                   /* "WARN" */

/* One word of -v, --verbose or vlog/set: "[module]:[destination]:[level]" in any order and with
 * parts left out, "ANY", "PATTERN:destination:pattern" or "FACILITY:facility". Returns NULL, or
 * an error text to free(), and then has changed nothing. */
char *log_set_from_string(const char *spec);

/* --verbose[=SPEC]: NULL means everything to every destination. Returns as
 * log_set_from_string(). */
char *log_set_verbosity(const char *spec);

/* MODULE NULL means all modules. Destinations: one of enum log_destination, or -1 for all. */
void log_set_levels(const char *module, int destination, enum log_level level);

/* Opens (creates) PATH for appending and logs to it; NULL: the log directory's PROGRAM.log. 0 or
 * negative errno. */
int log_set_file(const char *path);

/* Opens the log file again (after rotation); no file: 0. */
int log_reopen(void);

/* Stops writing to the file. */
void log_close_file(void);
const char *log_get_file(void);

/* --syslog-method: "libc", "null", "unix:PATH" or "udp:IP:PORT". Returns NULL or an error text to
 * free(). */
char *log_set_syslog_method(const char *method);

/* Text behind vlog/list, vlog/list-pattern, to free(). */
char *log_list_levels(void);
char *log_list_patterns(void);

/* MODULE (NULL or "ANY": all) ignores or honours rate limits. Returns NULL, or an error text to
 * free(). */
char *log_set_rate_limits(const char *module, bool honor);

/* What %t and %T say in the calling thread ("pmd3"; NULL: the main thread). NAME must stay. */
void log_set_thread_name(const char *name);

/* Registers vlog/set, vlog/list, ... (log_unixctl.c). */
void log_unixctl_init(void);
