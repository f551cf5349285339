"""The gate: what is reserved, who is refused, and what a restart of the agent remembers."""

from __future__ import annotations

import base64
import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from hostagent.config import Admit, Memory, Paths, Settings
from hostagent.daemon.admission import Gate
from hostagent.daemon.serve import Peer
from hostagent.errors import RefusedError
from hostagent.health.case_memory import guests_memory_of, memory_of
from hostagent.model.guests import Domain, Domains, DomainState
from hostagent.model.host import SECTIONS, Snapshot, Trouble, Unavailable

if TYPE_CHECKING:
    from pathlib import Path

ROOT = Peer(pid=1, uid=0, gid=0)
GONE = Unavailable(trouble=Trouble.UNREACHABLE, reason="no matter here", since=0.0)
UUID = "00000000-0000-4000-8000-00000000000{}"


class Host:
    """A host of 64 GiB with a budget of 62, and guests of 9 GiB and 1 GiB of overhead at a ratio of 1."""

    def __init__(self, folder: Path, policy: Admit = Admit.ENFORCE) -> None:
        self.settings = Settings(
            memory=Memory(policy=policy, ratio=1.0),
            paths=Paths(state_dir=str(folder / "state"), run_dir=str(folder / "run")),
        )
        self.gate = Gate(self.settings)

    def restart(self) -> None:
        self.gate = Gate(self.settings)

    def look(self, *running: str, at: float | None = None, known: bool = True, **memory: Any) -> None:
        now = time.time() if at is None else at
        guests: list[dict[str, Any]] = [
            {"name": each, "uuid": uuid(each), "maximum": "9 GiB", "vcpus": 1, "process": {"anonymous": 9}}
            for each in running
        ]
        domains = Domains(
            by_uuid={
                uuid(each): Domain(uuid=uuid(each), name=each, state=DomainState.RUNNING, live=True)
                for each in running
            }
        )
        sections: dict[str, Any] = dict.fromkeys(SECTIONS, GONE)
        sections["memory"] = memory_of({"available": 62, "counters": {"at": now}, **memory})
        if known:
            sections |= {"domains": domains, "guests_memory": guests_memory_of(guests)}
        self.gate.observe(Snapshot(taken_at=now, **sections))

    def ask(self, name: str, *, late: float = 0.0, peer: Peer = ROOT) -> str:
        """The result's word, with the reason of a refusal."""
        request = {"ask": "admit", "at": time.monotonic() - late, "xml": xml(name)}
        answer = self.gate.answer(request, peer)
        reason = bytes.fromhex(answer["refused"]).decode() if "refused" in answer else ""
        return f"{answer['result']}: {reason}" if reason else str(answer["result"])

    def counts(self) -> dict[tuple[str, str], int]:
        return {(each.result, each.figure): each.count for each in self.gate.told().counts}


def uuid(name: str) -> str:
    return UUID.format(name)


def xml(name: str) -> str:
    names = f"<name>{name}</name><uuid>{uuid(name)}</uuid>"
    text = f"<domain>{names}<memory unit='GiB'>9</memory><vcpu>1</vcpu></domain>"
    return base64.b64encode(text.encode()).decode()


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


def test_each_admitted_start_takes_its_part_at_once(host: Host) -> None:
    """Six of 9.07 GiB are 54.4: the budget of 62 holds no seventh."""
    host.look()
    words = [host.ask(str(number)) for number in range(7)]
    assert words[:6] == ["admitted"] * 6
    assert words[6].startswith(
        "refused: hostagent refuses to start '6': the budget of 62.0 GiB would need 63.5"
    )
    assert host.gate.told().pending == 6
    assert host.counts() == {("admitted", ""): 6, ("refused", "budget"): 1}


def test_asked_twice_it_is_reserved_once(host: Host) -> None:
    host.look()
    assert [host.ask("1") for _ in range(20)] == ["admitted"] * 20
    assert host.gate.told().pending == 1


def test_observed_nobody_is_refused(tmp_path: Path) -> None:
    host = Host(tmp_path, Admit.OBSERVE)
    host.look()
    assert [host.ask(str(number)) for number in range(8)] == ["admitted"] * 6 + ["would-refuse"] * 2
    assert host.gate.told().pending == 8


