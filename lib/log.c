/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/dirs.h"
#include "lib/fatal.h"
#include "lib/log_format.h"
#include "lib/log_syslog.h"

LOG_MODULE(vlog);

/* Under the mutex: all of what follows, and the contents of all modules and rate limits. A module's
 * max_level is also read without it, where an old value does no harm. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct list modules = LIST_INITIALIZER(&modules);
static unsigned int n_messages;
static char *file_name;
static int file_fd = -1;
static int facility = LOG_DAEMON;
static int64_t start_ms;
static __thread const char *thread_name;

static const char *const level_names[LOG_N_LEVELS] = {"OFF", "EMER", "ERR", "WARN", "INFO", "DBG"};
static const int syslog_levels[LOG_N_LEVELS] = {
	LOG_ALERT, LOG_ALERT, LOG_ERR, LOG_WARNING, LOG_NOTICE, LOG_DEBUG};

static struct {
	const char *name;
	const char *pattern;
	char *own_pattern; /* replaces it, if not NULL */
} destinations[LOG_N_DESTINATIONS] = {
	[LOG_TO_SYSLOG] = {"SYSLOG", "ovs|%05N|%c%T|%p|%m"},
	[LOG_TO_CONSOLE] = {"CONSOLE", "%D{%Y-%m-%dT%H:%M:%SZ}|%05N|%c%T|%p|%m"},
	[LOG_TO_FILE] = {"FILE", "%D{%Y-%m-%dT%H:%M:%S.###Z}|%05N|%c%T|%p|%m"},
};

const char *log_level_name(enum log_level level)
{
	return level_names[level];
}

void log_set_thread_name(const char *name)
{
	thread_name = name;
}

static const char *pattern_of(int destination)
{
	return destinations[destination].own_pattern ? destinations[destination].own_pattern
						     : destinations[destination].pattern;
}

static void update_max_level(struct log_module *module)
{
	module->max_level = MAX(module->levels[LOG_TO_CONSOLE], module->levels[LOG_TO_SYSLOG]);
	if (file_fd >= 0)
		module->max_level = MAX(module->max_level, module->levels[LOG_TO_FILE]);
}

void log_module_register(struct log_module *module)
{
	struct log_module *other;

	pthread_mutex_lock(&mutex);
	if (!start_ms)
		start_ms = clock_ms();
	for (int d = 0; d < LOG_N_DESTINATIONS; d++)
		module->levels[d] = LOG_LEVEL_INFO;
	module->honor_rate_limits = true;
	LIST_FOR_EACH (other, node, &modules)
		if (!strcasecmp(other->name, module->name))
			memcpy(module->levels, other->levels, sizeof(module->levels));
	update_max_level(module);
	list_push_back(&modules, &module->node);
	pthread_mutex_unlock(&mutex);
}

/* Writing. */

static void write_all(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break; /* a full disk must not stop the switch */
		text += n;
		len -= (size_t)n;
	}
}

static void write_line(int fd, int destination, const struct log_record *record)
{
	struct sbuf sb = SBUF_INITIALIZER;

	log_format(&sb, pattern_of(destination), record);
	sbuf_putc(&sb, '\n');
	write_all(fd, sb.data, sb.len);
	sbuf_uninit(&sb);
}

static void write_syslog(const struct log_record *record)
{
	struct sbuf prefix = SBUF_INITIALIZER, sb = SBUF_INITIALIZER;
	char *save = NULL;

	log_format(&prefix, log_syslog_prefix(), record);
	log_format(&sb, pattern_of(LOG_TO_SYSLOG), record);
	for (char *line = strtok_r(sbuf_cstr(&sb), "\n", &save); line;
		line = strtok_r(NULL, "\n", &save))
		log_syslog_send(record->priority, sbuf_cstr(&prefix), line);
	sbuf_uninit(&prefix);
	sbuf_uninit(&sb);
}

