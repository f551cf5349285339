"""Sets KSM's pace where the settings ask for it, and hands back what it found, also after a crash."""

from __future__ import annotations

import json
import logging
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from hostagent.act import lock, places
from hostagent.decide.memory.tuner import TUNED, restored, wishes
from hostagent.errors import HostagentError, JournalError
from hostagent.model.host import Unavailable

if TYPE_CHECKING:
    from hostagent.config import Paths, Settings
    from hostagent.model.memory import HostMemory

FOLDER = "/sys/kernel/mm/ksm"
_FILE = "ksm.json"
_LOG = logging.getLogger("hostagent")


class Tuner:
    """For the loop's thread. ``hand_back`` is for the end of the agent."""

    def __init__(self, paths: Paths, *, folder: str = FOLDER, proc_dir: str = "/proc") -> None:
        self._journal = Path(paths.state_dir, _FILE)
        self._folder = Path(folder)
        self._proc = Path(proc_dir)
        self._broken = ""
        self._spent: tuple[float, float] | None = None  # monotonic, and the thread's CPU seconds by then

    def turn(self, memory: HostMemory | Unavailable, settings: Settings, *, held: bool) -> None:
        """One step towards what the settings wish; back to what was there once they don't any more."""
        if held or isinstance(memory, Unavailable) or memory.ksm is None:
            return
        if not settings.ksm.tune:
            self.hand_back(settings)
            return
        if self._broken:
            return
        wished = wishes(
            memory.ksm,
            scan_seconds=settings.memory.scan_seconds,
            cpu_percent=settings.ksm.cpu_percent,
            busy=self._busy(),
        )
        try:
            changes = [(name, text) for name, text in wished if self._now(name) not in {text, None}]
            if not changes:
                return
            lock.refuse_if_stopped(settings)
            self._remember()
            for name, text in changes:
                self._write(name, text)
                _LOG.info("KSM: %s is %s now", name, text)
        except (HostagentError, OSError) as error:
            words = getattr(error, "strerror", None) or error
            self._broken = str(words)
            _LOG.warning("KSM is not tuned until the agent starts again: %s: %s", self._folder, words)

    def hand_back(self, settings: Settings) -> None:
        """Write the old values again, if any of this boot are kept."""
        try:
            kept = json.loads(self._journal.read_bytes())
            lock.refuse_if_stopped(settings)
            if kept["boot"] == self._boot():
                for name, text in restored({name: str(kept["old"][name]) for name in kept["old"]}):
                    if self._now(name) not in {text, None}:
                        self._write(name, text)
                _LOG.info("KSM has its old settings again")
            self._journal.unlink()
            self._broken = ""
        except FileNotFoundError:
            self._broken = ""
        except (HostagentError, OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            if not self._broken:
                _LOG.warning(
                    "KSM's old settings can't be handed back: %s (they are in %s: remove it to forget)",
                    error,
                    self._journal,
                )
            self._broken = str(error)

    def _remember(self) -> None:
        """The old values are on disk before the first change; those of a run before this one count."""
        try:
            if json.loads(self._journal.read_bytes())["boot"] == self._boot():
                return
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            pass
        old = {name: text for name in TUNED if (text := self._now(name)) is not None}
        try:
            self._journal.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            places.replace(self._journal, json.dumps({"boot": self._boot(), "old": old}), mode=0o644)
        except OSError as error:
            raise JournalError(f"{self._journal} can't be written: {error.strerror}") from error

    def _now(self, name: str) -> str | None:
        """What a file says, of a choice the chosen word; None where this kernel has no such file."""
        try:
            text = (self._folder / name).read_text(encoding="ascii").strip()
        except FileNotFoundError:
            return None
        return text.partition("[")[2].partition("]")[0] if "[" in text else text

    def _write(self, name: str, text: str) -> None:
        number = os.open(self._folder / name, os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC)
        try:
            os.write(number, text.encode())
        finally:
            os.close(number)

    def _boot(self) -> str:
        return (self._proc / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()

    def _busy(self) -> float | None:
        """The share of one CPU that ksmd took since the turn before; None where it can't be seen."""
        now, spent = time.monotonic(), self._ksmd_seconds()
        before, self._spent = self._spent, None if spent is None else (now, spent)
        if spent is None or before is None or now <= before[0]:
            return None
        return max(0.0, spent - before[1]) / (now - before[0])

    def _ksmd_seconds(self) -> float | None:
        for each in self._proc.iterdir():
            try:
                if each.name.isdecimal() and (each / "comm").read_text(encoding="ascii") == "ksmd\n":
                    fields = (each / "stat").read_text(encoding="ascii").rpartition(")")[2].split()
                    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
            except (OSError, ValueError):
                continue
        return None
