"""hostagent boot set: what is written into a domain's metadata, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from hostagent.model.boot_wish import BootWish
from hostagent.model.guests import DomainState
from tests.unit.cli.boots import FakeLibvirt, domain

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Cli


@pytest.fixture
def libvirt(monkeypatch: pytest.MonkeyPatch) -> FakeLibvirt:
    return FakeLibvirt.installed(monkeypatch)


def test_set_writes_what_is_said_and_keeps_the_rest(cli: Cli, libvirt: FakeLibvirt) -> None:
    libvirt.hold([domain("web", "db", adopted=True)])
    said = cli("boot set web --priority -5")
    assert (said.code, said.err) == (0, "")
    assert said.out == "web: priority -5; after db; adopted\n"
    assert cli("boot set web --exempt").out == "web: priority -5; after db; exempt from pacing; adopted\n"
    assert cli("boot set web --no-exempt --no-after").out == "web: priority -5; after nobody; adopted\n"
    uuid = libvirt.named("off").uuid
    assert cli(f"boot set web --after {uuid} --after db --after off").out == (
        "web: priority -5; after off, db; adopted\n"
    )
    assert cli("boot set web --clear --priority 2").out == "web: priority 2; after nobody; adopted\n"
    assert cli(f"boot set {libvirt.named('web').uuid} --clear").out == (
        "web: priority 0; after nobody; adopted\n"
    )
    assert libvirt.named("web").wish == BootWish(adopted=True)


def test_a_wish_that_says_nothing_leaves_no_element(cli: Cli, libvirt: FakeLibvirt) -> None:
    assert cli("boot set web --no-after").code == 0
    assert libvirt.calls == [("wish", "web", None)]


def test_set_changes_nothing_that_is_so_already(cli: Cli, libvirt: FakeLibvirt) -> None:
    assert cli("boot set web --after db").code == 0
    assert cli("boot set web").out == "web: priority 0; after db\n"
    assert libvirt.calls == []


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("set wbe --exempt", "no domain is called wbe (did you mean web?)"),
        ("set web --after dbb", "no domain is called dbb (did you mean db?)"),
        ("set db --after db", "db: db can't start after itself"),
        ("set db --after web", "db: it would start after itself (db → web → db)"),
        ("set cloud --priority 1", "cloud: nova runs it: it is counted, never held or ordered"),
    ],
)
def test_set_refuses_in_one_line(cli: Cli, libvirt: FakeLibvirt, line: str, said: str) -> None:
    done = cli(f"boot {line}")
    assert (done.code, done.out, done.err) == (12, "", f"hostagent: refused: {said}\n")
    assert libvirt.calls == []


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("set web --after db --no-after", "--after and --no-after contradict each other ("),
        ("set web --priority 1001", "Invalid value for '--priority': 1001 is not in the range"),
        ("set web --priority high", "Invalid value for '--priority': 'high' is not a valid integer"),
        ("set", "Missing argument 'NAME'"),
    ],
)
def test_a_wrong_line_is_one_line(cli: Cli, libvirt: FakeLibvirt, line: str, said: str) -> None:
    done = cli(f"boot {line}")
    assert (done.code, done.out) == (3, "")
    assert done.err.startswith(f"hostagent: {said}")
    assert libvirt.calls == []


def test_set_on_a_transient_domain_says_that_it_does_not_last(cli: Cli, libvirt: FakeLibvirt) -> None:
    libvirt.hold([replace(domain("t", autostart=False), persistent=False, id=3, state=DomainState.RUNNING)])
    said = cli("boot set t --exempt")
    assert (said.code, said.out) == (0, "t: priority 0; after nobody; exempt from pacing\n")
    assert said.err == "hostagent: t is transient: this ends with its run\n"
    assert cli("boot set t").err == ""


def test_set_does_not_claim_what_libvirt_does_not_show(cli: Cli, libvirt: FakeLibvirt) -> None:
    libvirt.forgets = True
    said = cli("boot set web --exempt")
    assert (said.code, said.out) == (12, "")
    assert "libvirt does not show what was written into the metadata" in said.err