void log_msgv(struct log_module *module, enum log_level level, const char *format, va_list args)
{
	int saved_errno = errno;
	struct sbuf message = SBUF_INITIALIZER;

	sbuf_putv(&message, format, args);
	while (message.len && message.data[message.len - 1] == '\n')
		message.len--;

	pthread_mutex_lock(&mutex);
	struct log_record record = {
		.module = module->name,
		.level = level,
		.number = ++n_messages,
		.priority = facility | syslog_levels[level],
		.wall_ms = clock_wall_ms(),
		.uptime_ms = clock_ms() - start_ms,
		.thread = thread_name,
		.message = sbuf_cstr(&message),
	};
	if (module->levels[LOG_TO_CONSOLE] >= (int)level)
		write_line(STDERR_FILENO, LOG_TO_CONSOLE, &record);
	if (module->levels[LOG_TO_SYSLOG] >= (int)level)
		write_syslog(&record);
	if (module->levels[LOG_TO_FILE] >= (int)level && file_fd >= 0)
		write_line(file_fd, LOG_TO_FILE, &record);
	pthread_mutex_unlock(&mutex);

	sbuf_uninit(&message);
	errno = saved_errno;
}

void log_msg(struct log_module *module, enum log_level level, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_msgv(module, level, format, args);
	va_end(args);
}

/* Rate limits. */

static bool take_token(struct log_rate_limit *rl, int64_t now)
{
	uint64_t full = (uint64_t)rl->burst * 60000;
	uint64_t tokens = rl->tokens;

	if (!rl->last_fill_ms)
		tokens = full;
	else if (now > rl->last_fill_ms)
		tokens += MIN((uint64_t)(now - rl->last_fill_ms), UINT64_C(86400000)) * rl->rate;
	rl->last_fill_ms = now ? now : 1;
	tokens = MIN(tokens, MIN(full, (uint64_t)UINT32_MAX));
	if (tokens < 60000) {
		rl->tokens = (unsigned int)tokens;
		return false;
	}
	rl->tokens = (unsigned int)(tokens - 60000);
	return true;
}

bool log_should_drop(struct log_module *module, enum log_level level, struct log_rate_limit *rl)
{
	unsigned int n_dropped = 0, first = 0, last = 0;
	int64_t now = clock_ms();
	bool drop;

	if (!log_is_enabled(module, level))
		return true;
	if (!module->honor_rate_limits)
		return false;

	pthread_mutex_lock(&mutex);
	drop = !take_token(rl, now);
	if (drop) {
		if (!rl->n_dropped++)
			rl->first_dropped_ms = now;
		rl->last_dropped_ms = now;
	} else if (rl->n_dropped) {
		n_dropped = rl->n_dropped;
		first = (unsigned int)((now - rl->first_dropped_ms) / 1000);
		last = (unsigned int)((now - rl->last_dropped_ms) / 1000);
		rl->n_dropped = 0;
	}
	pthread_mutex_unlock(&mutex);
	if (n_dropped)
		log_msg(module, level,
			"Dropped %u log messages in last %u seconds (most recently, %u seconds ago)"
			" due to excessive rate",
			n_dropped, first, last);
	return drop;
}

void log_msg_rl(struct log_module *module, enum log_level level, struct log_rate_limit *rl,
	const char *format, ...)
{
	va_list args;

	if (log_should_drop(module, level, rl))
		return;
	va_start(args, format);
	log_msgv(module, level, format, args);
	va_end(args);
}

char *log_set_rate_limits(const char *name, bool honor)
{
	bool all = !name || !strcasecmp(name, "ANY"), found = all;
	struct log_module *module;

	pthread_mutex_lock(&mutex);
	LIST_FOR_EACH (module, node, &modules)
		if (all || !strcasecmp(module->name, name)) {
			module->honor_rate_limits = honor;
			found = true;
		}
	pthread_mutex_unlock(&mutex);
	return found ? NULL : xstrdup("unknown module");
}

/* The file. */

static void update_all(void)
{
	struct log_module *module;

	LIST_FOR_EACH (module, node, &modules)
		update_max_level(module);
}

