"""The lab itself: what every other test on a node takes for granted."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests import lab
from tests.lab import LabError, ProgramError, ovsdb_log, soon
from tests.lab.lifecycle import CONF_DB
from tests.lab.paths import CHECKOUT
from tests.live.traces import nspawn_locks, traces

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.lab


def command(*words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "tests.lab", *words]
    return subprocess.run(
        argv, cwd=CHECKOUT, input=stdin, capture_output=True, text=True, check=False, timeout=120
    )


def test_up_is_quick_and_again_is_nothing(
    make_node: Callable[..., lab.Node], capsys: pytest.CaptureFixture[str]
) -> None:
    started = time.monotonic()
    node = make_node("lab-quick")
    took = time.monotonic() - started
    leader = node.leader
    lab.up("lab-quick", owner=os.getpid())
    assert node.leader == leader
    with capsys.disabled():
        print(f"\nlab: up took {took:.1f} s ", end="")


def test_a_node_is_what_it_says(make_node: Callable[..., lab.Node]) -> None:
    node = make_node("lab-self")
    machine_id = node.out("cat", "/etc/machine-id")
    assert node.out("hostname") == "lab-self"
    assert machine_id in node.out("virsh", "capabilities").replace("-", "")
    for bridge in ("br-int", "br-ext"):
        assert node.out("ovs-vsctl", "get", "Bridge", bridge, "datapath_type") == "netdev"
    assert node.out("systemctl", "list-units", "--failed", "--no-legend") == ""
    assert node.out("sh", "-c", "ls /srv/guest") == "beacon.ipxe\ninitrd.gz\nipxe.lkrn\nvmlinuz"
    assert node.out("which", "lab-guest", "hostagent") == "/usr/local/bin/lab-guest\n/usr/bin/hostagent"
    # Not the host's network: nothing but what Open vSwitch made.
    links = {line.split()[0] for line in node.out("ip", "-br", "link").splitlines()}
    assert links == {"lo", "ovs-netdev", "br-int", "br-ext"}


def test_exec_passes_everything_through(make_node: Callable[..., lab.Node], tmp_path: Path) -> None:
    make_node("lab-exec", bare=True)
    done = command("exec", "lab-exec", "--", "sh", "-c", "cat; echo err >&2; exit 7", stdin="in\n")
    assert (done.returncode, done.stdout, done.stderr) == (7, "in\n", "err\n")
    done = command("exec", "lab-exec", "--", "printf", "%s.", "a b", "--", "$x", "")
    assert (done.returncode, done.stdout) == (0, "a b.--.$x..")
    file = tmp_path / "file"
    file.write_bytes(bytes(range(256)))
    assert command("put", "lab-exec", str(file), "/new/folder/").returncode == 0
    done = command("exec", "lab-exec", "--", "sha256sum", "/new/folder/file")
    assert done.stdout.split()[0] in subprocess.check_output(["sha256sum", str(file)], text=True)
    assert command("exec", "lab-exec", "--", "sh", "-c", "command -v hostagent").returncode == 127


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["exec", "nobody", "--", "true"], "lab: no node nobody\n"),
        (["boot", "nobody"], "lab: no node nobody\n"),
        (["down", "nobody"], "lab: no node nobody\n"),
        (["up", "Not a name"], "lab: 'Not a name' is no node name: "),
        (["up", "orphan", "--owner", "999999999"], "lab: no process 999999999 that could own a node\n"),
    ],
)
def test_errors_are_one_line(words: list[str], said: str) -> None:
    done = command(*words)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith(said)
    assert done.stderr.count("\n") == 1


def test_programs_that_fail_or_hang_say_so(make_node: Callable[..., lab.Node]) -> None:
    node = make_node("lab-fail", bare=True)
    with pytest.raises(ProgramError, match=r"(?s)exit status 3.*out.*err"):
        node.run("sh", "-c", "echo out; echo err >&2; exit 3")
    with pytest.raises(ProgramError, match=r"no end within 0.5 s"):
        node.run("sleep", "4321", timeout=0.5)
    assert soon(30, lambda: not node.run("pgrep", "-f", "sleep 4321", check=False).stdout)
    with node.popen("sleep", "1234") as process:
        process.kill()
    assert soon(30, lambda: not node.run("pgrep", "-f", "sleep 1234", check=False).stdout)


def test_power_cut_keeps_the_disk_only(make_node: Callable[..., lab.Node]) -> None:
    node = make_node("lab-cut", bare=True)
    mac = node.guest("a", vlan=100, ip="10.0.0.1/24")
    node.guest("auto", autostart=True)
    node.start("a")
    node.write("/root/kept", "kept\n")
    machine_id = node.out("cat", "/etc/machine-id")
    started = time.monotonic()
    node.power_cut()
    assert time.monotonic() - started < 20
    assert not node.running
    with pytest.raises(LabError, match="node lab-cut is off"):
        node.run("true")
    node.boot()
    assert node.read("/root/kept") == "kept\n"
    assert node.out("cat", "/etc/machine-id") == machine_id
    assert node.out("virsh", "domstate", "a") == "shut off"
    # Not that it was started: at boot libvirtd is often there before br-int is, and gives up.
    assert re.search(r"Autostart: +enable", node.out("virsh", "dominfo", "auto"))
    find = [
        "ovs-vsctl",
        "--bare",
        "--columns=error",
        "find",
        "Interface",
        f'external_ids:attached-mac="{mac}"',
    ]
    assert "No such device" in node.out(*find)


def test_power_cut_may_lose_records(make_node: Callable[..., lab.Node]) -> None:
    node = make_node("lab-lose", bare=True)
    for bridge in ("one", "two", "three"):
        # Without waiting for vswitchd, whose answers would be records of their own.
        node.run(
            "ovs-vsctl",
            "--no-wait",
            "add-br",
            f"br-{bridge}",
            "--",
            "set",
            "Bridge",
            f"br-{bridge}",
            "datapath_type=netdev",
        )
    soon(30, lambda: node.out("ovs-vsctl", "get", "Interface", "br-three", "ofport") != "[]")
    node.run("systemctl", "stop", "ovs-vswitchd")
    node.run("systemctl", "start", "ovsdb-server")
    node.run("ovs-vsctl", "--no-wait", "br-set-external-id", "br-one", "last", "but-one")
    node.run("ovs-vsctl", "--no-wait", "br-set-external-id", "br-one", "very", "last")
    node.power_cut(lose=1)
    node.boot()
    assert node.out("ovs-vsctl", "br-get-external-id", "br-one") == "last=but-one"
    node.power_cut()
    with pytest.raises(LabError, match="cannot lose 9999"):
        ovsdb_log.cut(node.disk / CONF_DB, 9999)


def test_clean_reboot(make_node: Callable[..., lab.Node]) -> None:
    node = make_node("lab-reboot", bare=True)
    node.guest("obeys", kind="linux")
    node.start("obeys")
    assert soon(30, lambda: "is up" in node.out("cat", "/var/log/libvirt/qemu/obeys-console.log"))
    leader = node.leader
    node.reboot()
    assert node.leader != leader
    journal = node.out("journalctl", "-b", "-1", "-o", "cat", "-u", "libvirt-guests")
    assert "Starting shutdown on guest: obeys" in journal
    assert "Power down" in node.out("cat", "/var/log/libvirt/qemu/obeys-console.log")
    assert "--boot" in " ".join(_cmdline(_parent(node.leader)))


def test_nothing_is_left_after_down() -> None:
    links, locks = Path("/proc/net/dev").read_text().count("\n"), nspawn_locks()
    node = lab.up("lab-gone", bare=True, owner=os.getpid())
    node.guest("a")
    node.start("a")
    lab.up("lab-gone-too", bare=True, owner=os.getpid())
    lab.link("lab-gone", "lab-gone-too")
    assert Path("/proc/net/dev").read_text().count("\n") == links
    mine = nspawn_locks() - locks
    assert traces("lab-gone")
    node.down()
    lab.Node("lab-gone-too").power_cut()
    lab.Node("lab-gone-too").down()
    assert soon(30, lambda: traces("lab-gone") == [])
    assert not mine & nspawn_locks()


def test_a_killed_owner_leaves_nothing(make_node: Callable[..., lab.Node]) -> None:
    other = make_node("lab-other", bare=True)
    script = (
        "import os, time; from tests import lab; lab.up('lab-reaped', bare=True, owner=os.getpid());"
        "print(1, flush=True); time.sleep(99)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], cwd=CHECKOUT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "1\n"
        assert lab.Node("lab-reaped").running
        process.send_signal(signal.SIGKILL)
    listed = command("list").stdout
    assert "lab-reaped" not in listed
    assert re.search(rf"(?m)^lab-other +running +{other.leader} +{os.getpid()} ", listed)
    assert soon(30, lambda: traces("lab-reaped") == [])


def test_up_heals_an_interrupted_up() -> None:
    argv = [sys.executable, "-m", "tests.lab", "up", "lab-half", "--bare", "--owner", str(os.getpid())]
    for seconds in (0.15, 0.3, 0.5):
        with subprocess.Popen(argv, cwd=CHECKOUT, stderr=subprocess.DEVNULL) as process:
            time.sleep(seconds)
            process.kill()
    node = lab.up("lab-half", bare=True, owner=os.getpid())
    assert node.out("ovs-vsctl", "list-br").split() == ["br-ext", "br-int"]
    node.down()
    assert soon(30, lambda: traces("lab-half") == [])


def test_a_node_that_cannot_boot_says_why() -> None:
    node = lab.up("lab-broken", bare=True, owner=os.getpid())
    try:
        node.power_cut()
        init = node.disk / "usr/lib/systemd/systemd"
        init.parent.mkdir(parents=True, exist_ok=True)
        init.write_text("")
        with pytest.raises(LabError, match=r"(?s)node lab-broken (does not boot|is not ready).*console: "):
            node.boot()
    finally:
        node.down()


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def _cmdline(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/cmdline").read_text().split("\0")
