# SPDX-License-Identifier: Apache-2.0
"""A million packets where tools/check runs a hundred thousand: caches on and off, and pipelines against the naive switch."""
import os
import subprocess

import lab as laboratory

N_PACKETS = 1000000


def run(name, seconds):
    program = os.path.join(laboratory.BUILD, "tests/unit/datapath", name)
    p = subprocess.run([program], env=dict(os.environ, SLUICE_PACKETS=str(N_PACKETS)), capture_output=True, text=True,
                       errors="replace", timeout=seconds)
    assert p.returncode == 0, (p.stdout + p.stderr)[-3000:]
    print("    " + [line for line in p.stdout.splitlines() if " packets" in line][-1])


def long_caches(lab):
    run("test_pmd_cache", 600)


def long_pipelines(lab):
    run("test_oracle", 600)
