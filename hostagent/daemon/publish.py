"""What the agent tells, made and put where the exporter and the socket find it."""

from __future__ import annotations

import grp
import logging
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from hostagent import __version__
from hostagent.act import places
from hostagent.model import plain
from hostagent.model.published import Published

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hostagent.config import Settings
    from hostagent.daemon.admission import Gate
    from hostagent.daemon.tally import Tally
    from hostagent.decide.agent.cycle import Cycle
    from hostagent.health.report import Report
    from hostagent.model.boot_told import BootsTold
    from hostagent.model.published import DhcpNetwork, Hold, Mute, SourceHealth

GROUP = "hostagent"
_LOG = logging.getLogger("hostagent")


def group_id() -> int:
    """The group that may read what the agent tells; root's own where there is none."""
    try:
        return grp.getgrnam(GROUP).gr_gid
    except KeyError:
        return 0


class Publisher:
    """Keeps the current document; ``words`` say in one line how the node is."""

    def __init__(
        self, settings: Settings, tally: Tally, gate: Gate, boots: Callable[[], BootsTold | None]
    ) -> None:
        self.current: Published | None = None
        self.words = "first look"
        self.problems: tuple[str, ...] = ()
        self.reloaded_at: float | None = None
        self._settings = settings
        self._tally = tally
        self._gate = gate
        self._boots = boots
        self._started_at = time.time()
        self._path = Path(settings.paths.run_dir) / "published.json"
        self._cycle: Cycle | None = None
        self._group = group_id()
        self._unwritable = ""

    def publish(
        self,
        report: Report,
        cycle: Cycle | None,
        *,
        sources: tuple[SourceHealth, ...],
        holds: tuple[Hold, ...],
        mutes: tuple[Mute, ...],
        dhcp: tuple[DhcpNetwork, ...],
        wakes: Mapping[str, int],
    ) -> None:
        """Tell the last report; ``cycle`` is the turn that it is of, None when only time has passed."""
        self._cycle = cycle or self._cycle
        self.current = Published(
            version=__version__,
            pid=os.getpid(),
            started_at=self._started_at,
            taken_at=report.taken_at,
            alive_at=time.time(),
            fresh_seconds=self._settings.agent.fresh_seconds,
            report=report.as_json(),
            looks=report.looks,
            look_seconds=report.seconds,
            cycle=self._cycle.reason if self._cycle else "",
            sources=sources,
            repairs=self._tally.repairs(),
            latency=self._tally.latency,
            cost=self._tally.cost(wakes),
            holds=holds,
            mutes=mutes,
            dhcp=dhcp,
            boots=self._boots(),
            left_alone=self._cycle.left_alone if self._cycle else (),
            last_repair_at=self._tally.last_repair_at,
            config_reloaded_at=self.reloaded_at,
            config_problems=self.problems,
            admission=self._gate.told(),
            memory=self._gate.memory(),
        )
        self.words = _words(report, holds, self.current.cycle)
        self._write(plain.text(self.current))

    def reloaded(self, settings: Settings) -> None:
        """Other settings hold from now on."""
        self._settings, self.problems, self.reloaded_at = settings, (), time.time()

    def withdraw(self) -> None:
        """The agent ends: nobody shall take its last words for news."""
        try:
            self._path.unlink(missing_ok=True)
        except OSError as error:
            _LOG.error("can't remove %s: %s; it grows old", self._path, error.strerror)

    def _write(self, text: str) -> None:
        try:
            places.replace(self._path, text, mode=0o640, group=self._group, durable=False)
        except OSError as error:
            if self._unwritable != str(error):
                _LOG.error("can't write %s: %s; metrics grow old", self._path, error.strerror)
            self._unwritable = str(error)
        else:
            self._unwritable = ""


def _words(report: Report, holds: tuple[Hold, ...], reason: str) -> str:
    counts = report.count()
    checks = ", ".join(f"{count} {state}" for state, count in sorted(counts.items()))
    held = f"; held: {', '.join(each.kind for each in holds)}" if holds else ""
    return f"{report.status.upper()}: {checks}{held}; {reason}"
