/* SPDX-License-Identifier: Apache-2.0 */
/* An OpenStack compute node: br-int, br-tun with the agent's tables, VXLAN over br-phy. */
#include "tools/sluice-bench/frame.h"
#include "tools/sluice-bench/scenario_neutron.h"

#include "lib/headers.h"

/* Numbers of ports: br-int 1 VM, 2 to br-tun; br-tun 1 to br-int, 2 tunnel; br-phy 1 wire. */

unsigned int neutron_vms(const struct scenario_params *params)
{
	unsigned int n = 1;

	while (n < params->n_flows && n < MAX_VMS)
		n *= 2;
	return n;
}

void neutron_bridges(struct conf *conf)
{
	conf_bridge(conf, "br-int");
	conf_bridge(conf, "br-tun");
	conf_bridge(conf, "br-phy")->address = xstrdup("172.16.0.1/24");
	conf_patch(conf, "br-int", "patch-tun", 2, "br-tun", "patch-int", 1);
	conf_port(conf, "br-tun", "vxlan0", "vxlan", 2,
		"remote_ip=172.16.0.2 local_ip=172.16.0.1 key=flow dst_port=4789");
	conf_neigh(conf, "br-phy", "172.16.0.2", "02:00:00:00:00:fe");
	conf_flow(conf, "br-phy", "priority=0,actions=NORMAL");
}

static void switch_build(struct conf *conf)
{
	neutron_bridges(conf);
	conf_flow(conf, "br-int", "table=0,priority=0,actions=resubmit(,60)");
	conf_flow(conf, "br-int", "table=0,priority=9,in_port=1,actions=resubmit(,25)");
	conf_flow(conf, "br-int", "table=25,priority=2,in_port=1,dl_src=fa:16:3e:00:00:01,"
		"actions=resubmit(,60)");
	conf_flow(conf, "br-int", "table=60,priority=3,actions=NORMAL");

	conf_flow(conf, "br-tun", "table=0,priority=1,in_port=1,actions=resubmit(,2)");
	conf_flow(conf, "br-tun", "table=0,priority=1,in_port=2,actions=resubmit(,4)");
	conf_flow(conf, "br-tun", "table=0,priority=0,actions=drop");
	conf_flow(conf, "br-tun", "table=2,priority=0,"
		"dl_dst=00:00:00:00:00:00/01:00:00:00:00:00,actions=resubmit(,20)");
	conf_flow(conf, "br-tun", "table=2,priority=0,"
		"dl_dst=01:00:00:00:00:00/01:00:00:00:00:00,actions=resubmit(,22)");
	conf_flow(conf, "br-tun", "table=4,priority=1,tun_id=0x%x,actions=mod_vlan_vid:1,resubmit(,10)",
		VNI);
	conf_flow(conf, "br-tun", "table=4,priority=0,actions=drop");
	conf_flow(conf, "br-tun", "table=10,priority=1,actions=learn(table=20,hard_timeout=300,"
		"priority=1,cookie=0x5ca1ab1e,NXM_OF_VLAN_TCI[0..11],NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],"
		"load:0->NXM_OF_VLAN_TCI[],load:NXM_NX_TUN_ID[]->NXM_NX_TUN_ID[],"
		"output:NXM_OF_IN_PORT[]),output:1");
	conf_flow(conf, "br-tun", "table=20,priority=0,actions=resubmit(,22)");
	conf_flow(conf, "br-tun", "table=22,priority=1,dl_vlan=1,actions=strip_vlan,"
		"set_tunnel:0x%x,output:2", VNI);
	conf_flow(conf, "br-tun", "table=22,priority=0,actions=drop");
}

/* What traffic the other way would have taught the bridges, so that nothing is flooded. */
static void conf_stations(struct conf *conf, const struct scenario_params *params)
{
	conf_station(conf, "br-int", "vm1", 1, VM_MAC);
	conf_station(conf, "br-phy", "wire", 0, REMOTE_MAC);
	for (unsigned int vm = 0; vm < neutron_vms(params); vm++)
		conf_station(conf, "br-int", "patch-tun", 1, FAR_MAC + vm);
}

/* ------------------------------------------------------------------ encapsulation */

void neutron_encap_stream(struct bench_stream *stream, uint16_t len,
	const struct scenario_params *params)
{
	struct frame_spec spec = {
		.dl_dst = FAR_MAC,
		.dl_src = VM_MAC,
		.vlan = -1,
		.nw_src = VM_IP,
		.nw_dst = FAR_IP,
		.tp_src = 1024,
		.tp_dst = 2048,
		.len = MIN(len, (uint16_t)(1514 - OUTER_LEN)),	/* The underlay's MTU is 1500. */
	};
	unsigned int vms = neutron_vms(params) - 1;
	struct frame_ofs ofs;

	frame_build(stream, &spec, &ofs);
	frame_edit(stream, ofs.dl_dst, BENCH_COUNT, 0, vms, 0);
	frame_edit(stream, ofs.nw_dst, BENCH_COUNT, 0, vms, 0);
	frame_edit(stream, ofs.ports, BENCH_COUNT, 0, UINT32_MAX, 0);
	stream->n_flows = params->n_flows;
}

