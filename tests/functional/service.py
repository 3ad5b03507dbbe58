# SPDX-License-Identifier: Apache-2.0
"""A host on which sluiced is installed as Debian installs alternatives, and run by the distribution's ovs-ctl.

The host has network, mounts and processes of its own: what the scripts start ends with it, and what they
write (run directory, database, logs, alternatives) lies in file systems of its own."""
import os
import signal

import lab
from lab import run, wait_until

CTL = "/usr/share/openvswitch/scripts/ovs-ctl"

SETUP = r"""
set -e
mount --make-rprivate /
for dir in /run/openvswitch /etc/openvswitch /var/log/openvswitch /etc/alternatives /var/lib/dpkg/alternatives; do
	keep=$(mktemp -d)
	mkdir -p $dir
	cp -a $dir/. $keep/
	mount -t tmpfs -o mode=755 tmpfs $dir
	case $dir in /etc/alternatives|/var/lib/dpkg/alternatives) cp -a $keep/. $dir/;; esac
	rm -rf $keep
done
update-alternatives --quiet --install /usr/sbin/ovs-vswitchd ovs-vswitchd "$1" 200
"""


# The first process of the host: adopts and buries what daemons leave.
REAPER = """
import os, signal
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
while True:
    signal.sigwait([signal.SIGCHLD])
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass
"""


class ServiceHost(lab.Namespace):
    def __init__(self, owner, name="s", binary=None):
        super().__init__(owner, name)
        owner.namespaces.append(self)
        self.binary = binary or os.path.abspath(os.path.join(lab.BUILD, "tools/sluiced/sluiced"))
        holder = owner.spawn(super().cmd("unshare", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child",
                                         "python3", "-c", REAPER), os.path.join(owner.dir, name + ".holder"))
        holder.last_signal = signal.SIGKILL     # unshare(1) ignores the others; the host dies with it.
        children = "/proc/%d/task/%d/children" % (holder.pid, holder.pid)

        def init_pid():
            # ip(8) executes unshare in its place, and unshare's child is the host's init.
            with open(children) as f:
                return f.read().split()
        self.init = int(wait_until(init_pid, what="the host's first process")[0])
        self.env = {k: v for k, v in os.environ.items() if not k.startswith("OVS_") and k != "NOTIFY_SOCKET"}
        self.env["LC_ALL"] = "C"
        wait_until(lambda: self.sh("true", check=False).returncode == 0, what="the host's namespaces")
        run(self.cmd("sh", "-c", SETUP, "setup", self.binary), env=self.env)

    def cmd(self, *args):
        if not hasattr(self, "init"):
            return super().cmd(*args)
        return ["nsenter", "-t", str(self.init), "--mount", "--pid", "--net"] + list(args)

    def sh(self, line, **kw):
        return run(self.cmd("sh", "-c", line), env=self.env, **kw)

    def ctl(self, line, check=True, timeout=60):
        return self.sh("%s --system-id=random --no-record-hostname %s 2>&1" % (CTL, line), check=check, timeout=timeout)

    def vsctl(self, line, **kw):
        return self.sh("ovs-vsctl --timeout=20 " + line, **kw)

    def ofctl(self, line, **kw):
        return self.sh("ovs-ofctl " + line, **kw)

    def appctl(self, line, **kw):
        return self.sh("ovs-appctl --timeout=10 " + line, **kw)

    def pid(self):
        """As the host numbers it; 0: not running."""
        text = self.sh("cat /run/openvswitch/ovs-vswitchd.pid 2>/dev/null", check=False).stdout.strip()
        return int(text) if text else 0

    def kill(self, pid, sig=signal.SIGKILL):
        self.sh("kill -%d %d" % (sig, pid))

    def show_log(self):
        print(self.sh("tail -c 4000 /var/log/openvswitch/ovs-vswitchd.log", check=False).stdout)
