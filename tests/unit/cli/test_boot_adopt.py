"""hostagent boot adopt and release: what becomes of libvirt's flag and metadata, and in which order."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

import pytest

from hostagent.model.boot_wish import BootWish
from hostagent.model.host import Trouble
from hostagent.sources.deadline import ReadError
from tests.unit.cli.boots import FakeLibvirt, domain

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.cli.conftest import Cli

DEAD = "which is shut off and is started by nobody"
CHANGE = "hostagent boot set lonely --after … changes that"


@pytest.fixture
def libvirt(monkeypatch: pytest.MonkeyPatch) -> FakeLibvirt:
    return FakeLibvirt.installed(monkeypatch)


def test_adopt_keeps_the_wish_before_the_flag_goes(cli: Cli, libvirt: FakeLibvirt) -> None:
    said = cli("boot adopt web")
    assert (said.code, said.out, said.err) == (0, "web: adopted\n", "")
    assert libvirt.calls == [
        ("wish", "web", BootWish(after=("db",), adopted=True)),
        ("autostart", "web", False),
    ]
    again = cli("boot adopt web")
    assert (again.code, again.out) == (0, "web: adopted already\n")
    assert len(libvirt.calls) == 2


def test_an_adoption_that_was_cut_short_is_ended(cli: Cli, libvirt: FakeLibvirt) -> None:
    libvirt.fails = {("autostart", "db")}
    said = cli("boot adopt db")
    assert said.code == 12
    assert said.err.startswith("hostagent: db: domain 00000000")
    assert (libvirt.named("db").wish.adopted, libvirt.named("db").autostart) == (True, True)
    libvirt.fails = set()
    assert cli("boot adopt --all").code == 0
    assert (libvirt.named("db").wish.adopted, libvirt.named("db").autostart) == (True, False)


def test_the_flag_stays_when_the_wish_is_not_kept(cli: Cli, libvirt: FakeLibvirt) -> None:
    libvirt.forgets = True
    assert cli("boot adopt db").code == 12
    assert libvirt.named("db").autostart


def test_adopt_all_goes_on_after_a_refusal(cli: Cli, libvirt: FakeLibvirt) -> None:
    libvirt.hold((domain("a", "b"), domain("b", "a"), domain("lonely", "off")))
    said = cli("boot adopt --all")
    assert said.code == 11
    assert said.out.splitlines() == ["db: adopted", "web: adopted", "cloud: left to libvirt: nova runs it"]
    assert said.err.splitlines() == [
        "hostagent: a: refused: it starts after itself (a → b → a): hostagent boot set changes that",
        "hostagent: b: refused: it starts after itself (b → a → b): hostagent boot set changes that",
        f"hostagent: lonely: refused: it starts after off, {DEAD} ({CHANGE})",
    ]
    assert {each.name for each in libvirt.guests() if each.autostart} == {"a", "b", "lonely", "cloud"}
    assert cli("boot adopt --all").code == 12


@pytest.mark.usefixtures("libvirt")
def test_adopt_all_that_leaves_only_a_managers_is_done(cli: Cli) -> None:
    assert cli("boot adopt --all").code == 0
    said = cli("boot adopt --all")
    assert (said.code, said.out) == (0, "cloud: left to libvirt: nova runs it\n")


@pytest.mark.parametrize(
    ("names", "code", "err"),
    [
        ("cloud", 12, "cloud: refused: nova runs it, and starts it"),
        ("cloud db", 11, "cloud: refused: nova runs it, and starts it"),
        ("dbb db db", 11, "refused: no domain is called dbb (did you mean db?)"),
        ("off", 12, "off: refused: its autostart is off, so there is nothing to take over ("),
    ],
)
def test_adopt_by_name(cli: Cli, libvirt: FakeLibvirt, names: str, code: int, err: str) -> None:
    said = cli(f"boot adopt {names}")
    assert said.code == code
    assert said.err.startswith(f"hostagent: {err}")
    assert said.err.count("\n") == 1
    assert said.out == ("db: adopted\n" if "db" in names.split() else "")
    assert not libvirt.named("cloud").wish.adopted


def test_what_the_settings_call_managed_is_left_alone(cli: Cli, libvirt: FakeLibvirt, tmp_path: Path) -> None:
    with (tmp_path / "hostagent.toml").open("a") as settings:
        settings.write('[boot]\nmanaged = ["db"]\n')
    said = cli("boot adopt db web")
    assert (said.code, said.out) == (11, "web: adopted\n")
    assert said.err == "hostagent: db: refused: another manager (boot.managed) runs it, and starts it\n"
    assert libvirt.named("db").autostart
    assert cli("boot set db --priority 1").code == 12


def test_release_gives_the_flag_back_before_the_wish_goes(cli: Cli, libvirt: FakeLibvirt) -> None:
    libvirt.hold([domain("web", "db", autostart=False, adopted=True)])
    said = cli("boot release web")
    assert (said.code, said.err) == (0, "")
    assert said.out == "web: released: libvirt starts it at the node's boot\n"
    assert libvirt.calls == [("autostart", "web", True), ("wish", "web", BootWish(after=("db",)))]
    assert cli("boot release web").out == "web: not adopted\n"


def test_release_all_goes_on_after_a_failure(cli: Cli, libvirt: FakeLibvirt) -> None:
    libvirt.hold(domain(name, autostart=False, adopted=True) for name in ("x", "y", "z"))
    libvirt.fails = {("autostart", "x"), ("wish", "y")}
    said = cli("boot release --all")
    assert said.code == 11
    assert said.out == "z: released: libvirt starts it at the node's boot\n"
    assert said.err.count("\n") == 2
    left = {each.name: each.autostart for each in libvirt.guests() if each.wish.adopted}
    assert left == {"x": False, "y": True}
    libvirt.fails = set()
    assert cli("boot release --all").code == 0
    assert cli("boot release --all").out == "nothing is adopted\n"


def test_adopted_and_released_is_as_before(cli: Cli, libvirt: FakeLibvirt) -> None:
    before = libvirt.guests()
    assert cli("boot adopt --all").code == cli("boot release --all").code == 0
    assert libvirt.guests() == before


def test_a_domains_name_is_never_obeyed(cli: Cli, libvirt: FakeLibvirt) -> None:
    libvirt.hold([domain("e\x1b[31m\nx"), domain("f\x1b", autostart=False)])
    said = cli("boot adopt --all")
    assert "e\\x1b[31m\\x0ax: adopted\n" in said.out
    assert "\x1b" not in said.out + said.err
    assert "\x1b" not in cli("boot set f\x1b --after e\x1b").err


@pytest.mark.parametrize("line", ["set web --exempt", "adopt web", "adopt --all", "release --all"])
def test_changes_need_root(
    cli: Cli, libvirt: FakeLibvirt, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    said = cli(f"boot {line}")
    assert (said.code, said.out) == (12, "")
    word = line.split(maxsplit=1)[0]
    assert said.err == f"hostagent: refused: boot {word} needs root (run it with sudo)\n"
    assert libvirt.calls == []
    assert cli("boot set web").code == 0


def test_adopt_not_while_the_agent_is_halted_and_release_always(
    cli: Cli, libvirt: FakeLibvirt, tmp_path: Path
) -> None:
    libvirt.hold([domain("x", autostart=False, adopted=True)])
    (tmp_path / "stop").write_text("")
    assert cli("boot adopt db").code == 12
    assert cli("boot release x").code == 0
    (tmp_path / "hostagent.toml").write_text("[boot]\nno such key = \n")
    libvirt.hold([domain("x", autostart=False, adopted=True)])
    said = cli("boot release --all")
    assert (said.code, said.out) == (0, "x: released: libvirt starts it at the node's boot\n")
    assert cli("boot adopt db").code == 3


def test_libvirt_that_is_gone_is_one_line(
    cli: Cli, libvirt: FakeLibvirt, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise ReadError(Trouble.UNREACHABLE, "libvirt unreachable at qemu:///system: no socket")

    monkeypatch.setattr(libvirt, "guests", fail, raising=False)
    for line in ("set web --exempt", "adopt --all", "release --all"):
        said = cli(f"boot {line}")
        assert (said.code, said.out) == (3, "")
        assert said.err == "hostagent: libvirt unreachable at qemu:///system: no socket\n"


def test_libvirt_that_hangs_is_not_waited_for(
    cli: Cli, libvirt: FakeLibvirt, monkeypatch: pytest.MonkeyPatch
) -> None:
    hung = threading.Event()
    monkeypatch.setattr(libvirt, "autostart", lambda *_, **__: hung.wait(30), raising=False)
    said = cli("boot adopt --all --timeout 300ms")
    hung.set()
    assert (said.code, said.out) == (3, "")
    assert said.err == "hostagent: libvirt at qemu:///system did not answer within 0.3 s\n"
    assert libvirt.named("db").autostart
