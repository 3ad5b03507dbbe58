# SPDX-License-Identifier: Apache-2.0
"""A router between VLANs for os-ken's manager, OpenFlow 1.3: four tables.

    0  ports:   an untagged frame gets its port's VLAN; tagged ones are dropped
    1  ACL:     nothing passes to TCP or UDP port 9999; ARP for the gateways goes up
    2  routes:  to a known host: addresses, TTL and VLAN rewritten; TTL 1 goes up
    3  egress:  the tag comes off, out by the host's port

Ports: 1 is VLAN 10 (10.0.10.0/24), 2 is VLAN 20 (10.0.20.0/24); the gateway is .254 in each. Hosts become known by
their ARP requests, which are answered by packet-out."""
from os_ken.base.app_manager import OSKenApp
from os_ken.controller import ofp_event
from os_ken.controller.handler import CONFIG_DISPATCHER, MAIN_DISPATCHER, set_ev_cls
from os_ken.lib.packet import arp, ethernet, icmp, ipv4, packet, vlan
from os_ken.ofproto import ofproto_v1_3

GATEWAY_MAC = "02:00:00:00:fe:fe"
VLANS = {1: 10, 2: 20}
GATEWAYS = {10: "10.0.10.254", 20: "10.0.20.254"}
PRESENT = ofproto_v1_3.OFPVID_PRESENT
DENIED_PORT = 9999


class Router(OSKenApp):
    OFP_VERSIONS = [ofproto_v1_3.OFP_VERSION]

    @staticmethod
    def flow(dp, table, priority, match, actions=(), goto=None):
        p, ofp = dp.ofproto_parser, dp.ofproto
        instructions = [p.OFPInstructionActions(ofp.OFPIT_APPLY_ACTIONS, list(actions))] if actions else []
        if goto is not None:
            instructions.append(p.OFPInstructionGotoTable(goto))
        dp.send_msg(p.OFPFlowMod(datapath=dp, table_id=table, priority=priority, match=p.OFPMatch(**match),
                                 instructions=instructions))

    @set_ev_cls(ofp_event.EventOFPSwitchFeatures, CONFIG_DISPATCHER)
    def on_features(self, ev):
        dp = ev.msg.datapath
        p, ofp = dp.ofproto_parser, dp.ofproto
        up = p.OFPActionOutput(ofp.OFPP_CONTROLLER, ofp.OFPCML_NO_BUFFER)
        dp.send_msg(p.OFPFlowMod(datapath=dp, command=ofp.OFPFC_DELETE, table_id=ofp.OFPTT_ALL, out_port=ofp.OFPP_ANY,
                                 out_group=ofp.OFPG_ANY))
        for port, vid in VLANS.items():
            self.flow(dp, 0, 10, dict(in_port=port, vlan_vid=0),
                      [p.OFPActionPushVlan(0x8100), p.OFPActionSetField(vlan_vid=vid | PRESENT)], goto=1)
            self.flow(dp, 1, 20, dict(eth_type=0x806, vlan_vid=vid | PRESENT, arp_op=1, arp_tpa=GATEWAYS[vid]), [up])
            self.flow(dp, 3, 0, dict(vlan_vid=vid | PRESENT), [p.OFPActionPopVlan(), p.OFPActionOutput(port)])
        for proto, field in ((6, "tcp_dst"), (17, "udp_dst")):
            self.flow(dp, 1, 30, {"eth_type": 0x800, "ip_proto": proto, field: DENIED_PORT})
        self.flow(dp, 1, 0, {}, goto=2)
        self.flow(dp, 2, 100, dict(eth_type=0x800, eth_dst=GATEWAY_MAC, ip_proto=1, icmpv4_type=8, ipv4_dst="10.0.10.254"), [up])
        self.flow(dp, 2, 0, {})
        dp.send_msg(p.OFPBarrierRequest(dp))

    def learn(self, dp, vid, ip, mac):
        p = dp.ofproto_parser
        self.flow(dp, 2, 50, dict(vlan_vid=(PRESENT, PRESENT), eth_type=0x800, eth_dst=GATEWAY_MAC, ipv4_dst=ip),
                  [p.OFPActionSetField(eth_src=GATEWAY_MAC), p.OFPActionSetField(eth_dst=mac), p.OFPActionDecNwTtl(),
                   p.OFPActionSetField(vlan_vid=vid | PRESENT)], goto=3)

    @set_ev_cls(ofp_event.EventOFPErrorMsg, MAIN_DISPATCHER)
    def on_error(self, ev):
        self.logger.error("unexpected error %d %d", ev.msg.type, ev.msg.code)

    @staticmethod
    def send(dp, port, *protocols):
        p, ofp = dp.ofproto_parser, dp.ofproto
        frame = packet.Packet()
        for protocol in protocols:
            frame.add_protocol(protocol)
        frame.serialize()
        dp.send_msg(p.OFPPacketOut(datapath=dp, buffer_id=ofp.OFP_NO_BUFFER, in_port=ofp.OFPP_CONTROLLER,
                                   actions=[p.OFPActionOutput(port)], data=frame.data))

    @set_ev_cls(ofp_event.EventOFPPacketIn, MAIN_DISPATCHER)
    def on_packet_in(self, ev):
        msg, dp = ev.msg, ev.msg.datapath
        frame, in_port = packet.Packet(msg.data), msg.match["in_port"]
        tag, request = frame.get_protocol(vlan.vlan), frame.get_protocol(arp.arp)
        if tag is None or tag.vid != VLANS[in_port] or msg.reason != dp.ofproto.OFPR_ACTION:
            self.logger.error("unexpected packet-in: table %d reason %d %s", msg.table_id, msg.reason, frame)
            return
        if request:
            assert msg.table_id == 1, msg.table_id
            self.learn(dp, tag.vid, request.src_ip, request.src_mac)
            self.send(dp, in_port, ethernet.ethernet(request.src_mac, GATEWAY_MAC, 0x806),
                      arp.arp(opcode=2, src_mac=GATEWAY_MAC, src_ip=request.dst_ip, dst_mac=request.src_mac,
                              dst_ip=request.src_ip))
            return
        eth, ip, echo = (frame.get_protocol(c) for c in (ethernet.ethernet, ipv4.ipv4, icmp.icmp))
        assert msg.table_id == 2, msg.table_id
        self.send(dp, in_port, ethernet.ethernet(eth.src, GATEWAY_MAC, 0x800), ipv4.ipv4(src=ip.dst, dst=ip.src, proto=1),
                  icmp.icmp(type_=0, code=0, csum=0, data=echo.data))
