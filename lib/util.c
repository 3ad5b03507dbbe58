/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/util.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

static char program[64] = "sluice";

/* Digits only, up to the end of S. */
static int parse_digits(const char *s, uint64_t *value)
{
	unsigned int base = 10;
	uint64_t v = 0;

	if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X')) {
		base = 16;
		s += 2;
	}
	if (!*s)
		return -EINVAL;
	for (; *s; s++) {
		int digit = hex_digit(*s);

		if (digit < 0 || (unsigned int)digit >= base)
			return -EINVAL;
		if (__builtin_mul_overflow(v, base, &v) ||
			__builtin_add_overflow(v, (unsigned int)digit, &v)) {
			/* Only a number that is well-formed to its end is out of range. */
			while (*++s)
				if (hex_digit(*s) < 0 || (unsigned int)hex_digit(*s) >= base)
					return -EINVAL;
			return -ERANGE;
		}
	}
	*value = v;
	return 0;
}

int parse_u64(const char *s, uint64_t min, uint64_t max, uint64_t *value)
{
	uint64_t v;
	int err = parse_digits(s, &v);

	if (err)
		return err;
	if (v < min || v > max)
		return -ERANGE;
	*value = v;
	return 0;
}

int parse_i64(const char *s, int64_t min, int64_t max, int64_t *value)
{
	bool negative = *s == '-';
	int64_t v;
	uint64_t u;
	int err;

	if (*s == '-' || *s == '+')
		s++;
	err = parse_digits(s, &u);
	if (err)
		return err;
	if (u > (uint64_t)INT64_MAX + negative)
		return -ERANGE;
	v = negative ? (int64_t)(0 - u) : (int64_t)u;
	if (v < min || v > max)
		return -ERANGE;
	*value = v;
	return 0;
}

int parse_int(const char *s, int min, int max, int *value)
{
	int64_t v;
	int err = parse_i64(s, min, max, &v);

	if (!err)
		*value = (int)v;
	return err;
}

int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int parse_mac(const char *s, uint8_t mac[6])
{
	uint8_t bytes[6];

	for (int i = 0; i < 6; i++) {
		int digit = hex_digit(*s);

		if (digit < 0)
			return -EINVAL;
		bytes[i] = (uint8_t)digit;
		digit = hex_digit(*++s);
		if (digit >= 0) {
			bytes[i] = (uint8_t)(bytes[i] << 4 | digit);
			s++;
		}
		if (*s != (i < 5 ? ':' : '\0'))
			return -EINVAL;
		s++;
	}
	memcpy(mac, bytes, sizeof(bytes));
	return 0;
}

int parse_hex_bytes(const char *s, uint8_t *bytes, size_t n)
{
	if (strlen(s) != 2 * n)
		return -EINVAL;
	for (size_t i = 0; i < 2 * n; i++)
		if (hex_digit(s[i]) < 0)
			return -EINVAL;
	for (size_t i = 0; i < n; i++)
		bytes[i] = (uint8_t)(hex_digit(s[2 * i]) << 4 | hex_digit(s[2 * i + 1]));
	return 0;
}

bool str_starts_with(const char *s, const char *prefix)
{
	return !strncmp(s, prefix, strlen(prefix));
}

void str_copy(char *dst, const char *src, size_t size)
{
	size_t len = strnlen(src, size - 1);

	memcpy(dst, src, len);
	dst[len] = '\0';
}

void program_name_set(const char *argv0)
{
	const char *slash = strrchr(argv0, '/');

	str_copy(program, slash ? slash + 1 : argv0, sizeof(program));
}

const char *program_name(void)
{
	return program;
}
