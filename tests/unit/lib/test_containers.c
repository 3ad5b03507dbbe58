/* SPDX-License-Identifier: Apache-2.0 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/bitmap.h"
#include "lib/hash.h"
#include "lib/heap.h"
#include "lib/hmap.h"
#include "lib/id_pool.h"
#include "lib/list.h"
#include "lib/shash.h"
#include "lib/smap.h"
#include "lib/sset.h"
#include "lib/vec.h"

struct item {
	struct hmap_node hnode;
	struct list lnode;
	uint32_t value;
};

static void list_order(void **state)
{
	struct list list, other;
	struct item items[5], *item;
	uint32_t sum = 0, n = 0;

	list_init(&list);
	list_init(&other);
	assert_null(list_front(&list));
	assert_null(list_pop_back(&list));
	for (uint32_t i = 0; i < 5; i++) {
		items[i].value = i;
		list_push_back(&list, &items[i].lnode);
	}
	LIST_FOR_EACH (item, lnode, &list)
		assert_int_equal(item->value, n++);
	assert_null(item);
	LIST_FOR_EACH_REVERSE (item, lnode, &list)
		assert_int_equal(item->value, --n);
	LIST_FOR_EACH_SAFE (item, lnode, &list)
		if (item->value % 2)
			list_remove(&item->lnode);
	assert_int_equal(list_size(&list), 3);
	list_push_front(&other, &items[1].lnode);
	list_append_all(&list, &other);
	assert_true(list_is_empty(&other));
	assert_ptr_equal(LIST_TO(list_back(&list), struct item, lnode), &items[1]);
	LIST_FOR_EACH_POP (item, lnode, &list)
		sum = sum * 10 + item->value;
	assert_int_equal(sum, 241);
	assert_true(list_is_empty(&list));
}

static struct item *find(struct hmap *map, uint32_t value)
{
	struct item *item;

	HMAP_FOR_EACH_WITH_HASH (item, hnode, hash_u32(value, 0), map)
		if (item->value == value)
			return item;
	return NULL;
}

static void hmap_grows_and_shrinks(void **state)
{
	enum {
		N = 5000
	};
	static struct item items[N];
	struct hmap map = HMAP_INITIALIZER, moved;
	struct item *item;
	size_t n = 0, sum = 0;

	assert_null(find(&map, 1));
	for (uint32_t i = 0; i < N; i++) {
		items[i].value = i;
		hmap_insert(&map, &items[i].hnode, hash_u32(i, 0));
	}
	moved = map;
	assert_int_equal(hmap_count(&moved), N);
	for (uint32_t i = 0; i < N; i++)
		assert_ptr_equal(find(&moved, i), &items[i]);
	HMAP_FOR_EACH (item, hnode, &moved)
		sum += item->value;
	assert_int_equal(sum, N * (N - 1) / 2);
	HMAP_FOR_EACH_SAFE (item, hnode, &moved)
		if (item->value % 1000) {
			hmap_remove(&moved, &item->hnode);
			memset(&item->hnode, 0xee, sizeof(item->hnode));
			n++;
		}
	assert_int_equal(n, N - 5);
	assert_true(moved.mask > 1000);
	hmap_remove(&moved, &items[0].hnode);
	hmap_insert(&moved, &items[0].hnode, hash_u32(0, 0));
	assert_true(moved.mask < N / 2);
	for (uint32_t i = 0; i < N; i++)
		assert_ptr_equal(find(&moved, i), i % 1000 ? NULL : &items[i]);
	HMAP_FOR_EACH_POP (item, hnode, &moved)
		n++;
	assert_int_equal(n, N);
	assert_true(hmap_is_empty(&moved));
	hmap_uninit(&moved);
}

static void hmap_duplicates(void **state)
{
	struct hmap map = HMAP_INITIALIZER;
	struct item a = {.value = 1}, b = {.value = 2}, *item;
	uint32_t seen = 0;

	hmap_insert(&map, &a.hnode, 7);
	hmap_insert(&map, &b.hnode, 7);
	HMAP_FOR_EACH_WITH_HASH (item, hnode, 7, &map)
		seen |= 1u << item->value;
	assert_int_equal(seen, 1 << 1 | 1 << 2);
	hmap_remove(&map, &a.hnode);
	assert_ptr_equal(hmap_first(&map), &b.hnode);
	assert_null(hmap_next(&map, &b.hnode));
	hmap_uninit(&map);
}

static void string_maps(void **state)
{
	struct shash sh = SHASH_INITIALIZER;
	struct sset set = SSET_INITIALIZER, other = SSET_INITIALIZER;
	struct smap smap = SMAP_INITIALIZER, clone;
	struct shash_node **nodes;
	const struct smap_node **sorted;
	int x, y;

	assert_null(shash_put(&sh, "b", &x));
	assert_null(shash_put(&sh, "a", &y));
	assert_ptr_equal(shash_put(&sh, "b", &y), &x);
	assert_false(shash_add_once(&sh, "a", &x));
	nodes = shash_sort(&sh);
	assert_string_equal(nodes[0]->name, "a");
	free(nodes);
	assert_ptr_equal(shash_remove(&sh, "b"), &y);
	assert_null(shash_remove(&sh, "b"));
	shash_uninit(&sh);

	assert_true(sset_add(&set, "x"));
	assert_true(sset_add(&set, "w"));
	assert_false(sset_add(&set, "x"));
	sset_add(&other, "w");
	sset_add(&other, "x");
	assert_true(sset_equals(&other, &set));
	assert_true(sset_remove(&set, "x"));
	assert_false(sset_remove(&set, "x"));
	assert_false(sset_equals(&other, &set));
	sset_uninit(&set);
	sset_uninit(&other);

	smap_set(&smap, "n", "12");
	smap_set(&smap, "n", "13");
	smap_setf(&smap, "bad", "%dx", 5);
	smap_set(&smap, "yes", "True");
	assert_int_equal(smap_count(&smap), 3);
	assert_int_equal(smap_get_uint(&smap, "n", 0), 13);
	assert_int_equal(smap_get_uint(&smap, "bad", 1), 1);
	assert_int_equal(smap_get_uint(&smap, "absent", 9), 9);
	assert_true(smap_get_bool(&smap, "yes", false));
	assert_true(smap_get_bool(&smap, "bad", true));
	assert_false(smap_get_bool(&smap, "bad", false));
	assert_null(smap_get(&smap, "N"));
	smap_clone(&clone, &smap);
	assert_true(smap_equal(&clone, &smap));
	smap_set(&clone, "n", "14");
	assert_false(smap_equal(&clone, &smap));
	sorted = smap_sort(&smap);
	assert_string_equal(sorted[0]->key, "bad");
	free(sorted);
	assert_true(smap_remove(&smap, "n"));
	assert_false(smap_remove(&smap, "n"));
	smap_uninit(&smap);
	smap_uninit(&clone);
}

static void bitmaps(void **state)
{
	unsigned long *bm = bitmap_alloc(200), *copy;
	size_t i, n = 0;

	bitmap_assign_range(bm, 60, 70, true);
	assert_int_equal(bitmap_scan(bm, true, 0, 200), 60);
	assert_int_equal(bitmap_scan(bm, false, 60, 200), 130);
	assert_int_equal(bitmap_scan(bm, true, 130, 200), 200);
	assert_int_equal(bitmap_scan(bm, true, 0, 50), 50);
	copy = bitmap_clone(bm, 200);
	bitmap_clear(bm, 64);
	assert_false(bitmap_is_set(bm, 64));
	assert_true(bitmap_equal(bm, copy, 64));
	assert_false(bitmap_equal(bm, copy, 65));
	BITMAP_FOR_EACH (i, 200, bm)
		n += i;
	assert_int_equal(n, (60 + 129) * 70 / 2 - 64);
	bitmap_assign_range(bm, 0, 200, false);
	assert_int_equal(bitmap_scan(bm, true, 0, 200), 200);
	free(bm);
	free(copy);
}

static void lowest_free_id(void **state)
{
	struct id_pool *pool = id_pool_create(10, 300);
	uint32_t id = 0;

	for (uint32_t i = 0; i < 300; i++) {
		assert_int_equal(id_pool_alloc(pool, &id), 0);
		assert_int_equal(id, 10 + i);
	}
	assert_int_equal(id_pool_alloc(pool, &id), -ENOSPC);
	assert_int_equal(id, 309);
	id_pool_free(pool, 200);
	id_pool_free(pool, 50);
	id_pool_free(pool, 50);
	id_pool_free(pool, 9999);
	assert_int_equal(id_pool_alloc(pool, &id), 0);
	assert_int_equal(id, 50);
	assert_false(id_pool_is_taken(pool, 200));
	assert_int_equal(id_pool_alloc(pool, &id), 0);
	assert_int_equal(id, 200);
	assert_true(id_pool_is_taken(pool, 200));
	assert_false(id_pool_is_taken(pool, 9));
	assert_false(id_pool_is_taken(pool, 310));
	assert_int_equal(id_pool_alloc(pool, &id), -ENOSPC);
	id_pool_destroy(pool);

	pool = id_pool_create(UINT32_MAX - 1, 100);
	assert_int_equal(id_pool_alloc(pool, &id), 0);
	assert_int_equal(id, UINT32_MAX - 1);
	assert_int_equal(id_pool_alloc(pool, &id), -ENOSPC);
	id_pool_destroy(pool);
}

static void vectors(void **state)
{
	VEC(int) v = VEC_INITIALIZER;
	int *p, sum = 0;

	VEC_FOR_EACH (p, &v)
		fail();
	for (int i = 0; i < 100; i++)
		vec_push(&v, i);
	*vec_push_zero(&v) += 5;
	assert_int_equal(v.n, 101);
	assert_int_equal(vec_pop(&v), 5);
	vec_remove_swap(&v, 0);
	assert_int_equal(v.items[0], 99);
	vec_remove(&v, 0);
	assert_int_equal(v.items[0], 1);
	VEC_FOR_EACH (p, &v)
		sum += *p;
	assert_int_equal(sum, 4950 - 99);
	vec_uninit(&v);
}

/* The first is always the smallest, whatever is put in, taken out and changed in whatever order. */
static void heaps(void **state)
{
	struct { uint32_t slot; int64_t key; } items[64];
	struct heap heap = HEAP_INITIALIZER;
	uint32_t random = 1, n = 0;

	for (int i = 0; i < 64; i++)
		items[i].slot = HEAP_NOWHERE;
	assert_null(heap_first(&heap));
	for (int round = 0; round < 20000; round++) {
		int64_t least = INT64_MAX;
		unsigned int i;

		random = hash_u32(random, (uint32_t)round);
		i = random % 64;
		if (items[i].slot == HEAP_NOWHERE) {
			items[i].key = random >> 8 & 0xff;
			heap_insert(&heap, &items[i].slot, items[i].key);
			n++;
		} else if (random & 0x40) {
			items[i].key = random >> 8 & 0xff;
			heap_set_key(&heap, &items[i].slot, items[i].key);
		} else {
			heap_remove(&heap, &items[i].slot);
			assert_int_equal(items[i].slot, HEAP_NOWHERE);
			n--;
		}
		assert_int_equal(heap_count(&heap), n);
		for (i = 0; i < 64; i++)
			if (items[i].slot != HEAP_NOWHERE && items[i].key < least)
				least = items[i].key;
		if (n) {
			assert_int_equal(heap_first(&heap)->key, least);
			assert_int_equal(*heap_first(&heap)->slot, 0);
		}
	}
	heap_uninit(&heap);
}

static void hashes_spread(void **state)
{
	unsigned int buckets[256] = {0};

	for (uint32_t i = 0; i < 65536; i++)
		buckets[hash_u32(i << 8, 0) & 255]++;
	for (int i = 0; i < 256; i++)
		assert_in_range(buckets[i], 150, 370);
	assert_int_not_equal(hash_add(hash_add(0, 1), 2), hash_add(hash_add(0, 2), 1));
	assert_int_not_equal(hash_u64(0, 0), hash_u64(0, 1));
	assert_int_equal(hash_string("abc", 1), hash_bytes("abcd", 3, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(list_order),
		cmocka_unit_test(hmap_grows_and_shrinks),
		cmocka_unit_test(hmap_duplicates),
		cmocka_unit_test(string_maps),
		cmocka_unit_test(bitmaps),
		cmocka_unit_test(lowest_free_id),
		cmocka_unit_test(vectors),
		cmocka_unit_test(heaps),
		cmocka_unit_test(hashes_spread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
