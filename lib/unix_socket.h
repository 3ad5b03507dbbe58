/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Unix stream sockets at paths of any length. The descriptors are nonblocking and close on exec.
 * Any thread.
 */

#include <stdbool.h>

/* 0 or negative errno; -EAGAIN: the server's backlog is full, try again later. */
int unix_socket_connect(const char *path, int *fdp);

/* Listens at PATH with permissions for the owner only. A socket there that nobody listens on is
 * replaced; anything else gives -EADDRINUSE. */
int unix_socket_listen(const char *path, int backlog, int *fdp);
