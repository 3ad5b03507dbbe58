/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/log_syslog.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include "lib/fatal.h"

static enum {
	SYSLOG_LIBC,
	SYSLOG_NULL,
	SYSLOG_SOCKET
} method_now = SYSLOG_LIBC;
static int fd = -1;
static struct sockaddr_storage target;
static socklen_t target_len;

static int parse_unix(const char *path, struct sockaddr_storage *addr, socklen_t *len)
{
	struct sockaddr_un *un = (struct sockaddr_un *)addr;

	if (!*path || strlen(path) >= sizeof(un->sun_path))
		return -EINVAL;
	un->sun_family = AF_UNIX;
	str_copy(un->sun_path, path, sizeof(un->sun_path));
	*len = sizeof(*un);
	return 0;
}

static int parse_udp(const char *s, struct sockaddr_storage *addr, socklen_t *len)
{
	struct sockaddr_in *in = (struct sockaddr_in *)addr;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)addr;
	const char *colon = strrchr(s, ':');
	char host[64];
	int port;

	if (!colon || parse_int(colon + 1, 1, 65535, &port) || colon - s >= (int)sizeof(host))
		return -EINVAL;
	if (*s == '[' && colon[-1] == ']')
		str_copy(host, s + 1, (size_t)(colon - s - 1));
	else
		str_copy(host, s, (size_t)(colon - s + 1));
	if (inet_pton(AF_INET, host, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		in->sin_port = htons((uint16_t)port);
		*len = sizeof(*in);
	} else if (inet_pton(AF_INET6, host, &in6->sin6_addr) == 1) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons((uint16_t)port);
		*len = sizeof(*in6);
	} else {
		return -EINVAL;
	}
	return 0;
}

static char *set_socket(const char *method)
{
	struct sockaddr_storage addr = {0};
	socklen_t len = 0;
	int err, new_fd;

	if (str_starts_with(method, "unix:"))
		err = parse_unix(method + 5, &addr, &len);
	else
		err = parse_udp(method + 4, &addr, &len);
	if (err)
		return xasprintf("malformed syslog method '%s'", method);
	new_fd = socket(addr.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (new_fd < 0)
		return xasprintf("syslog method '%s': %s", method, strerror(errno));
	if (fd >= 0)
		close(fd);
	fd = new_fd;
	target = addr;
	target_len = len;
	method_now = SYSLOG_SOCKET;
	return NULL;
}

char *log_syslog_set_method(const char *method)
{
	if (!strcmp(method, "libc"))
		method_now = SYSLOG_LIBC;
	else if (!strcmp(method, "null"))
		method_now = SYSLOG_NULL;
	else if (str_starts_with(method, "unix:") || str_starts_with(method, "udp:"))
		return set_socket(method);
	else
		return xasprintf("unsupported syslog method '%s'", method);
	return NULL;
}

const char *log_syslog_prefix(void)
{
	switch (method_now) {
	case SYSLOG_LIBC:
		return "<%B> %D{%h %e %T} %E %A:";
	case SYSLOG_SOCKET:
		return "<%B>";
	default:
		return "";
	}
}

void log_syslog_send(int priority, const char *prefix, const char *line)
{
	static bool opened;
	char *text;

	switch (method_now) {
	case SYSLOG_LIBC:
		/* The C library writes a prefix of its own. */
		if (!opened) {
			openlog(program_name(), LOG_NDELAY, LOG_DAEMON);
			opened = true;
		}
		syslog(priority, "%s", line);
		break;
	case SYSLOG_SOCKET:
		text = xasprintf("%s%s", prefix, line);
		sendto(fd, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)&target,
			target_len);
		free(text);
		break;
	default:
		break;
	}
}