static bool is_same_file(int a, int b)
{
	struct stat sa, sb;

	return a >= 0 && !fstat(a, &sa) && !fstat(b, &sb) && sa.st_dev == sb.st_dev &&
	       sa.st_ino == sb.st_ino;
}

int log_set_file(const char *path)
{
	char *name = path ? xstrdup(path) : xasprintf("%s/%s.log", dirs_log(), program_name());
	int fd = open(name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0660);

	if (fd < 0) {
		int err = -errno;

		log_warn("failed to open %s for logging: %s", name, strerror(-err));
		free(name);
		return err;
	}
	if (is_same_file(file_fd, fd)) {
		close(fd);
		free(name);
		return 0;
	}
	if (file_fd >= 0)
		log_info("closing log file");

	pthread_mutex_lock(&mutex);
	if (file_fd >= 0)
		close(file_fd);
	free(file_name);
	file_fd = fd;
	file_name = name;
	update_all();
	pthread_mutex_unlock(&mutex);
	log_info("opened log file %s", name);
	return 0;
}

int log_reopen(void)
{
	char *name;
	int err;

	if (!file_name)
		return 0;
	name = xstrdup(file_name);
	err = log_set_file(name);
	free(name);
	return err;
}

void log_close_file(void)
{
	pthread_mutex_lock(&mutex);
	if (file_fd >= 0)
		close(file_fd);
	file_fd = -1;
	update_all();
	pthread_mutex_unlock(&mutex);
}

const char *log_get_file(void)
{
	return file_name;
}

/* Levels and patterns. */

static bool module_exists(const char *name)
{
	struct log_module *module;
	bool found = false;

	pthread_mutex_lock(&mutex);
	LIST_FOR_EACH (module, node, &modules)
		found |= !strcasecmp(module->name, name);
	pthread_mutex_unlock(&mutex);
	return found;
}

void log_set_levels(const char *name, int destination, enum log_level level)
{
	struct log_module *module;

	pthread_mutex_lock(&mutex);
	LIST_FOR_EACH (module, node, &modules) {
		if (name && strcasecmp(module->name, name))
			continue;
		for (int d = 0; d < LOG_N_DESTINATIONS; d++)
			if (destination < 0 || destination == d)
				module->levels[d] = (int)level;
		update_max_level(module);
	}
	pthread_mutex_unlock(&mutex);
}

static int find_level(const char *word)
{
	for (int i = 0; i < LOG_N_LEVELS; i++)
		if (!strcasecmp(level_names[i], word))
			return i;
	return -1;
}

static int find_destination(const char *word)
{
	for (int i = 0; i < LOG_N_DESTINATIONS; i++)
		if (!strcasecmp(destinations[i].name, word))
			return i;
	return -1;
}

static char *set_pattern(const char *word, const char *pattern)
{
	int destination;

	if (!word)
		return xstrdup("missing destination");
	destination = find_destination(word);
	if (destination < 0 && strcasecmp(word, "ANY"))
		return xasprintf("unknown destination \"%s\"", word);
	pthread_mutex_lock(&mutex);
	for (int d = 0; d < LOG_N_DESTINATIONS; d++)
		if (destination < 0 || destination == d) {
			free(destinations[d].own_pattern);
			destinations[d].own_pattern = xstrdup(pattern);
		}
	pthread_mutex_unlock(&mutex);
	return NULL;
}

static char *set_facility(const char *name)
{
	/* In the order of RFC 5424's numbers. */
	static const char *const names[] = {"kern", "user", "mail", "daemon", "auth", "syslog",
		"lpr", "news", "uucp", "clock", NULL, "ftp", "ntp", "audit", "alert", "clock2",
		"local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i] && !strcasecmp(names[i], name)) {
			pthread_mutex_lock(&mutex);
			facility = (int)i << 3;
			pthread_mutex_unlock(&mutex);
			return NULL;
		}
	return xstrdup("invalid facility");
}

#define SEPARATORS " ,:\t"

