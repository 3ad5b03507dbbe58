/* SPDX-License-Identifier: Apache-2.0 */
#include "ofproto/state/loader.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/fatal.h"
#include "lib/log.h"
#include "ofproto/state/saved_flow.h"
#include "ofproto/state/snapshot.h"
#include "ofproto/state/tlv_map.h"

LOG_MODULE(ofproto);

#define HEADER "sluice-snapshot 2"
#define CHUNK_BYTES (256 * 1024)

/* Of one bridge. */
struct saved {
	struct shash ports;		/* Name -> number. */
	VEC(char *) lines;
	struct field_tlv_map *tlvs;	/* NULL: none. */
	VEC(struct sbuf) chunks;	/* Of struct saved_flow. */
	bool complete;			/* No more chunks will come. */
};

struct of_loader {
	FILE *stream;
	char *file;
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t cond;

	/* Under the mutex. */
	bool head_done;			/* Everything but flows is there. */
	bool done;
	struct shash bridges;		/* Id -> struct saved. */
	VEC(char *) rest;

	/* The thread's. */
	struct saved *current;
	struct sbuf chunk;
	unsigned int line_number;
};

static bool read_line(FILE *stream, char **line, size_t *size)
{
	ssize_t len = getline(line, size, stream);

	if (len <= 0)
		return false;
	if ((*line)[len - 1] == '\n')
		(*line)[len - 1] = '\0';
	return true;
}

/* ------------------------------------------------------------------ the thread */

static void publish(struct of_loader *loader, bool *what)
{
	pthread_mutex_lock(&loader->mutex);
	*what = true;
	pthread_cond_broadcast(&loader->cond);
	pthread_mutex_unlock(&loader->mutex);
}

static void publish_chunk(struct of_loader *loader, bool last)
{
	struct saved *saved = loader->current;

	if (!saved)
		return;
	pthread_mutex_lock(&loader->mutex);
	if (loader->chunk.len)
		vec_push(&saved->chunks, loader->chunk);
	saved->complete = last;
	pthread_cond_broadcast(&loader->cond);
	pthread_mutex_unlock(&loader->mutex);
	sbuf_init(&loader->chunk);
}

static void begin_bridge(struct of_loader *loader, char *args)
{
	char *end = strchr(args, ' ');

	if (end)
		*end = '\0';
	loader->current = xcalloc(1, sizeof *loader->current);
	shash_init(&loader->current->ports);
	if (!shash_add_once(&loader->bridges, args, loader->current)) {
		free(loader->current);
		loader->current = NULL;
	}
}

static void take_port(struct saved *saved, const char *args)
{
	const char *name = strchr(args, ' ');

	if (name)
		shash_put(&saved->ports, name + 1, (void *)(uintptr_t)strtoul(args, NULL, 10));
}

/* The flows' options must be known before they are parsed. */
static void take_tlv(struct saved *saved, const char *args)
{
	int class, type, len, index;

	if (sscanf(args, "%i %i %i %i", &class, &type, &len, &index) != 4)
		return;
	if (!saved->tlvs)
		saved->tlvs = xcalloc(1, sizeof *saved->tlvs);
	of_tlv_add(saved->tlvs, (uint16_t)class, (uint8_t)type, (uint8_t)len, (uint16_t)index);
}

static void take_head_line(struct of_loader *loader, char *line)
{
	if (str_starts_with(line, "bridge ")) {
		begin_bridge(loader, line + strlen("bridge "));
	} else if (str_starts_with(line, "neigh ")) {
		vec_push(&loader->rest, xstrdup(line));
	} else if (loader->current && str_starts_with(line, "port ")) {
		take_port(loader->current, line + strlen("port "));
	} else if (loader->current) {
		if (str_starts_with(line, "tlv "))
			take_tlv(loader->current, line + strlen("tlv "));
		vec_push(&loader->current->lines, xstrdup(line));
	}
}

static void begin_flows(struct of_loader *loader, const char *id)
{
	if (!loader->head_done)
		publish(loader, &loader->head_done);
	else
		publish_chunk(loader, true);
	loader->current = shash_get(&loader->bridges, id);
	field_tlv_use(loader->current ? loader->current->tlvs : NULL);
}

static void take_flow_line(struct of_loader *loader, const char *line)
{
	char *error;

	if (!loader->current || !str_starts_with(line, "flow "))
		return;
	if (saved_flow_parse(line + strlen("flow "), &loader->chunk, &error)) {
		log_warn("%s:%u: %s", loader->file, loader->line_number, error);
		free(error);
	}
	if (loader->chunk.len >= CHUNK_BYTES)
		publish_chunk(loader, false);
}

static void *loader_main(void *aux)
{
	struct of_loader *loader = aux;
	bool flows = false;
	char *line = NULL;
	size_t size = 0;

	log_set_thread_name("loader");
	while (read_line(loader->stream, &line, &size)) {
		loader->line_number++;
		if (str_starts_with(line, "flows ")) {
			flows = true;
			begin_flows(loader, line + strlen("flows "));
		} else if (flows) {
			take_flow_line(loader, line);
		} else {
			take_head_line(loader, line);
		}
	}
	if (flows)
		publish_chunk(loader, true);
	publish(loader, &loader->head_done);
	publish(loader, &loader->done);
	free(line);
	return NULL;
}

/* ------------------------------------------------------------------ control's */

