/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A socket filter that lets only packets of tunnels through: untagged, for this host's MAC, GRE or UDP to
 * one of the ports tunnels listen at, and fragments, of which nobody knows yet. The kernel runs it before
 * anything is copied. Worker.
 */

#include <stdbool.h>

/* UDP_PORTS: decimal numbers, apart by spaces. 0 or -errno. */
int port_filter_attach(int fd, const char *udp_ports, bool gre);
