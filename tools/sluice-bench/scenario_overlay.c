/* SPDX-License-Identifier: Apache-2.0 */
/* More overlays: Neutron's distributed routers, and a node with very many tunnels. */
#include "tools/sluice-bench/frame.h"
#include "tools/sluice-bench/scenario_neutron.h"

#include "lib/headers.h"

/* ------------------------------------------------------------------ distributed routers */

/* Routers have one MAC everywhere; on the wire each host's own stands in its place. */
#define ROUTER_MAC "fa:16:3e:40:00:01"
#define ROUTER_MAC_NUMBER 0xfa163e400001
#define HOST_MAC "fa:16:3f:00:00:01"
#define FAR_HOST_MAC "fa:16:3f:00:00:02"
#define FAR_HOST_MAC_NUMBER 0xfa163f000002

static void set_mac(struct bench_stream *stream, uint16_t ofs, uint64_t mac)
{
	for (int i = 0; i < 6; i++)
		stream->frame[ofs + i] = (uint8_t)(mac >> (40 - 8 * i));
}

static void dvr_out_stream(struct bench_stream *stream, uint16_t len,
	const struct scenario_params *params)
{
	neutron_encap_stream(stream, len, params);
	set_mac(stream, 6, ROUTER_MAC_NUMBER);
}

static void dvr_in_stream(struct bench_stream *stream, uint16_t len, const struct scenario_params *params)
{
	neutron_decap_stream(stream, len, params);
	set_mac(stream, OUTER_LEN + 6, FAR_HOST_MAC_NUMBER);
	/* All come from the other host's router: no edit of the source address. */
	for (unsigned int e = 0; e < stream->n_edits; e++)
		if (stream->edits[e].ofs == OUTER_LEN + 8) {
			stream->edits[e].base = frame_get32(stream->frame, OUTER_LEN + 8);
			stream->edits[e].mask = 0;
		}
}

static const char *dvr_out_check(const uint8_t *frame, uint32_t len)
{
	if (len < 60 + OUTER_LEN || frame_get32(frame, OUTER_LEN + 6) != 0xfa163f00)
		return "a frame does not come from the host's own MAC";
	return frame_get32(frame, 26) == LOCAL_IP ? NULL : "a frame's outer address is wrong";
}

static const char *dvr_in_check(const uint8_t *frame, uint32_t len)
{
	if (len < 60 || frame_get32(frame, 6) != (uint32_t)(ROUTER_MAC_NUMBER >> 16))
		return "a frame does not come from the router's MAC";
	return frame_get16(frame, 12) == ETH_T_IP ? NULL : "a frame is not the inner one, untagged";
}

static void dvr_tunnel_bridge(struct conf *conf, const struct scenario_params *params)
{
	conf_flow(conf, "br-tun", "table=0,priority=1,in_port=1,actions=resubmit(,1)");
	conf_flow(conf, "br-tun", "table=0,priority=1,in_port=2,actions=resubmit(,4)");
	conf_flow(conf, "br-tun", "table=0,priority=0,actions=drop");
	conf_flow(conf, "br-tun", "table=1,priority=3,arp,dl_vlan=1,arp_tpa=10.0.0.254,actions=drop");
	conf_flow(conf, "br-tun", "table=1,priority=2,dl_vlan=1,dl_dst=" ROUTER_MAC ",actions=drop");
	conf_flow(conf, "br-tun", "table=1,priority=1,dl_vlan=1,dl_src=" ROUTER_MAC
		",actions=mod_dl_src:" HOST_MAC ",resubmit(,2)");
	conf_flow(conf, "br-tun", "table=1,priority=0,actions=resubmit(,2)");
	conf_flow(conf, "br-tun", "table=2,priority=0,"
		"dl_dst=00:00:00:00:00:00/01:00:00:00:00:00,actions=resubmit(,20)");
	conf_flow(conf, "br-tun", "table=2,priority=0,"
		"dl_dst=01:00:00:00:00:00/01:00:00:00:00:00,actions=resubmit(,22)");
	conf_flow(conf, "br-tun", "table=4,priority=1,tun_id=0x%x,actions=mod_vlan_vid:1,resubmit(,9)", VNI);
	conf_flow(conf, "br-tun", "table=4,priority=0,actions=drop");
	conf_flow(conf, "br-tun", "table=9,priority=1,dl_src=" FAR_HOST_MAC ",actions=output:1");
	conf_flow(conf, "br-tun", "table=9,priority=0,actions=resubmit(,10)");
	conf_flow(conf, "br-tun", "table=10,priority=1,actions=learn(table=20,hard_timeout=300,priority=1,"
		"NXM_OF_VLAN_TCI[0..11],NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],load:0->NXM_OF_VLAN_TCI[],"
		"load:NXM_NX_TUN_ID[]->NXM_NX_TUN_ID[],output:NXM_OF_IN_PORT[]),output:1");
	for (unsigned int vm = 0; vm < neutron_vms(params); vm++)
		conf_flow(conf, "br-tun", "table=20,priority=2,dl_vlan=1,dl_dst=fa:16:3e:80:%02x:%02x,"
			"actions=strip_vlan,set_tunnel:0x%x,output:2", vm >> 8, vm & 255, VNI);
	conf_flow(conf, "br-tun", "table=20,priority=0,actions=resubmit(,22)");
	conf_flow(conf, "br-tun", "table=22,priority=1,dl_vlan=1,actions=strip_vlan,"
		"set_tunnel:0x%x,output:2", VNI);
	conf_flow(conf, "br-tun", "table=22,priority=0,actions=drop");
}

