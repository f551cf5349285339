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
from tests.lab import LabError, ProgramError, ovsdb_log
from tests.lab.cgroup import HIERARCHIES
from tests.lab.frames import BROADCAST, Direction, parse
from tests.lab.lifecycle import CONF_DB
from tests.lab.paths import CHECKOUT, STATE, machine_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

pytestmark = pytest.mark.lab


def command(*words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "tests.lab", *words]
    return subprocess.run(
        argv, cwd=CHECKOUT, input=stdin, capture_output=True, text=True, check=False, timeout=120
    )


def soon(seconds: float, question: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + seconds
    while not (answer := question()) and time.monotonic() < deadline:
        time.sleep(0.1)
    return answer


def hears(node: lab.Node, taps: Iterable[str], wanted: dict[str, set[str]], seconds: float = 20) -> bool:
    return soon(seconds, lambda: node.reach(list(taps), 1.5) == wanted)


def traces(name: str) -> list[str]:
    """Return all that the host still knows about a node."""
    machine = machine_name(name)
    found = [str(top / machine) for top in HIERARCHIES if (top / machine).exists()]
    found += [str(path) for path in STATE.glob(f"*{name}*")]
    found += [str(path) for path in Path("/run/systemd/nspawn").rglob(f"*{machine}*")]
    found += [line for line in Path("/proc/self/mounts").read_text().splitlines() if f"/{name}/" in line]
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().decode(errors="replace").split("\0")
            mounts = (process / "mounts").read_text()
        except OSError:
            continue
        if machine in words or f"{STATE}/{name}/upper" in mounts:
            found.append(f"process {process.name}: {' '.join(words)}")
    return found


def nspawn_locks() -> set[str]:
    return {path.name for path in Path("/run/systemd/nspawn/locks").glob("*")}


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
    assert soon(2, lambda: not node.run("pgrep", "-f", "sleep 4321", check=False).stdout)
    with node.popen("sleep", "1234") as process:
        process.kill()
    assert soon(2, lambda: not node.run("pgrep", "-f", "sleep 1234", check=False).stdout)


def test_guests_run_answer_and_are_heard(make_node: Callable[..., lab.Node]) -> None:
    node = make_node("lab-guests", bare=True)
    macs = {
        "tapa": node.guest("a", vlan=100, ip="10.0.0.1/24", tap="tapa", bandwidth=500),
        "tapb": node.guest("b", vlan=100, ip="10.0.0.2/24", tap="tapb", kind="linux", disk=8),
        "tapc": node.guest("c", vlan=200, ip="10.0.0.3/24", tap="tapc", mac="52:54:00:00:00:0c"),
    }
    assert macs["tapc"] == "52:54:00:00:00:0c"
    node.start("a", "b", "c")
    assert node.tap("a") == "tapa"
    assert hears(node, macs, {"tapa": {macs["tapb"]}, "tapb": {macs["tapa"]}, "tapc": set()})

    port = "add-port br-int host tag=100 -- set Interface host type=internal"
    node.run("ovs-vsctl", *port.split())
    node.run("ip", "address", "add", "10.0.0.9/24", "dev", "host")
    node.run("ip", "link", "set", "host", "up")
    with node.capture(["tapa"]) as seen:
        for ip in ("10.0.0.1", "10.0.0.2"):
            node.run("ping", "-c2", "-i0.3", "-W3", ip)
        assert node.run("ping", "-c1", "-W1", "10.0.0.3", check=False).returncode == 1
    pings = {(frame.summary, frame.direction) for frame in seen.frames["tapa"] if "icmp" in frame.summary}
    assert pings == {
        ("icmp 10.0.0.9 > 10.0.0.1 request", Direction.TO_GUEST),
        ("icmp 10.0.0.1 > 10.0.0.9 reply", Direction.FROM_GUEST),
    }
    beacons = [
        frame
        for frame in node.frames(["tapa", "tapb"], 4)["tapa"]
        if frame.src == macs["tapa"] and frame.dst == BROADCAST
    ]
    assert len(beacons) >= 10

    node.run("virsh", "shutdown", "a")
    node.run("virsh", "shutdown", "b")
    assert soon(20, lambda: node.out("virsh", "domstate", "b") == "shut off")
    assert node.out("virsh", "domstate", "a") == "running"


def test_a_linux_guest_asks_for_its_address(make_node: Callable[..., lab.Node]) -> None:
    node = make_node("lab-dhcp", bare=True)
    node.run("ovs-vsctl", "add-port", "br-int", "host", "--", "set", "Interface", "host", "type=internal")
    node.run("ip", "address", "add", "10.0.0.9/24", "dev", "host")
    node.run("ip", "link", "set", "host", "up")
    node.run("dnsmasq", "--port=0", "--interface=host", "--dhcp-range=10.0.0.50,10.0.0.50,120")
    mac = node.guest("asks", kind="linux")
    node.start("asks")
    assert soon(30, lambda: node.run("ping", "-c1", "-W1", "10.0.0.50", check=False).returncode == 0)
    assert f"{mac} 10.0.0.50 asks" in node.out("cat", "/var/lib/misc/dnsmasq.leases")


def test_power_cut_keeps_the_disk_only(make_node: Callable[..., lab.Node]) -> None:
    node = make_node("lab-cut", bare=True)
    mac = node.guest("a", vlan=100, ip="10.0.0.1/24")
    node.guest("auto", autostart=True)
    node.start("a")
    node.write("/root/kept", "kept\n")
    machine_id = node.out("cat", "/etc/machine-id")
    started = time.monotonic()
    node.power_cut()
    assert time.monotonic() - started < 5
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
    soon(5, lambda: node.out("ovs-vsctl", "get", "Interface", "br-three", "ofport") != "[]")
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
    assert soon(20, lambda: "is up" in node.out("cat", "/var/log/libvirt/qemu/obeys-console.log"))
    leader = node.leader
    node.reboot()
    assert node.leader != leader
    journal = node.out("journalctl", "-b", "-1", "-o", "cat", "-u", "libvirt-guests")
    assert "Starting shutdown on guest: obeys" in journal
    assert "Power down" in node.out("cat", "/var/log/libvirt/qemu/obeys-console.log")
    assert "--boot" in " ".join(_cmdline(_parent(node.leader)))


def test_two_nodes_do_not_meet_until_linked(make_node: Callable[..., lab.Node]) -> None:
    one, two = make_node("lab-one", bare=True), make_node("lab-two", bare=True)
    assert one.out("cat", "/etc/machine-id") != two.out("cat", "/etc/machine-id")
    mac = one.guest("moves", ip="10.0.0.1/24", tap="tapm")
    two.guest("hears", ip="10.0.0.2/24", tap="taph")
    one.start("moves")
    two.start("hears")
    one.run("systemctl", "kill", "--signal=KILL", "ovs-vswitchd.service")
    assert two.run("ovs-appctl", "version").returncode == 0
    one.run("systemctl", "restart", "openvswitch-switch.service")
    assert two.reach(["taph"]) == {"taph": set()}
    assert two.run("ping", "-c1", "-W1", "10.99.1.1", check=False).returncode != 0

    end = lab.link("lab-one", "lab-two")
    assert lab.link("lab-one", "lab-two") == end
    one.run("ping", "-c1", "-W2", "lab-two")
    one.run("virsh", "migrate", "--live", "moves", "qemu+tcp://lab-two/system")
    assert two.out("virsh", "domstate", "moves") == "running"
    assert hears(two, ["taph"], {"taph": {mac}})

    two.power_cut()
    assert one.run("ping", "-c1", "-W1", "lab-two", check=False).returncode != 0
    two.boot()
    one.run("ping", "-c1", "-W2", "lab-two")


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
    assert soon(5, lambda: traces("lab-gone") == [])
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
    assert soon(5, lambda: traces("lab-reaped") == [])


def test_up_heals_an_interrupted_up() -> None:
    argv = [sys.executable, "-m", "tests.lab", "up", "lab-half", "--bare", "--owner", str(os.getpid())]
    for seconds in (0.15, 0.3, 0.5):
        with subprocess.Popen(argv, cwd=CHECKOUT, stderr=subprocess.DEVNULL) as process:
            time.sleep(seconds)
            process.kill()
    node = lab.up("lab-half", bare=True, owner=os.getpid())
    assert node.out("ovs-vsctl", "list-br").split() == ["br-ext", "br-int"]
    node.down()
    assert soon(5, lambda: traces("lab-half") == [])


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


def test_frames_are_parsed() -> None:
    arp = bytes.fromhex(
        "ffffffffffff 525400000001 0806 0001080006040001 525400000001 0a000001 000000000000 0a000002"
    )
    frame = parse(arp, 4)
    assert (frame.src, frame.dst, frame.vlan) == ("52:54:00:00:00:01", BROADCAST, None)
    assert (frame.summary, frame.direction) == ("arp who-has 10.0.0.2 tell 10.0.0.1", Direction.TO_GUEST)
    tagged = parse(arp[:12] + bytes.fromhex("81000064") + arp[12:], 0)
    assert (tagged.vlan, tagged.ethertype, tagged.direction) == (100, 0x0806, Direction.FROM_GUEST)
    assert parse(arp, 0, 200).vlan == 200


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def _cmdline(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/cmdline").read_text().split("\0")
