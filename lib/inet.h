/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Internet addresses in text: "HOST:PORT", "HOST", "[V6]:PORT", and for listening "PORT",
 * "PORT:BIND", "". Pure, any thread.
 */

#include <netinet/in.h>
#include <stdint.h>
#include <sys/socket.h>

#define INET_HOST_MAX 256
#define INET_TEXT_MAX 80 /* of a formatted address */

union inet_addr {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct sockaddr_storage storage;
};

/* Splits "HOST[:PORT]". HOST comes without brackets. -EINVAL if malformed, or without a port if
 * DEFAULT_PORT is 0. */
int inet_parse_active(
	const char *s, uint16_t default_port, char host[INET_HOST_MAX], uint16_t *port);

/* Parses "[PORT][:BIND]"; without BIND, all IPv4 addresses of the host. PORT 0 lets the kernel
 * choose. -EINVAL if malformed. */
int inet_parse_passive(const char *s, uint16_t default_port, union inet_addr *addr);

/* A numeric address ("%SCOPE" after a link-local one), else -EINVAL. */
int inet_from_host(const char *host, uint16_t port, union inet_addr *addr);

socklen_t inet_addr_len(const union inet_addr *addr);
uint16_t inet_addr_port(const union inet_addr *addr);

/* "1.2.3.4:80", "[::1]:80" */
void inet_format(const union inet_addr *addr, char text[INET_TEXT_MAX]);
