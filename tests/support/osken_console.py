# SPDX-License-Identifier: Apache-2.0
"""An os-ken application that does what it is told: a line of JSON asks, a line answers.

    {"send": {"OFPRoleRequest": {...}}}     sends the message, then a barrier; "messages": those that answer it
    {"events": ["OFPPacketIn", ...]}        "messages": those of these classes that came and were not asked for, and forgets them
    {"ofctl": "get_flow_stats", "args": []} "result": what this function of os-ken's ofctl library says, the one behind the calls of
                                            its REST interface; "messages": what the switch sent beside

Messages are as os-ken writes them in JSON. The environment says the version (OSKEN_VERSION, as in the header) and the
port on loopback to listen on (OSKEN_CONSOLE)."""
import json
import os

from os_ken.base.app_manager import OSKenApp
from os_ken.controller import ofp_event
from os_ken.controller.handler import CONFIG_DISPATCHER, HANDSHAKE_DISPATCHER, MAIN_DISPATCHER, set_ev_cls
from os_ken.lib import hub, ofctl_utils, ofctl_v1_0, ofctl_v1_3
from os_ken.ofproto import ofproto_parser

EVENTS = [c for n, c in sorted(vars(ofp_event).items()) if n.startswith("EventOFP") and hasattr(c, "__init__") and n not in (
    "EventOFPMsgBase", "EventOFPStateChange", "EventOFPPortStateChange")]


ofctl_utils.DEFAULT_TIMEOUT = 10       # Seconds; its own one is short for a busy machine.
OFCTL = {1: ofctl_v1_0, 4: ofctl_v1_3}


class Console(OSKenApp):
    OFP_VERSIONS = [int(os.environ.get("OSKEN_VERSION", "4"))]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.dp, self.came, self.waiters = None, [], {}

    def start(self):
        hub.spawn(hub.StreamServer(("127.0.0.1", int(os.environ["OSKEN_CONSOLE"])), self.serve).serve_forever)
        return super().start()

    @set_ev_cls(EVENTS, [HANDSHAKE_DISPATCHER, CONFIG_DISPATCHER, MAIN_DISPATCHER])
    def on_any(self, ev):
        self.came.append(ev.msg)
        # How ofctl_rest hands replies to the library.
        waiting = self.waiters.get(ev.msg.datapath.id, {}).get(ev.msg.xid)
        if waiting:
            lock, messages = waiting
            messages.append(ev.msg)
            if not getattr(ev.msg, "flags", 0) & 1 or "Stats" not in type(ev.msg).__name__:
                del self.waiters[ev.msg.datapath.id][ev.msg.xid]
                lock.set()

    @set_ev_cls(ofp_event.EventOFPStateChange, MAIN_DISPATCHER)
    def on_main(self, ev):
        self.dp = ev.datapath
        self.dp.id is not None and self.logger.info("ready")

    def take(self, wanted):
        out = [m for m in self.came if wanted(m)]
        self.came = [m for m in self.came if not wanted(m)]
        return out

    def send(self, what):
        dp = self.dp
        msg = ofproto_parser.ofp_msg_from_jsondict(dp, what)
        dp.set_xid(msg)
        barrier = dp.ofproto_parser.OFPBarrierRequest(dp)
        dp.set_xid(barrier)
        dp.send_msg(msg)
        dp.send_msg(barrier)
        for _ in range(1000):
            if self.take(lambda m: m.xid == barrier.xid):
                return self.take(lambda m: m.xid == msg.xid)
            hub.sleep(0.01)
        raise TimeoutError("no barrier reply")

    def ofctl(self, name, args):
        self.came = []
        function = getattr(OFCTL[self.dp.ofproto.OFP_VERSION], name, None)
        try:
            result = function(self.dp, self.waiters, *args) if name.startswith("get_") else function(self.dp, *args)
        except Exception as e:
            result = repr(e)
        barrier = self.dp.ofproto_parser.OFPBarrierRequest(self.dp)
        self.dp.set_xid(barrier)
        self.dp.send_msg(barrier)
        for _ in range(1000):
            if self.take(lambda m: m.xid == barrier.xid):
                return result, self.take(lambda m: True)
            hub.sleep(0.01)
        raise TimeoutError("no barrier reply")

    def serve(self, sock, _):
        with sock.makefile("rw") as f:
            for line in f:
                ask = json.loads(line)
                result = None
                if "ofctl" in ask:
                    result, messages = self.ofctl(ask["ofctl"], ask["args"])
                elif "send" in ask:
                    messages = self.send(ask["send"])
                else:
                    messages = self.take(lambda m: type(m).__name__ in ask["events"])
                f.write(json.dumps({"ready": self.dp is not None, "messages": [m.to_jsondict() for m in messages],
                                    "result": result},
                                   default=lambda b: bytes(b).hex()) + "\n")
                f.flush()
