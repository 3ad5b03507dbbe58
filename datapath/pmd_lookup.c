/* SPDX-License-Identifier: Apache-2.0 */
/* Second stage of a burst: bucket, entry, path; each step asks for the lines that the next one reads. */
#include "datapath/pmd.h"

static inline bool find(struct pmd *pmd, const struct flow_key *key, uint64_t hash,
	struct exact_ref *ref)
{
	enum flow_key_class class = flow_key_class(key);
	struct exact *exact = &pmd->exact[class];

	if (likely(class == FLOW_KEY_K64))
		return exact_lookup(exact, hash, key->w, 7, 8, ref);
	if (class == FLOW_KEY_K128)
		return exact_lookup(exact, hash, key->w, 15, 16, ref);
	return exact_lookup(exact, hash, key->w, flow_key_n_words(key) - 1, FLOW_KEY_MAX_WORDS, ref);
}

/* The path behind REF if it is alive and still true. */
static inline struct path *check(struct pmd *pmd, struct exact_ref ref)
{
	struct path *path = &pmd->paths[ref.slot];

	if (unlikely(path_generation(path) != ref.generation))
		return NULL;
	if (unlikely(!path_is_valid(path, pmd->seq))) {
		path_retire(pmd->pool, ref.slot);
		return NULL;
	}
	return path;
}

struct path *pmd_look_up_one(struct pmd *pmd, const struct flow_key *masked, uint64_t hash,
	struct exact_ref *ref)
{
	if (find(pmd, masked, hash, ref))
		return check(pmd, *ref);
	ref->slot = PATH_NONE;
	return NULL;
}

/* Signatures give the entries that the keys may be in. */
static inline void guess_entries(struct pmd *pmd, struct pmd_burst *burst)
{
	struct exact *exact = &pmd->exact[FLOW_KEY_K64];

	for (unsigned int i = 0; i < burst->n; i++) {
		const uint64_t *entry = exact_guess(exact, burst->hashes[i], burst->masked[i].w, 7, 8);

		__builtin_prefetch(entry);
		burst->entries[i] = entry;
	}
}

static inline void compare_keys(struct pmd *pmd, struct pmd_burst *burst)
{
	for (unsigned int i = 0; i < burst->n; i++) {
		const uint64_t *entry = burst->entries[i];
		struct exact_ref ref = {.slot = PATH_NONE};

		if (likely(entry && exact_small_key_equal(entry, burst->masked[i].w))) {
			ref = exact_entry_ref(entry, 8);
			__builtin_prefetch(&pmd->paths[ref.slot]);
		}
		burst->refs[i] = ref;
	}
}

static inline void follow_refs(struct pmd *pmd, struct pmd_burst *burst)
{
	for (unsigned int i = 0; i < burst->n; i++) {
		struct path *path = likely(burst->refs[i].slot != PATH_NONE) ?
			check(pmd, burst->refs[i]) : NULL;

		burst->paths[i] = path;
		if (path && path->kind != PATH_OUTPUT)
			__builtin_prefetch(path->ops);
	}
}

/* Keys of all classes. */
static void look_up_mixed(struct pmd *pmd, struct pmd_burst *burst)
{
	for (unsigned int i = 0; i < burst->n; i++)
		__builtin_prefetch(exact_bucket(&pmd->exact[flow_key_class(&burst->masked[i])],
			burst->hashes[i]));
	for (unsigned int i = 0; i < burst->n; i++)
		burst->paths[i] = pmd_look_up_one(pmd, &burst->masked[i], burst->hashes[i],
			&burst->refs[i]);
}

/* All of BURST have the key of the first packet; what is known of that goes for all. */
static bool look_up_same(struct pmd *pmd, struct pmd_burst *burst)
{
	burst->paths[0] = pmd_look_up_one(pmd, &burst->masked[0], burst->hashes[0], &burst->refs[0]);
	for (unsigned int i = 1; !burst->paths[0] && i < burst->n; i++) {
		burst->paths[i] = NULL;
		burst->refs[i] = burst->refs[0];
	}
	return true;
}

/* Where all packets from the port have one key. */
static bool look_up_port(struct pmd *pmd, struct pmd_burst *burst, const struct key_mask *mask)
{
	key_mask_port(burst->in_port->dp_port, &burst->masked[0]);
	burst->hashes[0] = flow_key_hash(&burst->masked[0], mask->epoch);
	look_up_same(pmd, burst);
	for (unsigned int i = 1; !burst->paths[0] && i < burst->n; i++) {
		burst->masked[i] = burst->masked[0];
		burst->hashes[i] = burst->hashes[0];
	}
	return true;
}

bool pmd_look_up(struct pmd *pmd, struct pmd_burst *burst, const struct key_mask *mask)
{
	if (mask->depth == XLATE_PORT)
		return look_up_port(pmd, burst, mask);
	switch (flow_key_mask_burst(burst->keys, burst->n, mask->bits, mask->epoch, burst->masked,
		burst->hashes)) {
	case FLOW_KEY_BURST_SAME:
		return look_up_same(pmd, burst);
	case FLOW_KEY_BURST_MIXED:
		look_up_mixed(pmd, burst);
		return false;
	case FLOW_KEY_BURST_SMALL:
		break;
	}
	for (unsigned int i = 0; i < burst->n; i++)
		__builtin_prefetch(exact_bucket(&pmd->exact[FLOW_KEY_K64], burst->hashes[i]));
	guess_entries(pmd, burst);
	compare_keys(pmd, burst);
	follow_refs(pmd, burst);
	return false;
}
