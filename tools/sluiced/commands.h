/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Control-socket commands that belong to no room: exit, dpif/..., dpctl/..., dpif-netdev/..., ovs/route/...,
 * tnl/..., memory/show, revalidator/..., sluice/.... Texts are those of Open vSwitch 3.1 where it has the
 * command.
 */

#include <stdbool.h>

void commands_init(void (*on_exit)(bool cleanup));
/* exit --cleanup: bridges go for good. */
void commands_note_exit(bool cleanup);
bool commands_exit_cleans_up(void);
