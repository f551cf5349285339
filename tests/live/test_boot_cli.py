"""hostagent boot in a node: what it makes of libvirt's domains, also when cut short, and what it tells."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.live import agent
from tests.live.boot_domains import CROWD, CUT, DOMAIN, NAMES, NOVA, PACED, SITE, autostarted, boot, xml

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.lab import Node

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def node(make_node: Callable[..., Node]) -> Node:
    """Domains that have never run; all but "off" and "quiet" have autostart on. No agent runs."""
    made = make_node("bcli")
    for name in (*NAMES, *CROWD):
        metadata = {"cloud": NOVA, "web": SITE}.get(name, "")
        made.run("virsh", "-q", "define", "/dev/stdin", input=DOMAIN.format(name=name, metadata=metadata))
        if name not in {"off", "quiet"}:
            made.run("virsh", "-q", "autostart", name)
    return made


@pytest.fixture
def fresh(node: Node) -> Iterator[Node]:
    """Nothing runs, nothing is wished, libvirt has its flags."""
    yield node
    node.run("systemctl", "stop", "hostagent.service")
    node.run("sh", "-c", "virsh -q list --name | grep . | xargs -rd '\\n' -n1 virsh -q destroy")
    boot(node, "release", "--all")
    forget = 'for name; do virsh metadata "$name" urn:hostagent:boot:1 --config --remove; done'
    node.run("sh", "-c", forget, "sh", *NAMES)


def test_set_is_in_the_metadata_beside_others(fresh: Node) -> None:
    fresh.start("web")
    said = boot(fresh, "set", "web", "--after", "two words", "--after", "db", "--priority", "-3")
    assert (said.returncode, said.stderr) == (0, "")
    assert said.stdout == "web: priority -3; after two words, db\n"
    for flags in ((), ("--inactive",)):
        text = xml(fresh, "web", *flags)
        assert '<hostagent:after name="two words"/>' in text
        assert "urn:example:rack" in text
    uuid = fresh.out("virsh", "domuuid", "web")
    assert boot(fresh, "set", uuid).stdout == said.stdout
    refused = boot(fresh, "set", "two words", "--after", "web")
    assert refused.returncode == 12
    assert refused.stderr == (
        "hostagent: refused: two words: it would start after itself (two words → web → two words)\n"
    )
    assert boot(fresh, "set", "web", "--clear").stdout == "web: priority 0; after nobody\n"
    for flags in ((), ("--inactive",)):
        text = xml(fresh, "web", *flags)
        assert "hostagent" not in text
        assert "urn:example:rack" in text


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("set", "wbe", "--exempt"), "refused: no domain is called wbe (did you mean web?)"),
        (("set", "cloud", "--exempt"), "refused: cloud: nova runs it: it is counted, never held or ordered"),
        (("adopt", "cloud"), "cloud: refused: nova runs it, and starts it"),
        (
            ("adopt", "off"),
            "off: refused: its autostart is off, so there is nothing to take over (virsh autostart off)",
        ),
    ],
)
def test_refusals(fresh: Node, words: tuple[str, ...], line: str) -> None:
    before = xml(fresh, "cloud"), autostarted(fresh)
    said = boot(fresh, *words)
    assert (said.returncode, said.stdout, said.stderr) == (12, "", f"hostagent: {line}\n")
    assert (xml(fresh, "cloud"), autostarted(fresh)) == before


def test_adopted_and_released_is_as_before(fresh: Node) -> None:
    names = [name for name in NAMES if name not in {"cloud", "off", "quiet"}]
    assert boot(fresh, "set", "web", "--after", "db").returncode == 0
    before = {name: xml(fresh, name, "--inactive") for name in NAMES}
    flags = autostarted(fresh)
    fresh.start("db")
    said = boot(fresh, "adopt", "--all")
    assert (said.returncode, said.stderr) == (0, "")
    assert set(said.stdout.splitlines()) == {
        *(f"{name}: adopted" for name in (*names, *CROWD)),
        "cloud: left to libvirt: nova runs it",
    }
    assert autostarted(fresh) == {"cloud"}
    assert all('adopted="yes"' in xml(fresh, name, "--inactive") for name in names)
    assert 'adopted="yes"' in xml(fresh, "db")
    assert set(boot(fresh, "adopt", *names).stdout.splitlines()) == {
        f"{each}: adopted already" for each in names
    }
    fresh.run("systemctl", "restart", "libvirtd")
    assert boot(fresh, "release", "--all").returncode == 0
    assert autostarted(fresh) == flags
    assert {name: xml(fresh, name, "--inactive") for name in NAMES} == before
    assert boot(fresh, "release", "--all").stdout == "nothing is adopted\n"


def test_dead_parents_and_circles(fresh: Node) -> None:
    boot(fresh, "set", "web", "--after", "off")
    said = boot(fresh, "adopt", "web", "db")
    assert (said.returncode, said.stdout) == (11, "db: adopted\n")
    assert "it starts after off, which is shut off and is started by nobody" in said.stderr
    fresh.start("off")
    said = boot(fresh, "adopt", "web")
    assert (said.returncode, said.stdout) == (0, "web: adopted\n")
    assert said.stderr == (
        "hostagent: web: off, which it starts after, runs, and is started by nobody at the node's boot\n"
    )
    wish = '<boot xmlns="urn:hostagent:boot:1" after="quiet"/>'  # by hand, where nobody refuses
    fresh.run("virsh", "metadata", "off", "urn:hostagent:boot:1", "--config", "--key", "h", "--set", wish)
    wish = wish.replace("quiet", "off")
    fresh.run("virsh", "destroy", "off")
    fresh.run("virsh", "metadata", "quiet", "urn:hostagent:boot:1", "--config", "--key", "h", "--set", wish)
    fresh.run("virsh", "-q", "autostart", "quiet")
    said = boot(fresh, "adopt", "quiet")
    fresh.run("virsh", "-q", "autostart", "--disable", "quiet")
    assert said.returncode == 12
    assert "quiet: refused: it starts after itself (quiet → off → quiet)" in said.stderr


def test_a_transient_domain(fresh: Node) -> None:
    fresh.run("virsh", "-q", "create", "/dev/stdin", input=DOMAIN.format(name="passing", metadata=""))
    said = boot(fresh, "set", "passing", "--exempt")
    assert (said.returncode, said.stdout) == (0, "passing: priority 0; after nobody; exempt from pacing\n")
    assert said.stderr == "hostagent: passing is transient: this ends with its run\n"
    assert boot(fresh, "adopt", "passing").returncode == 12


@pytest.mark.parametrize("word", ["adopt", "release"])
def test_cut_short_at_any_step_somebody_starts_each_guest(fresh: Node, word: str) -> None:
    """Ended before each change that it makes: autostart is on, or the metadata says adopted."""
    fresh.write("/root/cut.py", CUT)
    for number in range(2 * len(CROWD)):
        boot(fresh, "release" if word == "adopt" else "adopt", *CROWD)
        done = fresh.run("python3", "/root/cut.py", str(number), "boot", word, *CROWD, check=False)
        assert done.returncode == 9, number
        flags = autostarted(fresh)
        adopted = {name for name in CROWD if "adopted" in xml(fresh, name, "--inactive")}
        assert flags | adopted >= set(CROWD), number
        assert boot(fresh, word, *CROWD).returncode == 0
        assert bool(autostarted(fresh) & set(CROWD)) is (word == "release")
    done = fresh.run("python3", "/root/cut.py", str(number + 1), "boot", word, *CROWD, check=False)
    assert done.returncode == 0, "it makes more changes than it was cut at"


def test_libvirt_that_hangs_or_is_gone_is_one_line(fresh: Node) -> None:
    fresh.run("systemctl", "kill", "-s", "STOP", "libvirtd")
    try:
        said = boot(fresh, "adopt", "--all", "--timeout", "2s")
    finally:
        fresh.run("systemctl", "kill", "-s", "CONT", "libvirtd")
    assert (said.returncode, said.stdout) == (3, "")
    assert said.stderr == "hostagent: libvirt at qemu:///system did not answer within 2 s\n"
    fresh.run("sh", "-c", "systemctl stop libvirtd.socket libvirtd-ro.socket libvirtd-admin.socket libvirtd")
    try:
        said = boot(fresh, "release", "--all")
    finally:
        fresh.run("systemctl", "start", "libvirtd.socket", "libvirtd")
    assert (said.returncode, said.stdout, said.stderr.count("\n")) == (3, "", 1)
    assert said.stderr.startswith("hostagent: libvirt unreachable at qemu:///system: ")


def test_nobody_but_root(fresh: Node) -> None:
    said = fresh.run(
        "setpriv", "--reuid", "nobody", "--clear-groups", "hostagent", "boot", "adopt", "--all", check=False
    )
    assert (said.returncode, said.stderr) == (
        12,
        "hostagent: refused: boot adopt needs root (run it with sudo)\n",
    )
    said = fresh.run("setpriv", "--reuid", "nobody", "--clear-groups", "hostagent", "boot", check=False)
    assert (said.returncode, said.stdout, said.stderr.count("\n")) == (3, "", 1)


def told(node: Node) -> dict[str, Any]:
    said = boot(node, "status", "--json")
    found: dict[str, Any] = json.loads(said.stdout) if said.stdout else {"state": said.stderr, "guests": []}
    return found


def state(node: Node, name: str) -> str:
    return next((str(each["state"]) for each in told(node)["guests"] if each["name"] == name), "")


def test_the_queue_as_the_agent_tells_it(fresh: Node) -> None:
    boot(fresh, "set", "web", "--priority", "5")
    agent.configure(fresh, PACED)
    agent.until("the agent looks after boots", lambda: told(fresh)["state"] == "idle", seconds=90)
    assert boot(fresh, "hold", "--reason", "a test").returncode == 0
    fresh.start("db", "web")
    agent.until("both are held", lambda: state(fresh, "web") == state(fresh, "db") == "held", seconds=90)
    assert [each["name"] for each in told(fresh)["guests"]] == ["web", "db"]
    screen = boot(fresh, "status")
    assert screen.returncode == 0
    first = screen.stdout.splitlines()[0]
    assert first.startswith(
        f"HELD boots of {fresh.out('hostname')}: 0 booting, 2 queued (2 started and suspended); "
    )
    assert "nothing is released until hostagent boot resume: a test" in first
    assert fresh.out("virsh", "domstate", "db") == "paused"
    unknown = boot(fresh, "go", "dbx")
    assert (unknown.returncode, unknown.stdout, unknown.stderr.count("\n")) == (3, "", 1)
    assert boot(fresh, "go", "web").stdout == "let go: web\n"
    agent.until("web goes although all are held", lambda: state(fresh, "web") == "booting", seconds=90)
    assert fresh.out("virsh", "domstate", "web") == "running"
    assert state(fresh, "db") == "held"
    assert boot(fresh, "resume").returncode == 0
    agent.until(
        "db waits for the limit",
        lambda: "1 boot running, limit 1" in boot(fresh, "status").stdout,
        seconds=90,
    )
    assert boot(fresh, "go", "--all").stdout == "let go: db\n"
    agent.until("db goes", lambda: state(fresh, "db") == "booting", seconds=90)
    assert {"PACING"} == {boot(fresh, "status").stdout.split()[0]}
    assert boot(fresh, "go", "--all").stdout == "nobody waits\n"
