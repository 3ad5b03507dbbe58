# SPDX-License-Identifier: Apache-2.0
"""The Debian package: built from a clean tree, checked by lintian, installed and removed on a host whose file systems are
its own."""
import glob
import os
import re
import shutil

import lab as laboratory
from lab import run
from service import ServiceHost

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")

# What dpkg writes goes to layers above the machine's own directories, in memory.
LAYERS = r"""
set -e
mkdir -p $1 && mount -t tmpfs tmpfs $1
for dir in usr etc var/lib var/cache var/log; do
	mkdir -p $1/$dir/upper $1/$dir/work
	mount -t overlay overlay -o lowerdir=/$dir,upperdir=$1/$dir/upper,workdir=$1/$dir/work /$dir
done
mount -t tmpfs -o mode=755 tmpfs /var/log/openvswitch
mount -t tmpfs -o mode=755 tmpfs /etc/openvswitch
"""


def build_package(folder):
    """dpkg-buildpackage on a copy of the tree; the path of the .deb."""
    run([os.path.join(TOP, "tools/dev/install-packages"), "build", "package"], timeout=600)
    tree = os.path.join(folder, "sluice")
    shutil.copytree(TOP, tree, symlinks=True, ignore=shutil.ignore_patterns("build*", ".git", ".cache", "__pycache__"))
    # As a debhelper build wants it: the machine's compilers and Debian's flags.
    env = dict(os.environ, DEB_BUILD_OPTIONS="parallel=2")
    run("cd %s && dpkg-buildpackage -us -uc -b >../build.log 2>&1 || { tail -n 40 ../build.log; exit 1; }" % tree,
        timeout=1500, env=env)
    changes = glob.glob(folder + "/*.changes")
    print("    lintian: " + run(["lintian", "--allow-root", "--fail-on", "error"] + changes, timeout=300).strip())
    return [d for d in glob.glob(folder + "/sluice_*.deb")][0]


def long_package(lab):
    deb = os.environ.get("SLUICE_DEB") or build_package(lab.dir)
    host = ServiceHost(lab, "pkg", binary="/usr/lib/openvswitch-switch/ovs-vswitchd")
    run(host.cmd("sh", "-c", LAYERS, "layers", lab.dir + "/layers"), env=host.env)
    host.ctl("start")
    assert "Open vSwitch" in host.appctl("version") and "sluice" not in host.appctl("version")
    host.vsctl("add-br br0 -- set bridge br0 datapath_type=netdev")
    host.sh("update-alternatives --install /usr/sbin/ovs-vswitchd ovs-vswitchd /usr/lib/openvswitch-switch/ovs-vswitchd 100")
    # Packages of drivers may be missing here: what is tested is this package's own doing.
    host.sh("dpkg --force-depends -i %s >/dev/null" % deb, timeout=120)
    assert host.sh("readlink -f /usr/sbin/ovs-vswitchd").strip() == "/usr/sbin/sluiced"
    assert "sluice" not in host.appctl("version")          # The running switch goes on.
    host.ctl("restart")
    assert "sluice" in host.appctl("version")
    assert "br0" in host.ofctl("show br0")
    verify = host.sh("systemd-analyze verify sluice.service ovs-vswitchd.service openvswitch-switch.service 2>&1", check=False)
    assert verify.returncode == 0 and "sluice" not in verify.stdout, verify.stdout
    for page in ("sluiced", "sluicectl"):
        assert not host.sh("man --warnings -E UTF-8 -l /usr/share/man/man8/%s.8.gz 2>&1 >/dev/null" % page)
    completed = host.sh("bash -c '. /usr/share/bash-completion/completions/sluicectl; COMP_WORDS=(sluicectl dump-flows b);"
                        " COMP_CWORD=2; _sluicectl; echo ${COMPREPLY[@]}'")
    assert completed.strip() == "br0", completed
    host.sh("update-alternatives --set ovs-vswitchd /usr/lib/openvswitch-switch/ovs-vswitchd")
    host.ctl("restart")
    assert "sluice" not in host.appctl("version")
    host.sh("update-alternatives --auto ovs-vswitchd; dpkg -r sluice >/dev/null", timeout=120)
    assert host.sh("readlink -f /usr/sbin/ovs-vswitchd").strip() == "/usr/lib/openvswitch-switch/ovs-vswitchd"
    assert "sluice" not in host.sh("update-alternatives --list ovs-vswitchd")
    host.ctl("stop")


def test_completion_and_manual(lab):
    """In the tree: every command that sluicectl knows is completed and documented."""
    binary = os.path.abspath(os.path.join(laboratory.BUILD, "tools/sluicectl/sluicectl"))
    commands = re.findall(r"(?m)^  ([a-z][a-z-]+) ", run([binary, "--help"]))
    with open(os.path.join(TOP, "tools/sluicectl/sluicectl.8")) as f:
        page = f.read().replace("\\-", "-")
    offered = run(["bash", "-c", ". %s/tools/sluicectl/sluicectl.bash; COMP_WORDS=(sluicectl ''); COMP_CWORD=1; _sluicectl;"
                   " echo ${COMPREPLY[@]}" % TOP]).split()
    assert sorted(offered) == sorted(commands), (offered, commands)
    for command in commands:
        assert re.search(r"(?m)^\.B.* ?%s\b" % command, page), command
    daemon = os.path.abspath(os.path.join(laboratory.BUILD, "tools/sluiced/sluiced"))
    with open(os.path.join(TOP, "tools/sluiced/sluiced.8")) as f:
        page = f.read().replace("\\-", "-")
    for option in re.findall(r"(?m)^  (?:-\w, )?(--[a-z-]+)", run([daemon, "--help"])):
        assert option in page, option