static void dvr_build(struct conf *conf, const struct scenario_params *params)
{
	bool in = params->variant->inward;
	struct bench_traffic traffic;

	neutron_bridges(conf);
	conf_flow(conf, "br-int", "table=0,priority=2,in_port=2,dl_src=" FAR_HOST_MAC
		",actions=resubmit(,1)");
	conf_flow(conf, "br-int", "table=0,priority=0,actions=resubmit(,60)");
	conf_flow(conf, "br-int", "table=1,priority=4,dl_vlan=1,dl_dst=fa:16:3e:00:00:01,"
		"actions=mod_dl_src:" ROUTER_MAC ",resubmit(,60)");
	conf_flow(conf, "br-int", "table=1,priority=1,actions=drop");
	conf_flow(conf, "br-int", "table=60,priority=20,dl_vlan=1,dl_dst=fa:16:3e:00:00:01,"
		"actions=strip_vlan,output:1");
	conf_flow(conf, "br-int", "table=60,priority=3,actions=NORMAL");
	dvr_tunnel_bridge(conf, params);
	scenario_traffic(&traffic, params, in ? dvr_in_stream : dvr_out_stream);
	if (in) {
		conf_source(conf, "br-phy", "wire", 1, &traffic);
		conf_sink(conf, "br-int", "vm1", 1)->tag = 1;
	} else {
		conf_source(conf, "br-int", "vm1", 1, &traffic)->tag = 1;
		conf_sink(conf, "br-phy", "wire", 1);
	}
	conf_station(conf, "br-phy", "wire", 0, REMOTE_MAC);
	for (unsigned int vm = 0; vm < neutron_vms(params); vm++)
		conf_station(conf, "br-int", "patch-tun", 1, FAR_MAC + vm);
	conf_loop(conf, in ? "wire" : "vm1", in ? "vm1" : "wire");
	conf->check = in ? dvr_in_check : dvr_out_check;
}

const struct scenario scenario_dvr = {
	.name = "dvr",
	.summary = "Neutron's distributed routers: tables 0, 1, 2, 4, 9, 10, 20, 22, addresses exchanged",
	.unit = "flows",
	.points = {1, 1000, 50000},
	.variants = {{.name = "out"}, {.name = "in", .inward = true}},
	.build = dvr_build,
};

/* ------------------------------------------------------------------ very many tunnels */

#define TUNNEL_FLOWS 1000

static const char *tunnels_check(const uint8_t *frame, uint32_t len)
{
	/* Those that leave by the wire have a UDP port of VXLAN. */
	return len >= 60 + OUTER_LEN && frame_get16(frame, 36) == 4789 ? neutron_encap_check(frame, len) :
									 neutron_decap_check(frame, len);
}

/* Port I + 2, to 172.16.0.0 + NUMBER. Its neighbour is known: else the switch's own questions would come out with the
 * packets that are counted. */
static void tunnels_add(struct conf *conf, unsigned int i, unsigned int number)
{
	char *name = xasprintf("vx%u", i);
	char *remote = xasprintf("172.16.%u.%u", number >> 8, number & 255);
	char *options = xasprintf("remote_ip=%s local_ip=172.16.0.1 key=flow dst_port=4789", remote);

	conf_port(conf, "br-tun", name, "vxlan", i + 2, options);
	conf_neigh(conf, "br-phy", remote, "02:00:00:00:00:fe");
	free(options);
	free(remote);
	free(name);
}

/* Both ways through the last of N tunnels. */
static void tunnels_build(struct conf *conf, const struct scenario_params *params)
{
	struct scenario_params flows = {TUNNEL_FLOWS, params->frame_size, params->variant};
	unsigned int n = (unsigned int)params->n_flows;
	struct bench_traffic traffic;

	conf_bridge(conf, "br-int");
	conf_bridge(conf, "br-tun");
	conf_bridge(conf, "br-phy")->address = xstrdup("172.16.0.1/16");
	conf_patch(conf, "br-int", "patch-tun", 2, "br-tun", "patch-int", 1);
	for (unsigned int i = 0; i < n; i++)
		tunnels_add(conf, i, i == n - 1 ? 2 : i + 256);	/* The last is 172.16.0.2. */
	conf_flow(conf, "br-phy", "priority=0,actions=NORMAL");
	conf_flow(conf, "br-int", "in_port=1,actions=output:2");
	conf_flow(conf, "br-int", "in_port=2,actions=output:1");
	conf_flow(conf, "br-tun", "in_port=1,actions=set_tunnel:0x%x,output:%u", VNI, n + 1);
	conf_flow(conf, "br-tun", "in_port=%u,tun_id=0x%x,actions=output:1", n + 1, VNI);
	scenario_traffic(&traffic, &flows, neutron_encap_stream);
	conf_source(conf, "br-int", "vm1", 1, &traffic);
	scenario_traffic(&traffic, &flows, neutron_decap_stream);
	conf_source(conf, "br-phy", "wire", 1, &traffic);
	conf_station(conf, "br-phy", "wire", 0, REMOTE_MAC);
	conf_loop(conf, "vm1", "wire");
	conf_loop(conf, "wire", "vm1");
	conf->check = tunnels_check;
}

const struct scenario scenario_tunnels = {
	.name = "tunnels",
	.summary = "1000 flows into and out of one of so many VXLAN ports",
	.unit = "ports",
	.points = {1, 4000},
	.build = tunnels_build,
};
