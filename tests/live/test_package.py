"""The Debian package: lintian, install, upgrade, reboot, remove and purge on whole and on bare nodes."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.lab import soon
from tests.lab.agent import package
from tests.live import packaged
from tests.live.look import alarms, check
from tests.unit.health.test_loader import GOOD

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.lab import Node

pytestmark = pytest.mark.lab

NODES = {
    "whole": (),
    "ovs-only": packaged.LIBVIRT,
    "libvirt-only": packaged.OVS,
    "neither": (*packaged.LIBVIRT, *packaged.OVS),
}


def run(*argv: str | Path) -> str:
    return subprocess.run(argv, capture_output=True, text=True, check=True, timeout=120).stdout


def test_lintian_has_nothing_to_say() -> None:
    argv: list[str | Path] = [
        "lintian",
        "--allow-root",
        "--fail-on",
        "error,warning",
        "--tag-display-limit",
        "0",
        package(),
    ]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stdout) == (0, "")


def test_it_asks_for_no_daemon(tmp_path: Path) -> None:
    """Only python3-libvirt recommends one, which Debian's own packaging does: docs/operate/install.md."""
    for field in ("Depends", "Recommends", "Suggests", "Pre-Depends"):
        words = run("dpkg-deb", "-f", package(), field)
        assert "libvirt-daemon" not in words
        assert "openvswitch-switch" not in words
    empty = tmp_path / "status"
    empty.write_text("")
    deb = tmp_path / "hostagent.deb"
    deb.write_bytes(package().read_bytes())
    simulated = run(
        "apt-get", "-s", "--no-install-recommends", f"-oDir::State::status={empty}", "install", deb
    )
    pulled = {line.split()[1] for line in simulated.splitlines() if line.startswith("Inst ")}
    assert {"hostagent", "python3-libvirt", "python3-openvswitch"} <= pulled
    assert {name for name in pulled if name.startswith(("libvirt-", "openvswitch-", "qemu-"))} == set()


def test_the_same_source_gives_the_same_package(tmp_path: Path) -> None:
    builds = [run("packaging/deb/build", "--into", tmp_path / name).strip() for name in ("one", "two")]
    assert run("sha256sum", builds[0])[:64] == run("sha256sum", builds[1])[:64]


def test_pages_and_completion(make_node: Callable[..., Node], tmp_path: Path) -> None:
    run("dpkg-deb", "-x", package(), tmp_path)
    pages = sorted((tmp_path / "usr/share/man").glob("*/*.gz"))
    assert [page.name for page in pages] == ["hostagent.1.gz", "hostagent.toml.5.gz", "hostagent-checks.7.gz"]
    for page in pages:
        done = subprocess.run(
            ["man", "--warnings", "-l", page],
            capture_output=True,
            text=True,
            check=False,
            env={"PATH": "/usr/bin", "LC_ALL": "C.UTF-8"},
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert "hostagent" in done.stdout
    documented = run("sh", "-c", f"grep -rhoE 'man:hostagent[^ ]*' {tmp_path}/lib/systemd || true").split()
    assert set(documented) <= {"man:hostagent(1)", "man:hostagent.toml(5)", "man:hostagent-checks(7)"}
    node = make_node("package-words")
    script = (
        ". /usr/share/bash-completion/completions/hostagent && complete -p hostagent && "
        'COMP_WORDS=(hostagent ch) COMP_CWORD=1 && _hostagent_completion hostagent; echo "${COMPREPLY[@]}"'
    )
    assert "check checks" in node.out("bash", "-c", script)
    units = node.out(
        "sh", "-c", "cd /lib/systemd/system && ls -d hostagent* && ls -d *.d/hostagent.conf"
    ).split()
    assert set(packaged.UNITS) <= set(units)
    services = [name.partition(".d/")[0] for name in units if not name.startswith(("nova", "openstack"))]
    there = [name for name in services if node.run("systemctl", "cat", name, check=False).returncode == 0]
    done = node.run("systemd-analyze", "--man=no", "verify", *there, check=False)
    assert [line for line in (done.stdout + done.stderr).splitlines() if "hostagent" in line] == []


@pytest.mark.parametrize("kind", NODES)
def test_life(make_node: Callable[..., Node], kind: str) -> None:
    """Install an older one, upgrade, reboot, remove, purge: nothing fails, nothing of others moves."""
    node = make_node(f"package-{kind}", bare=True)
    packaged.without(node, *NODES[kind])
    packaged.until_settled(node)
    before, running = packaged.files(node), packaged.services(node)
    if kind in {"whole", "ovs-only"}:
        add = "--no-wait add-port br-int vnet77 -- set Interface vnet77 external_ids:vm-id=x"
        node.run("ovs-vsctl", *add.split())

    packaged.install(node, packaged.OLDER)
    assert node.out("hostagent", "--version") == f"hostagent {packaged.OLDER}"
    node.run("sh", "-c", "echo '# mine' >>/etc/hostagent/hostagent.toml")
    node.write("/etc/hostagent/checks.d/site_disk_full.py", GOOD)
    enabled = ["systemctl", "is-enabled", packaged.UNITS[0]]
    assert node.out(*enabled) == "enabled"
    node.run("systemctl", "disable", packaged.UNITS[0])
    packaged.install(node)
    assert node.run(*enabled, check=False).stdout == "disabled\n"
    node.run("systemctl", "enable", packaged.UNITS[0])
    assert node.out("hostagent", "--version") != f"hostagent {packaged.OLDER}"
    assert node.read("/etc/hostagent/hostagent.toml").endswith("# mine\n")
    assert "SITE_DISK_FULL" in node.out("hostagent", "checks", "list")
    _nothing_moved(node, running)
    # The purge belongs to the boot: installing and upgrading did not run it.
    assert node.run("test", "-e", "/run/hostagent/purge.json", check=False).returncode == 1
    if kind == "whole":  # the agent was started, and it repairs
        assert soon(30, lambda: node.out("ovs-vsctl", "list-ports", "br-int") == "")
    if kind == "ovs-only":  # without libvirt nobody can say whose it is
        assert "vnet77" in node.out("ovs-vsctl", "list-ports", "br-int")
        node.run("ovs-vsctl", "--no-wait", "del-port", "vnet77")

    packaged.reboot(node)
    assert packaged.failed(node) == ""
    status, checks = check(node)
    assert (status, alarms(node)) == (0, set())
    assert checks["SITE_DISK_FULL"]["state"] == "ok"
    packaged.until_settled(node)
    running = packaged.services(node)

    packaged.install(node)
    _nothing_moved(node, running)
    node.run("dpkg", "--remove", "hostagent")
    _nothing_moved(node, running)
    assert packaged.loaded(node, "--state=active,failed") == ""
    assert node.read("/etc/hostagent/hostagent.toml").endswith("# mine\n")
    packaged.install(node)
    node.run("dpkg", "--purge", "hostagent")
    _nothing_moved(node, running)
    assert packaged.loaded(node, "--all") == ""
    assert packaged.traces(node) == ""
    assert packaged.files(node) - before == set()


def _nothing_moved(node: Node, running: dict[str, str]) -> None:
    """No unit has failed, and each service of others is the process that it was."""
    assert packaged.failed(node) == ""
    now = packaged.services(node)
    assert {name: now.get(name) for name in running} == running
