/* SPDX-License-Identifier: Apache-2.0 */
#include "ofproto/text/act_parse_private.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/headers.h"
#include "lib/util.h"
#include "lib/vec.h"

int act_parse_mac_action(struct act_parser *p, char *arg, enum act_type type)
{
	struct eth_addr mac;
	struct act_mac *a;

	if (parse_mac(arg, mac.b))
		return act_parse_fail(p, "\"%s\": expected an Ethernet address", arg);
	a = act_put(p->b, type, sizeof *a);
	a->mac = mac;
	return 0;
}

int act_parse_ipv4_action(struct act_parser *p, char *arg, enum act_type type)
{
	struct act_ipv4 *a;
	struct in_addr addr;

	if (inet_pton(AF_INET, arg, &addr) != 1)
		return act_parse_fail(p, "\"%s\": expected an IPv4 address", arg);
	a = act_put(p->b, type, sizeof *a);
	a->addr = addr.s_addr;
	return 0;
}

int act_parse_vlan_vid(struct act_parser *p, char *arg, enum act_type type)
{
	uint64_t value;
	struct act_vlan_vid *a;

	if (act_parse_number(p, arg, 4095, &value))
		return -EINVAL;
	a = act_put(p->b, type, sizeof *a);
	a->vid = value;
	a->push_if_needed = !strcmp(p->name, "mod_vlan_vid");
	a->act.raw = a->push_if_needed ? ACT_RAW_OF10_SET_VLAN_VID : ACT_RAW_OF11_SET_VLAN_VID;
	return 0;
}

int act_parse_vlan_pcp(struct act_parser *p, char *arg, enum act_type type)
{
	uint64_t value;
	struct act_vlan_pcp *a;

	if (act_parse_number(p, arg, 7, &value))
		return -EINVAL;
	a = act_put(p->b, type, sizeof *a);
	a->pcp = value;
	a->push_if_needed = !strcmp(p->name, "mod_vlan_pcp");
	a->act.raw = a->push_if_needed ? ACT_RAW_OF10_SET_VLAN_PCP : ACT_RAW_OF11_SET_VLAN_PCP;
	return 0;
}

int act_parse_strip_vlan(struct act_parser *p, char *arg, enum act_type type)
{
	struct act *a = act_put(p->b, type, sizeof *a);

	a->raw = !strcmp(p->name, "pop_vlan") ? ACT_RAW_OF11_POP_VLAN : ACT_RAW_OF10_STRIP_VLAN;
	return 0;
}

int act_parse_push(struct act_parser *p, char *arg, enum act_type type)
{
	uint64_t value;
	struct act_push *a;

	if (act_parse_number(p, arg, UINT16_MAX, &value))
		return -EINVAL;
	if (type == ACT_PUSH_VLAN && value != ETH_T_VLAN_8021Q && value != ETH_T_VLAN_8021AD)
		return act_parse_fail(p, "\"%s\": expected 0x8100 or 0x88a8", arg);
	a = act_put(p->b, type, sizeof *a);
	a->ethertype = htobe16(value);
	return 0;
}

int act_parse_set_field(struct act_parser *p, char *arg, enum act_type type)
{
	const struct field *f;
	union field_value value, mask;
	char *name = NULL;

	if (act_parse_arrow(p, arg, &name))
		return -EINVAL;
	f = field_from_name(name);
	if (!f)
		return act_parse_fail(p, "unknown field \"%s\"", name);
	if (!f->writable)
		return act_parse_fail(p, "%s is read-only", name);
	memset(&value, 0, sizeof value);
	memset(&mask, 0, sizeof mask);
	if (field_parse(f, arg, &value, &mask, p->names, p->error))
		return -EINVAL;
	act_put_set_field(p->b, f, &value, &mask)->act.raw = ACT_RAW_OF_SET_FIELD;
	return 0;
}