static bool header_fits(FILE *stream, const char *boot)
{
	char *wanted = xasprintf("boot %s", boot), *line = NULL;
	size_t size = 0;
	bool fits = read_line(stream, &line, &size) && !strcmp(line, HEADER) &&
		read_line(stream, &line, &size) && !strcmp(line, wanted);

	free(line);
	free(wanted);
	return fits;
}

struct of_loader *of_loader_create(const char *file, const char *boot)
{
	FILE *stream = fopen(file, "re");
	struct of_loader *loader;

	if (!stream)
		return NULL;
	setvbuf(stream, NULL, _IOFBF, 1 << 20);
	if (!header_fits(stream, boot)) {
		fclose(stream);
		return NULL;
	}
	loader = xcalloc(1, sizeof *loader);
	loader->stream = stream;
	loader->file = xstrdup(file);
	loader->line_number = 2;
	shash_init(&loader->bridges);
	pthread_mutex_init(&loader->mutex, NULL);
	pthread_cond_init(&loader->cond, NULL);
	if (pthread_create(&loader->thread, NULL, loader_main, loader))
		fatal("can't start a thread");
	return loader;
}

static void saved_destroy(struct saved *saved)
{
	for (size_t i = 0; i < saved->lines.n; i++)
		free(saved->lines.items[i]);
	vec_uninit(&saved->lines);
	for (size_t i = 0; i < saved->chunks.n; i++)
		sbuf_uninit(&saved->chunks.items[i]);
	vec_uninit(&saved->chunks);
	shash_uninit(&saved->ports);
	free(saved->tlvs);
	free(saved);
}

void of_loader_destroy(struct of_loader *loader)
{
	struct shash_node *node;

	if (!loader)
		return;
	pthread_join(loader->thread, NULL);
	SHASH_FOR_EACH_SAFE (node, &loader->bridges)
		saved_destroy(shash_delete(&loader->bridges, node));
	shash_uninit(&loader->bridges);
	for (size_t i = 0; i < loader->rest.n; i++)
		free(loader->rest.items[i]);
	vec_uninit(&loader->rest);
	sbuf_uninit(&loader->chunk);
	pthread_cond_destroy(&loader->cond);
	pthread_mutex_destroy(&loader->mutex);
	fclose(loader->stream);
	free(loader->file);
	free(loader);
}

/* Returns when everything but flows is there, and nobody changes it any more. */
static struct saved *find(struct of_loader *loader, const char *id)
{
	pthread_mutex_lock(&loader->mutex);
	while (!loader->head_done)
		pthread_cond_wait(&loader->cond, &loader->mutex);
	pthread_mutex_unlock(&loader->mutex);
	return id ? shash_get(&loader->bridges, id) : NULL;
}

bool of_loader_get_ports(struct of_loader *loader, const char *id, struct shash *ports)
{
	struct saved *saved = find(loader, id);
	struct shash_node *node;

	if (!saved)
		return false;
	SHASH_FOR_EACH (node, &saved->ports)
		shash_add_once(ports, node->name, node->data);
	return true;
}

static void restore_lines(struct saved *saved, struct of_state *state)
{
	for (size_t i = 0; i < saved->lines.n; i++) {
		char *error;

		if (of_snapshot_take(state, saved->lines.items[i], &error)) {
			log_warn("bridge %s: not restored: %s: %s", state->bridge->name,
				saved->lines.items[i], error);
			free(error);
		}
	}
}

/* The next of SAVED's chunks; false if there are no more. */
static bool next_chunk(struct of_loader *loader, struct saved *saved, size_t i, struct sbuf *chunk)
{
	bool found;

	pthread_mutex_lock(&loader->mutex);
	while (i >= saved->chunks.n && !saved->complete && !loader->done)
		pthread_cond_wait(&loader->cond, &loader->mutex);
	found = i < saved->chunks.n;
	if (found) {
		*chunk = saved->chunks.items[i];
		sbuf_init(&saved->chunks.items[i]);
	}
	pthread_mutex_unlock(&loader->mutex);
	return found;
}

static void stage_chunk(struct of_txn *txn, const struct sbuf *chunk, int64_t now_ms)
{
	const uint8_t *at = (const void *)chunk->data, *end = at + chunk->len;

	while (at < end) {
		const struct saved_flow *flow = (const struct saved_flow *)(const void *)at;
		enum ofp_error error = saved_flow_stage(txn, flow, now_ms);

		if (error)
			log_warn("bridge %s: a flow of table %u was not restored: %s",
				txn->state->bridge->name, flow->table_id, ofp_error_name(error));
		at += flow->len;
	}
}

size_t of_loader_restore(struct of_loader *loader, const char *id, struct of_state *state)
{
	struct saved *saved = find(loader, id);
	int64_t now_ms = clock_ms();
	struct sbuf chunk;
	struct of_txn txn;
	size_t n;

	if (!saved)
		return 0;
	restore_lines(saved, state);
	of_txn_begin(&txn, state, NULL);
	for (size_t i = 0; next_chunk(loader, saved, i, &chunk); i++) {
		stage_chunk(&txn, &chunk, now_ms);
		sbuf_uninit(&chunk);
	}
	n = txn.changes.n;
	of_txn_commit(&txn);
	return n;
}

char *const *of_loader_rest(struct of_loader *loader)
{
	find(loader, NULL);
	if (!loader->rest.n || loader->rest.items[loader->rest.n - 1])
		vec_push(&loader->rest, NULL);
	return loader->rest.items;
}
