/* SPDX-License-Identifier: Apache-2.0 */
#include "tunnel/tnl_guard.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/filter.h>

#include "lib/log.h"

LOG_MODULE(tunnel);

/* Takes nothing. */
static int attach_filter(int fd)
{
	struct sock_filter none = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog program = {.len = 1, .filter = &none};

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

static int bind_udp(int fd, int family, be16 port)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = port};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = port};
	int one = 1;

	if (family == AF_INET)
		return bind(fd, (struct sockaddr *)&v4, sizeof v4);
	if (setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one))
		return -1;
	return bind(fd, (struct sockaddr *)&v6, sizeof v6);
}

static int open_one(int family, be16 port)
{
	int fd = port ? socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0)
		      : socket(family, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_GRE);

	if (fd < 0)
		return -1;
	if (!attach_filter(fd) && (!port || !bind_udp(fd, family, port)))
		return fd;
	log_info("the host may answer for tunnels on %s port %u: %s",
		family == AF_INET ? "IPv4" : "IPv6", be16toh(port), strerror(errno));
	close(fd);
	return -1;
}

void tnl_guard_open(struct tnl_guard *guard, be16 dst_port)
{
	guard->fds[0] = open_one(AF_INET, dst_port);
	guard->fds[1] = open_one(AF_INET6, dst_port);
}

void tnl_guard_close(struct tnl_guard *guard)
{
	for (int i = 0; i < 2; i++)
		if (guard->fds[i] >= 0)
			close(guard->fds[i]);
}