/* TEXT, a number of any length up to a field's, right-justified into N bytes. */
static int big_number(struct act_parser *p, const char *text, uint8_t *bytes, unsigned int n)
{
	const char *digits = str_starts_with(text, "0x") ? text + 2 : text;
	size_t len = strlen(digits);
	uint64_t value;

	memset(bytes, 0, n);
	if (digits == text) {
		if (act_parse_number(p, text, UINT64_MAX, &value))
			return -EINVAL;
		for (unsigned int i = 0; i < n && i < 8; i++)
			bytes[n - 1 - i] = value >> 8 * i;
		return n < 8 && value >> 8 * n ? act_parse_fail(p, "%s does not fit", text) : 0;
	}
	for (size_t i = 0; i < len; i++) {
		int digit = hex_digit(digits[len - 1 - i]);

		if (digit < 0)
			return act_parse_fail(p, "\"%s\": expected a number", text);
		if (digit && i / 2 >= n)
			return act_parse_fail(p, "%s does not fit", text);
		if (i / 2 < n)
			bytes[n - 1 - i / 2] |= digit << 4 * (i & 1);
	}
	return 0;
}

int act_parse_load(struct act_parser *p, char *arg, enum act_type type)
{
	union field_value value, mask, ones;
	uint8_t bytes[sizeof(union field_value)];
	unsigned int n;
	struct subfield sf;
	char *dst = NULL;

	if (act_parse_arrow(p, arg, &dst) || act_parse_subfield(p, dst, &sf))
		return -EINVAL;
	if (!sf.field->nx_writable)
		return act_parse_fail(p, "%s is read-only", sf.field->name);
	n = DIV_ROUND_UP(sf.n_bits, 8);
	if (big_number(p, arg, bytes, n))
		return -EINVAL;
	if (sf.n_bits % 8 && bytes[0] >> sf.n_bits % 8)
		return act_parse_fail(p, "%s does not fit into %u bits", arg, sf.n_bits);
	memset(&value, 0, sizeof value);
	memset(&mask, 0, sizeof mask);
	memset(&ones, 0xff, sizeof ones);
	field_bitwise_copy(bytes, n, 0, &value, sf.field->n_bytes, sf.ofs, sf.n_bits);
	field_bitwise_copy(&ones, sf.field->n_bytes, 0, &mask, sf.field->n_bytes, sf.ofs, sf.n_bits);
	act_put_set_field(p->b, sf.field, &value, &mask)->act.raw = ACT_RAW_NX_REG_LOAD;
	return 0;
}

int act_parse_move(struct act_parser *p, char *arg, enum act_type type)
{
	struct subfield src, dst;
	struct act_reg_move *a;
	char *right = NULL;

	if (act_parse_arrow(p, arg, &right) || act_parse_subfield(p, arg, &src) ||
		act_parse_subfield(p, right, &dst))
		return -EINVAL;
	if (src.n_bits != dst.n_bits)
		return act_parse_fail(p, "source is %u bits wide and destination %u", src.n_bits,
			dst.n_bits);
	if (!dst.field->nx_writable)
		return act_parse_fail(p, "%s is read-only", dst.field->name);
	a = act_put(p->b, type, sizeof *a);
	a->src = src;
	a->dst = dst;
	return 0;
}

int act_parse_stack(struct act_parser *p, char *arg, enum act_type type)
{
	struct subfield sf;
	struct act_stack *a;

	if (act_parse_subfield(p, arg, &sf))
		return -EINVAL;
	a = act_put(p->b, type, sizeof *a);
	a->subfield = sf;
	return 0;
}

int act_parse_dec_ttl(struct act_parser *p, char *arg, enum act_type type)
{
	VEC(uint16_t) ids = VEC_INITIALIZER;
	struct act_cnt_ids *a;
	uint64_t value;
	char *save;
	size_t n;

	for (char *w = strtok_r(arg, ", ", &save); w; w = strtok_r(NULL, ", ", &save)) {
		if (act_parse_number(p, w, UINT16_MAX, &value)) {
			vec_uninit(&ids);
			return -EINVAL;
		}
		vec_push(&ids, value);
	}
	n = MAX(ids.n, (size_t)1);
	a = act_put(p->b, type, sizeof *a + n * sizeof *a->ids);
	a->n_controllers = n;
	if (ids.n) {
		a->act.raw = ACT_RAW_NX_DEC_TTL_CNT_IDS;
		memcpy(a->ids, ids.items, ids.n * sizeof *ids.items);
	}
	vec_uninit(&ids);
	return 0;
}

int act_parse_delete_field(struct act_parser *p, char *arg, enum act_type type)
{
	const struct field *f = field_from_name(arg);
	struct act_field *a;

	if (!f)
		return act_parse_fail(p, "unknown field \"%s\"", arg);
	a = act_put(p->b, type, sizeof *a);
	a->field = f;
	return 0;
}