def test_nothing_known_lets_it_start(host: Host) -> None:
    assert host.ask("1") == "unknown"
    host.look(known=False)
    assert host.ask("2") == "unknown"
    host.look(at=time.time() - 1000)
    assert host.ask("3") == "unknown"


def test_between_looks_the_hosts_own_figures_say_when_to_look(host: Host) -> None:
    def feel(available: int, at: float) -> bool:
        return host.gate.feel(memory_of({"available": available, "counters": {"at": now + at}}))

    now = time.time()
    assert not feel(1, 0.0), "before the first look there is nothing to compare with"
    host.look(at=now)
    assert not feel(40, 3.0)
    assert feel(6, 6.0)
    host.look(at=now + 6, available=6)
    assert not feel(6, 9.0)
    assert not feel(40, 12.0)
    assert not feel(40, 309.0)
    assert feel(40, 312.0), "five minutes after it got better"
    host.look(at=now + 312, available=40)
    told = host.gate.memory()
    assert told is not None
    assert (told.level, told.since, told.budget.guests) == ("high", now + 312, None)


def test_libvirt_unreadable_for_a_while_keeps_the_last_figures(host: Host) -> None:
    host.look(*"123456")
    host.look(known=False)
    assert host.ask("7").startswith("refused")


def test_who_ran_here_lately_starts_also_after_a_restart(host: Host) -> None:
    host.look(*"1234567")
    host.look(*"123456")
    host.restart()
    assert host.ask("7") == "unknown"
    host.look(*"123456")
    assert host.ask("7") == "recent"
    assert host.ask("8").startswith("refused")


def test_who_ran_long_ago_is_a_new_guest(host: Host) -> None:
    host.look(*"1234567", at=time.time() - 1000)
    host.look(*"123456")
    assert host.ask("7").startswith("refused")


def test_the_hook_has_given_up(host: Host) -> None:
    """The guest runs whatever the answer is: it is reserved."""
    host.look(*"123456")
    assert host.ask("7", late=0.3) == "late"
    assert host.gate.told().pending == 1


def test_a_restart_keeps_what_is_reserved(host: Host) -> None:
    host.look()
    for name in "12345":
        host.ask(name)
    before = host.gate.told().pending_bytes
    host.restart()
    host.look()
    assert host.gate.told().pending_bytes == before


def test_started_while_the_agent_was_away(host: Host) -> None:
    """What libvirt then shows is charged as a start; guests that ran before are not."""
    host.look("1")
    host.restart()
    host.look("1", "2")
    assert host.gate.told().pending == 1
    host.look("1", "2", "3")
    assert host.gate.told().pending == 2


def test_a_guest_that_stops_gives_back_at_once(host: Host) -> None:
    """Also before the guests' memory is read again, which is done less often."""
    host.look()
    host.ask("1")
    host.look("1")
    assert host.gate.told().pending == 1
    host.look()
    assert host.gate.told().pending == 0


def test_only_root_asks(host: Host) -> None:
    with pytest.raises(RefusedError, match="needs root"):
        host.ask("1", peer=Peer(pid=2, uid=1000, gid=1000))


@pytest.mark.parametrize("xml", ["", "!", "PGRvbWFpbi8+", base64.b64encode(b"<domain>" * 9).decode(), None])
def test_what_is_no_domain(host: Host, xml: object) -> None:
    host.look()
    with pytest.raises(RefusedError):
        host.gate.answer({"ask": "admit", "at": time.monotonic(), "xml": xml}, ROOT)
    assert host.counts() == {("unknown", ""): 1}


def test_files_that_are_garbage_are_left_out(
    host: Host, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    host.look("1")
    host.ask("2")
    for file in ("run/admission.json", "state/ran.json"):
        (tmp_path / file).write_text(json.dumps({"reservations": 7, "ran": []}))
    host.restart()
    assert host.gate.told().pending == 0
    assert caplog.text.count("can't be read and is left out") == 2