/* WORD and the words behind SAVE: a module, a destination and a level at most. */
static char *set_levels(char *word, char **save)
{
	const char *module = NULL;
	int level = -1, destination = -1;

	for (; word; word = strtok_r(NULL, SEPARATORS, save)) {
		if (!strcasecmp(word, "ANY"))
			continue;
		if (find_destination(word) >= 0) {
			if (destination >= 0)
				return xstrdup("cannot specify multiple destinations");
			destination = find_destination(word);
		} else if (find_level(word) >= 0) {
			if (level >= 0)
				return xstrdup("cannot specify multiple levels");
			level = find_level(word);
		} else if (module_exists(word)) {
			if (module)
				return xstrdup("cannot specify multiple modules");
			module = word;
		} else {
			return xasprintf("no destination, level, or module \"%s\"", word);
		}
	}
	log_set_levels(module, destination, level < 0 ? LOG_LEVEL_DBG : (enum log_level)level);
	return NULL;
}

char *log_set_from_string(const char *spec)
{
	char *copy = xstrdup(spec), *save = NULL, *error;
	char *word = strtok_r(copy, SEPARATORS, &save);

	if (word && !strcasecmp(word, "PATTERN")) {
		word = strtok_r(NULL, SEPARATORS, &save);
		error = set_pattern(word, save);
	} else if (word && !strcasecmp(word, "FACILITY")) {
		error = set_facility(save);
	} else {
		error = set_levels(word, &save);
	}
	free(copy);
	return error;
}

char *log_set_verbosity(const char *spec)
{
	if (spec)
		return log_set_from_string(spec);
	log_set_levels(NULL, -1, LOG_LEVEL_DBG);
	return NULL;
}

char *log_set_syslog_method(const char *method)
{
	char *error;

	pthread_mutex_lock(&mutex);
	error = log_syslog_set_method(method);
	pthread_mutex_unlock(&mutex);
	return error;
}

/* Texts. */

static int compare_modules(const void *a, const void *b)
{
	const struct log_module *const *ma = a, *const *mb = b;

	return strcmp((*ma)->name, (*mb)->name);
}

char *log_list_levels(void)
{
	struct sbuf sb = SBUF_INITIALIZER;
	struct log_module *module;
	const struct log_module **sorted;
	size_t n = 0;

	sbuf_puts(&sb, "                 console    syslog    file\n"
		       "                 -------    ------    ------\n");
	pthread_mutex_lock(&mutex);
	sorted = xcalloc(list_size(&modules), sizeof(struct log_module *));
	LIST_FOR_EACH (module, node, &modules)
		sorted[n++] = module;
	qsort(sorted, n, sizeof(struct log_module *), compare_modules);
	for (size_t i = 0; i < n; i++) {
		if (i && !strcmp(sorted[i]->name, sorted[i - 1]->name))
			continue;
		sbuf_putf(&sb, "%-16s  %4s       %4s       %4s%s\n", sorted[i]->name,
			level_names[sorted[i]->levels[LOG_TO_CONSOLE]],
			level_names[sorted[i]->levels[LOG_TO_SYSLOG]],
			level_names[sorted[i]->levels[LOG_TO_FILE]],
			sorted[i]->honor_rate_limits ? "" : "    (rate limiting disabled)");
	}
	pthread_mutex_unlock(&mutex);
	free(sorted);
	return sbuf_steal(&sb);
}

char *log_list_patterns(void)
{
	struct sbuf sb = SBUF_INITIALIZER;

	sbuf_puts(&sb, "         prefix                            format\n"
		       "         ------                            ------\n");
	pthread_mutex_lock(&mutex);
	for (int d = 0; d < LOG_N_DESTINATIONS; d++)
		sbuf_putf(&sb, "%-7s  %-32s  %s\n", destinations[d].name,
			d == LOG_TO_SYSLOG ? log_syslog_prefix() : "none", pattern_of(d));
	pthread_mutex_unlock(&mutex);
	return sbuf_steal(&sb);
}
