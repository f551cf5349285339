"""The tuner on files as the kernel has them: what it writes, keeps, and hands back."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from hostagent.act.ksm import Tuner
from hostagent.config import Ksm, Paths, Settings
from hostagent.health.case_memory import memory_of
from hostagent.model.host import Trouble, Unavailable
from hostagent.sources.ksm import read_ksm

if TYPE_CHECKING:
    from pathlib import Path

    from hostagent.model.memory import HostMemory

OLD = {
    "run": "0",
    "pages_to_scan": "100",
    "sleep_millisecs": "20",
    "pages_shared": "0",
    "pages_sharing": "0",
    "pages_unshared": "90000000",
    "pages_volatile": "0",
    "full_scans": "0",
}
ADVISOR = {"advisor_mode": "[none] scan-time", "advisor_target_scan_time": "200", "advisor_max_cpu": "70"}


class Host:
    def __init__(self, folder: Path, files: dict[str, str]) -> None:
        self.sys, self.proc, self.journal = folder / "ksm", folder / "proc", folder / "state/ksm.json"
        (self.proc / "sys/kernel/random").mkdir(parents=True)
        self.boot("one")
        self.sys.mkdir()
        for name, text in files.items():
            (self.sys / name).write_text(f"{text}\n")
        self.before = self.now()
        self.paths = Paths(
            state_dir=str(folder / "state"), run_dir=str(folder / "run"), stop_file=str(folder / "stop")
        )
        self.stop = folder / "stop"
        self.settings = Settings(paths=self.paths, ksm=Ksm(tune=True))
        self.tuner = self.restarted()

    def hand_back(self) -> None:
        self.now()
        self.tuner.hand_back(self.settings)

    def restarted(self) -> Tuner:
        return Tuner(self.paths, folder=str(self.sys), proc_dir=str(self.proc))

    def boot(self, name: str) -> None:
        (self.proc / "sys/kernel/random/boot_id").write_text(name)

    def now(self) -> dict[str, str]:
        """The files, with the kernel's brackets around the word of a choice that was written."""
        mode = self.sys / "advisor_mode"
        if mode.exists() and "[" not in mode.read_text():
            chosen = mode.read_text().strip()
            mode.write_text("none scan-time\n".replace(chosen, f"[{chosen}]"))
        return {path.name: path.read_text().strip() for path in self.sys.iterdir()}

    def memory(self) -> HostMemory:
        self.now()
        return replace(memory_of({}), ksm=read_ksm(str(self.sys)))

    def turn(self, *, tune: bool = True, held: bool = False) -> None:
        self.tuner.turn(self.memory(), replace(self.settings, ksm=Ksm(tune=tune)), held=held)


@pytest.fixture(params=["advisor", "before 6.8"])
def host(tmp_path: Path, request: pytest.FixtureRequest) -> Host:
    return Host(tmp_path, OLD | (ADVISOR if request.param == "advisor" else {}))


def test_it_sets_the_pace_and_hands_back(host: Host) -> None:
    host.turn()
    now = host.now()
    assert now["run"] == "1"
    if "advisor_mode" in now:
        wished = ("none [scan-time]", "3600", "20", "100")
        names = ("advisor_mode", "advisor_target_scan_time", "advisor_max_cpu", "pages_to_scan")
        assert tuple(now[name] for name in names) == wished
    else:
        assert now["pages_to_scan"] == "500"
    host.hand_back()
    assert host.now() == host.before
    assert not host.journal.exists()


def test_off_again_or_crashed_it_hands_back_what_was_first_there(host: Host) -> None:
    host.turn()
    host.tuner = host.restarted()
    host.turn()
    host.turn(tune=False)
    assert host.now() == host.before


def test_of_another_boot_nothing_is_handed_back(host: Host) -> None:
    host.turn()
    tuned = host.now()
    host.boot("two")
    host.restarted().hand_back(host.settings)
    assert host.now() == tuned
    assert not host.journal.exists()


def test_off_by_default_paused_stopped_or_unread_it_touches_nothing(host: Host) -> None:
    host.turn(tune=Settings().ksm.tune)
    host.turn(held=True)
    gone = Unavailable(trouble=Trouble.INVALID, reason="unread", since=0.0)
    host.tuner.turn(gone, host.settings, held=False)
    host.stop.touch()
    host.turn()
    assert host.now() == host.before
    assert not host.journal.exists()


def test_unmerging_is_left_alone(host: Host) -> None:
    (host.sys / "run").write_text("2")
    host.turn()
    assert host.now() == host.before | {"run": "2"}


def test_old_values_are_on_disk_before_the_first_change(host: Host) -> None:
    host.turn()
    old = json.loads(host.journal.read_text())["old"]
    assert old == {name: host.before[name].partition(" ")[0].strip("[]") for name in old}
    assert {"run", "pages_to_scan"} <= set(old)


def test_where_nothing_can_be_written_one_line_says_so(host: Host, caplog: pytest.LogCaptureFixture) -> None:
    (host.sys / "run").unlink()
    (host.sys / "run").symlink_to("/proc/sys/kernel/ngroups_max")  # which not even root may write
    for _ in range(3):
        host.turn()
    assert caplog.text.count("KSM is not tuned until the agent starts again") == 1
