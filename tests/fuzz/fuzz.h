/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A fuzz target: one function that takes any bytes, in the form of libFuzzer. It returns 0, and
 * aborts if something is wrong.
 *
 * tests/fuzz/replay_main.c runs it over the files of a corpus, in every test run. To search for
 * more: configure with CC=clang -Dfuzzer=true -Db_sanitize=address,undefined -Db_lundef=false and
 * start tests/fuzz/fuzz_NAME DIRECTORY.
 */

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
