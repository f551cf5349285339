"""hostagent memory and memory fits, over memories written in TOML."""

import json
import re
import tomllib
from collections.abc import Callable
from typing import Any

import pytest

from hostagent.cli import memory
from hostagent.health.case_memory import guests_memory_of, memory_of
from hostagent.model.host import Trouble, Unavailable
from tests.unit.cli.conftest import Cli

Show = Callable[..., None]

BUSY = """
[memory]
available = 30
ksm = { run = 1, sharing = 262144, shared = 65536, unshared = 200000, full_scans = 9 }
nodes = [{ number = 0, total = 32 }, { number = 1, total = 32 }]
swaps = [{ path = "/dev/sda2", size = 8 }]
[[guest_memory]]
name = "elastic"
maximum = 24
vcpus = 8
balloon = 20
process = { anonymous = 18, merging_pages = 327680, zero_pages = 0 }
[[guest_memory]]
name = "pinned"
maximum = 12
vcpus = 4
backing = "fixed"
why = ["VFIO"]
vfio = true
bound = { 1 = 12 }
process = { anonymous = 12, merging_pages = 0, zero_pages = 0 }
"""
HUNG = Unavailable(trouble=Trouble.UNRESPONSIVE, reason="libvirt did not answer within 5 s", since=0.0)


@pytest.fixture
def show(monkeypatch: pytest.MonkeyPatch) -> Show:
    def host(text: str, **unread: Unavailable) -> None:
        raw: dict[str, Any] = tomllib.loads(text)
        host = unread.get("memory", memory_of(raw.get("memory", {})))
        guests = unread.get("guests", guests_memory_of(raw.get("guest_memory", [])))
        monkeypatch.setattr(memory, "look_at_memory", lambda *_: (host, guests))

    return host


def test_one_screen(cli: Cli, show: Show) -> None:
    """34 GiB are used, 30 - 1 by guests: R is 5, B 59. 24770/1.2 + 13450 MiB are 33.3 GiB."""
    show(BUSY)
    said = cli("memory")
    assert (said.code, said.err) == (0, "")
    assert said.out == (
        "HIGH memory of node1\n"
        "\n"
        "Budget   [#######==========.............] 33.3 GiB needed of 59.0 GiB at 1:1.2, 25.7 GiB left\n"
        "         promised 1:0.63: elastic 24.2 GiB (=), fixed 13.1 GiB (#)\n"
        "         ? by balloons, 1:0.51 resident\n"
        "Host     64.0 GiB, 30.0 GiB available (46.9 %), 0 in huge pages\n"
        "         5.0 GiB reserved; all that is no guest takes 5.0 GiB now\n"
        "node0    0 needed of 29.5 GiB by bound guests\n"
        "node1    13.1 GiB needed of 29.5 GiB by bound guests\n"
        "KSM      on: saves 1.0 GiB, metadata 32 MiB, profit 992 MiB; 18.0 GiB mergeable, 16 min a pass\n"
        "Unmerge  29.0 GiB left if every merged page were written (37.0 GiB with swap)\n"
        "Worst    42.4 GiB if guests touch all they may, 29.6 GiB to spare with swap; KSM bears 1:1.03\n"
        "CPU      12 virtual on 16 threads, 1:0.75 of 1:2\n"
        "\n"
        "GUEST    BACKING       MAX       BALLOON   RSS       OVERHEAD  MERGED   VCPUS\n"
        "elastic  elastic       24.0 GiB  20.0 GiB  18.0 GiB  194 MiB   1.0 GiB  8\n"
        "pinned   fixed (VFIO)  12.0 GiB  ?         12.0 GiB  1.1 GiB   0        4\n"
    )


def test_the_screen_is_one_screen(cli: Cli, show: Show) -> None:
    guests = "".join(f'[[guest_memory]]\nname = "g{index:03}"\nmaximum = 1\n' for index in range(40))
    show(guests)
    said = cli("memory")
    assert len(said.out.splitlines()) == 24
    assert "and 30 more (--full prints all)" in said.out
    assert "g039" in cli("memory --full").out


def test_over_budget(cli: Cli, show: Show) -> None:
    show('[[guest_memory]]\nname = "a"\nmaximum = 80\n')
    said = cli("memory")
    assert said.out.startswith("SOFT memory of node1 (")
    assert re.search(r"\[=+!\] 66\.\d GiB needed of 62\.0 GiB at 1:1\.2, 4\.\d GiB too many", said.out)
    assert cli("memory fits --memory 1G --vcpus 1 --count").out == "0\n"


def test_json(cli: Cli, show: Show) -> None:
    show(BUSY)
    found = json.loads(cli("memory --json").out)
    assert (found["schema"], found["state"], found["reasons"]) == ("hostagent.memory/v1", "high", [])
    budget = found["budget"]
    assert budget["headroom"] == budget["capacity"] - budget["needed"]
    assert budget["balloon_ratio"] is None
    assert [each["name"] for each in budget["guests"]] == ["elastic", "pinned"]
    assert [each["headroom"] > 0 for each in budget["nodes"]] == [True, True]


def test_guests_that_could_not_be_read_are_unknown_and_exit_3(cli: Cli, show: Show) -> None:
    show(BUSY, guests=HUNG)
    said = cli("memory")
    assert (said.code, said.err) == (3, "hostagent: libvirt did not answer within 5 s\n")
    assert "? needed of 62.0 GiB at 1:1.2" in said.out
    assert "Unmerge  29.0 GiB left" in said.out
    assert "the guests could not be read" in said.out
    said = cli("memory fits --memory 1G --vcpus 1")
    assert (said.code, said.out, said.err) == (3, "", "hostagent: libvirt did not answer within 5 s\n")


def test_no_proc(cli: Cli, show: Show) -> None:
    show(BUSY, memory=Unavailable(trouble=Trouble.INVALID, reason="/proc/meminfo can't be read", since=0.0))
    assert cli("memory").err == "hostagent: /proc/meminfo can't be read\n"
    assert cli("memory --json").code == 3


def test_fits(cli: Cli, show: Show) -> None:
    """Each 4106 MiB or so; 30 - 6.4 GiB are 5 of them, where the budget has room for 7."""
    show(BUSY)
    said = cli("memory fits --memory 4G --vcpus 2")
    assert said.out.splitlines() == [
        "5 more of 4.0 GiB and 2 virtual CPUs fit, each 4.1 GiB with QEMU's overhead",
        "the next is stopped by the available memory: 5.4 GiB would be available, less than 6.4 GiB (10 %)",
        "CPU: 22 virtual on 16 threads then, 1:1.38; 1:2 has room for 10",
    ]
    assert cli("memory fits --memory 4GiB --vcpus 2 --count").out == "5\n"
    found = json.loads(cli("memory fits --memory 4096M --vcpus 2 --json").out)
    assert (found["count"], found["stopped_by"]) == (5, "available memory")


@pytest.mark.parametrize(
    "line", ["--memory 4 --vcpus 2", "--memory 0G --vcpus 2", "--memory 4G", "--memory 4G --vcpus 0"]
)
def test_a_wrong_request(cli: Cli, show: Show, line: str) -> None:
    show(BUSY)
    said = cli(f"memory fits {line}")
    assert (said.code, said.out, said.err.count("\n")) == (3, "", 1)


def test_a_guests_name_is_never_obeyed(cli: Cli, show: Show) -> None:
    show('[[guest_memory]]\nname = "evil\\u001b[31m\\nb"\nmaximum = 1\n')
    assert "evil\\x1b[31m\\x0ab" in cli("memory").out