const char *neutron_encap_check(const uint8_t *frame, uint32_t len)
{
	const uint8_t *inner = frame + OUTER_LEN;

	if (len < 60 + OUTER_LEN)
		return "a frame is too short";
	if (frame_get16(frame, 12) != ETH_T_IP || frame[23] != IP_P_UDP)
		return "a frame's outer header is not UDP";
	if (!frame_ip_csum_ok(frame, ETH_HEADER_LEN))
		return "a frame's outer checksum is wrong";
	if (frame_get32(frame, 26) != LOCAL_IP || frame_get32(frame, 30) != REMOTE_IP)
		return "a frame's outer addresses are wrong";
	if (frame_get16(frame, 36) != 4789 || frame_get32(frame, 46) >> 8 != VNI)
		return "a frame's UDP port or VNI is wrong";
	if (frame_get16(frame, 16) != len - ETH_HEADER_LEN)
		return "a frame's outer length is wrong";
	if (frame_get32(inner, 8) != (uint32_t)VM_MAC || frame_get16(inner, 12) != ETH_T_IP)
		return "a frame's inner header is wrong";
	return NULL;
}

static void encap_build(struct conf *conf, const struct scenario_params *params)
{
	struct bench_traffic traffic;

	scenario_traffic(&traffic, params, neutron_encap_stream);
	switch_build(conf);
	conf_source(conf, "br-int", "vm1", 1, &traffic)->tag = 1;
	conf_sink(conf, "br-phy", "wire", 1);
	/* As learn() of table 10 would have written them. */
	for (unsigned int vm = 0; vm < neutron_vms(params); vm++)
		conf_flow(conf, "br-tun", "table=20,priority=1,vlan_tci=0x0001/0x0fff,"
			"dl_dst=fa:16:3e:80:%02x:%02x,actions=load:0->NXM_OF_VLAN_TCI[],"
			"load:0x%x->NXM_NX_TUN_ID[],output:2", vm >> 8, vm & 255, VNI);
	conf_stations(conf, params);
	conf_loop(conf, "vm1", "wire");
	conf->check = neutron_encap_check;
}

const struct scenario scenario_neutron_encap = {
	.name = "neutron-encap",
	.summary = "from a VM over br-int and br-tun into VXLAN, 1024 remote VMs",
	.unit = "flows",
	.points = {1, 1000, 50000, 1000000},
	.build = encap_build,
};

/* ------------------------------------------------------------------ decapsulation */

void neutron_decap_stream(struct bench_stream *stream, uint16_t len,
	const struct scenario_params *params)
{
	struct frame_spec outer = {
		.dl_dst = LOCAL_MAC,
		.dl_src = REMOTE_MAC,
		.nw_src = REMOTE_IP,
		.nw_dst = LOCAL_IP,
		.tp_src = 0xc000,
	};
	struct frame_spec inner = {
		.dl_dst = VM_MAC,
		.dl_src = FAR_MAC,
		.vlan = -1,
		.nw_src = FAR_IP,
		.nw_dst = VM_IP,
		.tp_src = 1024,
		.tp_dst = 2048,
		.len = MIN(len, (uint16_t)(1514 - OUTER_LEN)),
	};
	unsigned int vms = neutron_vms(params) - 1;
	struct frame_ofs oo, io;

	frame_build_vxlan(stream, &outer, VNI, &inner, &oo, &io);
	frame_edit(stream, oo.ports, BENCH_COUNT, 0, 0x3fff, 16);
	frame_edit(stream, io.dl_src, BENCH_COUNT, 0, vms, 0);
	frame_edit(stream, io.ports, BENCH_COUNT, 0, UINT32_MAX, 0);
	stream->n_flows = params->n_flows;
}

const char *neutron_decap_check(const uint8_t *frame, uint32_t len)
{
	if (len < 60 || len > 1514 - OUTER_LEN)
		return "a frame has the wrong length";
	if (frame_get32(frame, 2) != (uint32_t)VM_MAC || frame_get16(frame, 12) != ETH_T_IP)
		return "a frame is not the inner one, untagged";
	if (!frame_ip_csum_ok(frame, ETH_HEADER_LEN))
		return "a frame's IP checksum is wrong";
	return NULL;
}

static void decap_build(struct conf *conf, const struct scenario_params *params)
{
	struct bench_traffic traffic;

	scenario_traffic(&traffic, params, neutron_decap_stream);
	switch_build(conf);
	conf_source(conf, "br-phy", "wire", 1, &traffic);
	conf_sink(conf, "br-int", "vm1", 1)->tag = 1;
	conf_stations(conf, params);
	conf_loop(conf, "wire", "vm1");
	conf->check = neutron_decap_check;
}

const struct scenario scenario_neutron_decap = {
	.name = "neutron-decap",
	.summary = "from VXLAN over br-tun, which learns, and br-int to a VM",
	.unit = "flows",
	.points = {1, 1000, 50000, 1000000},
	.build = decap_build,
};
