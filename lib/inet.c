/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/inet.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "lib/util.h"

static int parse_port(const char *s, uint16_t *port)
{
	uint64_t value;
	int err = parse_u64(s, 0, UINT16_MAX, &value);

	if (!err)
		*port = (uint16_t)value;
	return err ? -EINVAL : 0;
}

/* Takes a host off *S: up to the matching bracket, or up to END. */
static int take_host(const char **s, const char *end, char host[INET_HOST_MAX])
{
	const char *start = *s;

	if (*start == '[') {
		end = strchr(++start, ']');
		if (!end)
			return -EINVAL;
		*s = end + 1;
	} else {
		*s = end;
	}
	if (end == start || end - start >= INET_HOST_MAX)
		return -EINVAL;
	str_copy(host, start, (size_t)(end - start) + 1);
	return 0;
}

int inet_parse_active(
	const char *s, uint16_t default_port, char host[INET_HOST_MAX], uint16_t *port)
{
	const char *colon = strchr(s, ':'), *end = s + strlen(s);
	uint16_t value = default_port;
	char name[INET_HOST_MAX];

	/* More than one colon without brackets is an IPv6 address alone. */
	if (colon && !strchr(colon + 1, ':'))
		end = colon;
	if (take_host(&s, end, name) || (*s && *s != ':'))
		return -EINVAL;
	if (*s == ':' && parse_port(s + 1, &value))
		return -EINVAL;
	if (!value)
		return -EINVAL;
	memcpy(host, name, sizeof(name));
	*port = value;
	return 0;
}

int inet_parse_passive(const char *s, uint16_t default_port, union inet_addr *addr)
{
	char digits[8] = "", host[INET_HOST_MAX] = "0.0.0.0";
	size_t n = strcspn(s, ":");
	uint16_t port = default_port;

	if (n >= sizeof(digits))
		return -EINVAL;
	str_copy(digits, s, n + 1);
	if (n && parse_port(digits, &port))
		return -EINVAL;
	s += n;
	if (*s == ':' && s[1]) {
		s++;
		if (take_host(&s, s + strlen(s), host) || *s)
			return -EINVAL;
	}
	return inet_from_host(host, port, addr);
}

int inet_from_host(const char *host, uint16_t port, union inet_addr *addr)
{
	union inet_addr result = {0};
	char plain[INET_HOST_MAX];
	char *scope;

	if (inet_pton(AF_INET, host, &result.in.sin_addr) == 1) {
		result.in.sin_family = AF_INET;
		result.in.sin_port = htons(port);
		*addr = result;
		return 0;
	}
	str_copy(plain, host, sizeof(plain));
	scope = strchr(plain, '%');
	if (scope) {
		*scope++ = '\0';
		result.in6.sin6_scope_id = if_nametoindex(scope);
		if (!result.in6.sin6_scope_id)
			return -EINVAL;
	}
	if (inet_pton(AF_INET6, plain, &result.in6.sin6_addr) != 1)
		return -EINVAL;
	result.in6.sin6_family = AF_INET6;
	result.in6.sin6_port = htons(port);
	*addr = result;
	return 0;
}

socklen_t inet_addr_len(const union inet_addr *addr)
{
	return addr->sa.sa_family == AF_INET6 ? sizeof(addr->in6) : sizeof(addr->in);
}

uint16_t inet_addr_port(const union inet_addr *addr)
{
	return ntohs(addr->sa.sa_family == AF_INET6 ? addr->in6.sin6_port : addr->in.sin_port);
}

void inet_format(const union inet_addr *addr, char text[INET_TEXT_MAX])
{
	char host[INET6_ADDRSTRLEN] = "?", scope[IF_NAMESIZE] = "";

	if (addr->sa.sa_family == AF_INET) {
		inet_ntop(AF_INET, &addr->in.sin_addr, host, sizeof(host));
		snprintf(text, INET_TEXT_MAX, "%s:%u", host, inet_addr_port(addr));
		return;
	}
	inet_ntop(AF_INET6, &addr->in6.sin6_addr, host, sizeof(host));
	if (addr->in6.sin6_scope_id)
		if_indextoname(addr->in6.sin6_scope_id, scope);
	snprintf(text, INET_TEXT_MAX, "[%s%s%s]:%u", host, *scope ? "%" : "", scope,
		inet_addr_port(addr));
}
