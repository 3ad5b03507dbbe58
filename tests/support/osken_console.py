# SPDX-License-Identifier: Apache-2.0
"""An os-ken application that does what it is told: a line of JSON asks, a line answers.

    {"send": {"OFPRoleRequest": {...}}}     sends the message, then a barrier; "messages": those that answer it
    {"events": ["OFPPacketIn", ...]}        "messages": those of these classes that came and were not asked for, and forgets them

Messages are as os-ken writes them in JSON. The environment says the version (OSKEN_VERSION, as in the header) and the
port on loopback to listen on (OSKEN_CONSOLE)."""
import json
import os

from os_ken.base.app_manager import OSKenApp
from os_ken.controller import ofp_event
from os_ken.controller.handler import CONFIG_DISPATCHER, HANDSHAKE_DISPATCHER, MAIN_DISPATCHER, set_ev_cls
from os_ken.lib import hub
from os_ken.ofproto import ofproto_parser

EVENTS = [c for n, c in sorted(vars(ofp_event).items()) if n.startswith("EventOFP") and hasattr(c, "__init__") and n not in (
    "EventOFPMsgBase", "EventOFPStateChange", "EventOFPPortStateChange")]


class Console(OSKenApp):
    OFP_VERSIONS = [int(os.environ.get("OSKEN_VERSION", "4"))]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.dp, self.came = None, []

    def start(self):
        hub.spawn(hub.StreamServer(("127.0.0.1", int(os.environ["OSKEN_CONSOLE"])), self.serve).serve_forever)
        return super().start()

    @set_ev_cls(EVENTS, [HANDSHAKE_DISPATCHER, CONFIG_DISPATCHER, MAIN_DISPATCHER])
    def on_any(self, ev):
        self.came.append(ev.msg)

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

    def serve(self, sock, _):
        with sock.makefile("rw") as f:
            for line in f:
                ask = json.loads(line)
                if "send" in ask:
                    messages = self.send(ask["send"])
                else:
                    messages = self.take(lambda m: type(m).__name__ in ask["events"])
                f.write(json.dumps({"ready": self.dp is not None, "messages": [m.to_jsondict() for m in messages]},
                                   default=lambda b: bytes(b).hex()) + "\n")
                f.flush()
