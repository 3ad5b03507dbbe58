# SPDX-License-Identifier: Apache-2.0
"""sluice-bench: what it measures is there, packets arrive, reports can be read. Speed is tests/perf/guard's business."""
import json
import os
import subprocess
import xml.dom.minidom

import lab as laboratory

OVS = "/usr/lib/openvswitch-switch-dpdk/ovs-vswitchd-dpdk"


def bench(lab, *args, timeout=200):
    """Runs sluice-bench without hugepages, shortly; its report."""
    program = os.path.join(laboratory.BUILD, "tools/sluice-bench/sluice-bench")
    p = subprocess.run([program, "--no-huge", "--trials", "1", "--ms", "20", "--json", "-"] + list(args),
                       capture_output=True, text=True, timeout=timeout)
    assert p.returncode == 0, (p.returncode, p.stdout[-2000:], p.stderr)
    return json.loads(p.stdout)["results"]


def check(rows):
    for row in rows:
        assert "error" not in row and "fault" not in row, row
        for trial in row["trials"]:
            # Without hugepages there is no talk of ratios.
            assert "io_ratio" not in trial, trial


def test_scenarios(lab):
    svg = os.path.join(lab.dir, "plot.svg")
    rows = bench(lab, "p2p", "tse:10%", "churn:same-table", "flow-mods:stream", "packet-in", "--flows", "64", "--svg", svg)
    check(rows)
    assert [r["scenario"] for r in rows] == ["p2p", "tse", "churn", "flow-mods", "packet-in"], rows
    p2p, tse, churn, mods, trips = [r["trials"][0] for r in rows]
    assert p2p["sent"] == p2p["received"] > 0 and p2p["cycles"] > 0 and p2p["io_cycles"] > 0
    assert 0 < tse["kept"] and tse["loss"] == 0
    assert churn["mods_per_s"] > 1000, churn
    assert mods["mods_per_s"] > 1000 and mods["mod_cpu_us"] > 0, mods
    assert trips["round_trips_per_s"] > 100 and trips["p50_us"] <= trips["p99_us"], trips
    with open(svg, encoding="utf-8") as f:
        assert xml.dom.minidom.parse(f).documentElement.tagName == "svg"


@laboratory.alone
def test_ports_cost_others_nothing(lab):
    """A million packets a second while ports come and go: no flow of theirs is unknown because of that."""
    for row in bench(lab, "ports", "--flows", "1000", timeout=120):
        trial = row["trials"][0]
        print("    ports:%s: %.0f ports/s come or go, %.4f %% lost" % (row["variant"], trial["ports_per_s"], trial["loss"] * 100))
        assert trial["ports_per_s"] > 5 and trial["misses"] < trial["received"] * 0.001, trial
        # A ring of a millisecond runs over by itself when others have the core.
        assert trial["loss"] < 0.1, trial


@laboratory.alone
def test_search(lab):
    trial = bench(lab, "p2p", "--flows", "1", "--rfc2544", "--loss", "1")[0]["trials"][0]
    assert 0 <= trial["ndr_mpps"] <= trial["pdr_mpps"] * 1.5 and trial["pdr_mpps"] > 0, trial


def long_all(lab):
    check(bench(lab, "all", "--flows", "100", timeout=600))
    check(bench(lab, "p2p", "l2", "neutron-encap", "--flows", "10", "--size", "imix,1518", timeout=600))


def long_peer(lab):
    """Open vSwitch beside it, if it and hugepages are there."""
    if not os.path.exists(OVS):
        print("    no Open vSwitch with DPDK here: apt-get install openvswitch-switch-dpdk")
        return
    program = os.path.join(laboratory.BUILD, "tools/sluice-bench/sluice-bench")
    p = subprocess.run([program, "--against", "ovs", "--trials", "1", "--ms", "100", "--json", "-", "p2p", "neutron-decap",
                        "tse:10%", "--flows", "100", "--ovs-config", "smc-enable=true"], capture_output=True, text=True, timeout=400)
    rows = json.loads(p.stdout)["results"]
    assert p.returncode == 0, (rows, p.stderr)
    peers = [r for r in rows if r["switch"] != "sluice"]
    assert len(peers) == 3 and all("Open vSwitch" in r["switch"] and "fault" not in r for r in peers), peers
