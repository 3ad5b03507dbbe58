/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/fatal.h"
#include "lib/log.h"
#include "ofproto/ofproto_private.h"
#include "ofproto/state/flow_mod.h"
#include "ofproto/state/snapshot.h"

LOG_MODULE(ofproto);

/* First line of the file; the number is the format's. */
#define HEADER "sluice-snapshot 1"

static int write_file(const char *file, const struct sbuf *s)
{
	char *tmp = xasprintf("%s.tmp", file);
	FILE *stream = fopen(tmp, "we");
	int error = 0;

	if (!stream) {
		error = -errno;
	} else {
		if (fwrite(s->data, 1, s->len, stream) != s->len || fflush(stream) ||
			fsync(fileno(stream)))
			error = errno ? -errno : -EIO;
		if (fclose(stream) && !error)
			error = -errno;
		if (!error && rename(tmp, file))
			error = -errno;
		if (error)
			unlink(tmp);
	}
	free(tmp);
	return error;
}

int ofproto_snapshot_save(const char *file)
{
	struct ofproto **all = ofproto_list();
	struct sbuf s = SBUF_INITIALIZER;
	int error;

	dp_sweep();
	sbuf_puts(&s, HEADER "\n");
	for (size_t i = 0; all[i]; i++) {
		sbuf_putf(&s, "bridge %s\n", all[i]->name);
		ofproto_use_tlv_map(all[i]);
		of_snapshot_put(&all[i]->state, &s);
	}
	ofproto_use_tlv_map(NULL);
	free(all);
	error = write_file(file, &s);
	sbuf_uninit(&s);
	return error;
}

/* What a bridge got when it was made goes: the snapshot says what was there. */
static struct ofproto *begin_bridge(const char *name)
{
	struct ofproto *ofproto = ofproto_from_name(name);

	if (ofproto)
		of_flush(&ofproto->state);
	ofproto_use_tlv_map(ofproto);
	return ofproto;
}

/* Lines that are refused are logged and left out: the rest is worth having. */
int ofproto_snapshot_load(const char *file)
{
	FILE *stream = fopen(file, "re");
	struct ofproto *ofproto = NULL;
	unsigned int n = 0;
	char *line = NULL, *error;
	size_t size = 0;
	ssize_t len;
	int retval = 0;

	if (!stream)
		return -errno;
	while (!retval && (len = getline(&line, &size, stream)) > 0) {
		if (line[len - 1] == '\n')
			line[len - 1] = '\0';
		if (!n++) {
			retval = strcmp(line, HEADER) ? -EINVAL : 0;
		} else if (str_starts_with(line, "bridge ")) {
			ofproto = begin_bridge(line + strlen("bridge "));
		} else if (ofproto && of_snapshot_take(&ofproto->state, line, &error)) {
			log_warn("%s:%u: %s", file, n, error);
			free(error);
		}
	}
	if (!n)
		retval = -EINVAL;
	ofproto_use_tlv_map(NULL);
	free(line);
	fclose(stream);
	return retval;
}
