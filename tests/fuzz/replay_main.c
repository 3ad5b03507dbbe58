/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Runs a fuzz target over files: each argument is a file, or a directory whose files are taken.
 * Every input also goes in cut short and with single bits turned, so that a small corpus reaches a
 * little further. Exit status 0 if nothing aborted.
 */

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/fuzz/fuzz.h"

#define MAX_INPUT_BYTES (1 << 20)
#define N_BIT_TURNS 64

static unsigned int n_inputs;

/* In a block of its size, to catch reads beyond it. */
static void run(const uint8_t *data, size_t n)
{
	uint8_t *copy = malloc(n ? n : 1);

	if (!copy)
		abort();
	if (n)
		memcpy(copy, data, n);
	LLVMFuzzerTestOneInput(copy, n);
	n_inputs++;
	free(copy);
}

static void run_variants(uint8_t *data, size_t n)
{
	size_t step = n / 128 + 1, bits = n * 8;

	run(data, n);
	for (size_t len = 0; len < n; len += step)
		run(data, len);
	for (size_t i = 0; bits && i < N_BIT_TURNS; i++) {
		/* Spread over the input, the same ones every time. */
		size_t bit = i * 7919 % bits;

		data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		run(data, n);
		data[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}

static int run_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t *data;
	size_t n;

	if (!f) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return 1;
	}
	data = malloc(MAX_INPUT_BYTES);
	if (!data)
		abort();
	n = fread(data, 1, MAX_INPUT_BYTES, f);
	fclose(f);
	run_variants(data, n);
	free(data);
	return 0;
}

static int run_path(const char *path)
{
	struct dirent *e;
	struct stat st;
	int failed = 0;
	DIR *dir;

	if (stat(path, &st)) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return 1;
	}
	if (!S_ISDIR(st.st_mode))
		return run_file(path);
	dir = opendir(path);
	if (!dir) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return 1;
	}
	while ((e = readdir(dir)) != NULL) {
		char file[4096];

		if (e->d_name[0] == '.')
			continue;
		snprintf(file, sizeof file, "%s/%s", path, e->d_name);
		failed |= run_file(file);
	}
	closedir(dir);
	return failed;
}

int main(int argc, char *argv[])
{
	int failed = 0;

	for (int i = 1; i < argc; i++)
		failed |= run_path(argv[i]);
	if (!n_inputs) {
		fprintf(stderr, "%s: no input\n", argv[0]);
		return 1;
	}
	printf("%u inputs\n", n_inputs);
	return failed;
}
