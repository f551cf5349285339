"""Guests' renewals on the networks that are only to be watched (dhcp.passive)."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from hostagent.act.dhcp.passive import Watcher
from hostagent.errors import HostagentError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from hostagent.model.dhcp import Outcome, ProbeReport, ProbeTarget

_LOG = logging.getLogger("hostagent")
_Key = tuple[str, str]
_AGAIN_SECONDS = 600.0  # a verdict that stays is told anew, so that it does not grow old


class Watching:
    """One watcher for each network, as long as its server and link are the same. For one thread."""

    def __init__(self) -> None:
        self._watchers: dict[_Key, tuple[ProbeTarget, Watcher]] = {}
        self._told: dict[_Key, ProbeReport] = {}
        self._failed: dict[_Key, str] = {}

    def follow(self, targets: Iterable[ProbeTarget]) -> None:
        """Watch these and no others. What can't be listened on is tried again at the next call."""
        wanted = {(each.network, each.server): each for each in targets}
        for key, (target, watcher) in list(self._watchers.items()):
            if key not in wanted or _place(wanted[key]) != _place(target) or watcher.ended:
                watcher.stop()
                del self._watchers[key]
                self._told.pop(key, None)
        for key, target in wanted.items():
            if key not in self._watchers:
                self._start(key, target)

    def news(self) -> list[ProbeReport]:
        """The reports of networks whose verdict, or number of guests, is another than the last one told."""
        found = []
        for key, (target, watcher) in self._watchers.items():
            report = replace(watcher.report(), server_pid=target.server_pid)
            before = self._told.get(key)
            if before is None or _words(report) != _words(before) or report.at > before.at + _AGAIN_SECONDS:
                self._told[key] = report
                found.append(report)
        return found

    def counts(self) -> Mapping[_Key, Mapping[str, int]]:
        """Renewals of each network by what became of them, since its watcher started."""
        found = {}
        for key, (_, watcher) in self._watchers.items():
            counted = watcher.counts()
            found[key] = {
                "answered": counted.answered,
                "refused": counted.refused,
                "silent": counted.silent,
            }
        return found

    def close(self) -> None:
        """Stop all."""
        self.follow(())

    def _start(self, key: _Key, target: ProbeTarget) -> None:
        watcher = Watcher(target)
        try:
            watcher.start()
        except (HostagentError, OSError) as error:
            if self._failed.get(key) != str(error):
                _LOG.warning("renewals on %s can't be watched: %s", target.network, error)
            self._failed[key] = str(error)
            return
        self._failed.pop(key, None)
        self._watchers[key] = target, watcher


def _place(target: ProbeTarget) -> tuple[object, ...]:
    return target.namespace, target.link, target.server_pid


def _words(report: ProbeReport) -> tuple[Outcome, int]:
    return report.outcome, report.asked
