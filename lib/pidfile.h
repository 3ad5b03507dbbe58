/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Pidfiles: a line with a process id, in a file that this process holds a lock on for as long as it
 * lives. Main thread only, pidfile_read() any.
 */

#include <stdbool.h>
#include <sys/types.h>

/* Creates PATH for this process and removes it at exit. -EEXIST if another process holds it (unless
 * OVERWRITE), or a negative errno of the file system. */
int pidfile_create(const char *path, bool overwrite);

/* Pid of the process that holds PATH. -ENOENT: no file, -ESRCH: nobody holds it, -EINVAL: no pid
 * in it. */
pid_t pidfile_read(const char *path);
