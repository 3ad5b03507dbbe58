# SPDX-License-Identifier: Apache-2.0
"""Schemas other than the installed one: columns and tables that are missing, and some that nobody knows."""
import json

import lab as lab_module


def works_with(lab, change):
    """Two guests reach each other under a database of the schema as CHANGE makes it; status is written and none refused."""
    with open(lab_module.SCHEMA) as f:
        schema = json.load(f)
    change(schema["tables"])
    path, real = lab.dir + "/other.ovsschema", lab_module.SCHEMA
    with open(path, "w") as f:
        json.dump(schema, f)
    lab_module.SCHEMA = path
    try:
        host = lab.host()
        host.start()
    finally:
        lab_module.SCHEMA = real
    host.vsctl("add-br br0")
    guests = []
    for n in (1, 2):
        vm = lab.guest("g%d" % n)
        lab.veth(host, "p%d" % n, vm, "eth0")
        vm.take("eth0", "10.0.0.%d/24" % n)
        host.vsctl("add-port br0 p%d tag=7 -- set interface p%d ofport_request=%d" % (n, n, 10 + n))
        guests.append(vm)
    guests[0].wait_for_ping("10.0.0.2", 10, "an answer")
    assert host.vsctl("get interface p1 ofport").strip() == "11"
    assert "up" in host.vsctl("get interface p1 link_state")
    host.check_alive()
    assert "writing status failed" not in host.log()


def test_older_schema(lab):
    def older(tables):
        for table, columns in {
                "Interface": ["cfm_flap_count", "lldp", "link_resets", "ingress_policing_kpkts_rate", "ingress_policing_kpkts_burst", "mtu_request"],
                "Bridge": ["auto_attach", "rstp_enable", "rstp_status", "datapath_version", "mcast_snooping_enable"],
                "Port": ["rstp_status", "rstp_statistics", "cvlans", "protected"],
                "Open_vSwitch": ["datapaths", "dpdk_version", "dpdk_initialized", "iface_types", "datapath_types"]}.items():
            for column in columns:
                del tables[table]["columns"][column]
        for table in ("AutoAttach", "Datapath", "CT_Zone", "CT_Timeout_Policy"):
            del tables[table]
    works_with(lab, older)


def test_newer_schema(lab):
    def newer(tables):
        anything = {"type": {"key": "string", "value": "string", "min": 0, "max": "unlimited"}}
        for table in ("Open_vSwitch", "Bridge", "Port", "Interface", "Controller"):
            tables[table]["columns"]["from_the_future"] = anything
        tables["Interface"]["columns"]["future_ports"] = {
            "type": {"key": {"type": "uuid", "refTable": "Future", "refType": "weak"}, "min": 0, "max": "unlimited"}}
        tables["Future"] = {"columns": {"name": {"type": "string"}}, "isRoot": True}
    works_with(lab, newer)
