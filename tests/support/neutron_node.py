# SPDX-License-Identifier: Apache-2.0
"""A compute node as Neutron's Open vSwitch agent makes it, with the agent's own code (python3-neutron): bridges and patch
ports through the database, tables through its native os-ken interface. Only what a Neutron server would tell the agent
comes from a JSON file, the argument:

    {"database": "unix:...", "config": "agent.ini to write", "local_ip": "...", "done": "file to write when all is set up",
     "tunnels": {"vxlan": ["remote address", ...]},
     "networks": [{"tag": 1, "type": "vxlan"|"flat", "segment": 100, "physical": "...",
                   "ports": [{"name": "tap", "ip": "...", "mac": "..."}],
                   "remote": [{"ip": "...", "mac": "...", "via": "remote address"}]}]}"""
import json
import os
import sys
import traceback

from neutron.common import eventlet_utils
eventlet_utils.monkey_patch()

from neutron.agent.common import ovs_lib                                                    # noqa: E402
from neutron.common import config                                                           # noqa: E402
from neutron.conf.agent import common as agent_config                                       # noqa: E402
from neutron.plugins.ml2.drivers.openvswitch.agent import ovs_neutron_agent                 # noqa: E402
from neutron.plugins.ml2.drivers.openvswitch.agent.openflow.native import base_oskenapp, br_int, br_phys, br_tun  # noqa: E402
from neutron.plugins.ml2.drivers.openvswitch.agent.openflow.native import main as native    # noqa: E402
from os_ken.base import app_manager                                                         # noqa: E402
from os_ken.lib import hub                                                                  # noqa: E402
import os_ken.app.ofctl.api                                                                 # noqa: E402, F401
from neutron_lib.plugins.ml2 import ovs_constants as constants                               # noqa: E402
from oslo_config import cfg                                                                 # noqa: E402

PLAN = json.load(open(os.environ["NEUTRON_PLAN"]))

INI = """[DEFAULT]
[OVS]
ovsdb_connection = %(database)s
local_ip = %(local_ip)s
bridge_mappings = physnet:br-ex
of_listen_address = 127.0.0.1
of_listen_port = 6633
[AGENT]
tunnel_types = vxlan
arp_responder = true
l2_population = true
root_helper =
"""


def agent_of(app):
    """The agent without its messaging: what its constructor sets before it makes the bridges."""
    agent = ovs_neutron_agent.OVSNeutronAgent.__new__(ovs_neutron_agent.OVSNeutronAgent)
    agent.conf = cfg.CONF
    agent.enable_tunneling = agent.arp_responder_enabled = agent.l2_pop = True
    agent.enable_distributed_routing = agent.enable_openflow_dhcp = False
    agent.phys_brs, agent.int_ofports, agent.phys_ofports = {}, {}, {}
    agent.patch_int_ofport = agent.patch_tun_ofport = ovs_lib.INVALID_OFPORT
    agent.br_phys_cls = lambda name: br_phys.OVSPhysicalBridge(name, os_ken_app=app)
    agent.br_tun_cls = lambda name: br_tun.OVSTunnelBridge(name, os_ken_app=app)
    agent.int_br = br_int.OVSIntegrationBridge("br-int", os_ken_app=app)
    agent.tun_br = None
    return agent


def tunnels(agent):
    """{remote address: port}"""
    ports = {}
    for remote in PLAN["tunnels"]["vxlan"]:
        name = "vxlan-%08x" % int.from_bytes(bytes(map(int, remote.split("."))), "big")
        port = agent.tun_br.add_tunnel_port(name, remote, PLAN["local_ip"], "vxlan", 4789, False)
        if port == ovs_lib.INVALID_OFPORT:
            raise RuntimeError("no port for %s" % name)
        agent.tun_br.setup_tunnel_port("vxlan", port)
        ports[remote] = port
    return ports


def protect(br, port, tag):
    """As the agent wires a port of a machine: tag, addresses it may have, ARP it may send."""
    br.set_db_attribute("Port", port["name"], "other_config", {"tag": str(tag)})
    br.set_db_attribute("Port", port["name"], "tag", tag)
    number = br.get_port_ofport(port["name"])
    br.delete_arp_spoofing_allow_rules(port=number)
    br.set_allowed_macs_for_port(number, {port["mac"]})
    br.install_arp_spoofing_protection(port=number, ip_addresses={port["ip"]})


def wire(agent):
    ports = tunnels(agent)
    for net in PLAN["networks"]:
        tag = net["tag"]
        if net["type"] == "vxlan":
            agent.tun_br.provision_local_vlan("vxlan", tag, net["segment"])
            agent.tun_br.install_flood_to_tun(tag, net["segment"], ports.values())
            for far in net.get("remote", []):
                agent.tun_br.install_unicast_to_tun(tag, net["segment"], ports[far["via"]], far["mac"])
                agent.tun_br.install_arp_responder(tag, far["ip"], far["mac"])
        else:
            phys = agent.phys_brs["physnet"]
            phys.provision_local_vlan(port=agent.phys_ofports["physnet"], lvid=tag, segmentation_id=None, distributed=False)
            agent.int_br.provision_local_vlan(port=agent.int_ofports["physnet"], lvid=tag, segmentation_id=None)
        for port in net["ports"]:
            protect(agent.int_br, port, tag)


def work(app):
    try:
        agent = agent_of(app)
        agent.setup_integration_br()
        agent.setup_physical_bridges({"physnet": "br-ex"})
        agent.setup_tunnel_br("br-tun")
        agent.setup_tunnel_br_flows()
        wire(agent)
        if agent.int_br.check_canary_table() != constants.OVS_NORMAL:
            raise RuntimeError("the canary is dead")
        cookies = {f.cookie for br in (agent.int_br, agent.tun_br, agent.phys_brs["physnet"]) for f in br.dump_flows()}
        ours = {br.default_cookie for br in (agent.int_br, agent.tun_br, agent.phys_brs["physnet"])}
        text = "ok" if cookies == ours else "cookies %s, not %s" % (cookies, ours)
    except Exception:
        text = traceback.format_exc()
    with open(PLAN["done"] + ".new", "w") as f:
        f.write(text)
    os.rename(PLAN["done"] + ".new", PLAN["done"])


class Node(base_oskenapp.BaseNeutronAgentOSKenApp):
    def start(self):
        super().start()
        return hub.spawn(work, self, raise_error=True)


def main():
    with open(PLAN["config"], "w") as f:
        f.write(INI % PLAN)
    config.register_common_config_options()
    agent_config.register_root_helper(cfg.CONF)
    sys.argv = sys.argv[:1] + ["--config-file", PLAN["config"]]
    config.init(sys.argv[1:])
    native.init_config()
    # The service is what the bridges ask for their datapaths.
    app_manager.AppManager.run_apps([os.path.abspath(__file__), "os_ken.app.ofctl.service"])


if __name__ == "__main__":
    main()
