"""hostagent-agent: the daemon of hostagent.service. Settings, signals, the socket; the loop does the rest."""

from __future__ import annotations

import logging
import os
import signal
import time
from argparse import ArgumentParser
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hostagent.act.journal import carried_out
from hostagent.act.ksm import Tuner
from hostagent.config import DEFAULT_FILE, load
from hostagent.daemon.admission import Gate
from hostagent.daemon.boots.pacer import Pacer
from hostagent.daemon.controls import Controls
from hostagent.daemon.lines import log_to_stderr
from hostagent.daemon.loop import Loop
from hostagent.daemon.notify import Notifier
from hostagent.daemon.parts import Parts
from hostagent.daemon.publish import GROUP, Publisher
from hostagent.daemon.repairs import WHO, kept_record
from hostagent.daemon.serve import Server
from hostagent.daemon.tally import Tally
from hostagent.daemon.wakes import Wakes
from hostagent.decide.agent.cycle import Memory
from hostagent.decide.agent.latch import HOUR_SECONDS
from hostagent.errors import ConfigError, HostagentError, JournalError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import FrameType

    from hostagent.daemon.listening import Peer
    from hostagent.model.boot_guests import BootGuest
    from hostagent.model.published import Published

_LOG = logging.getLogger("hostagent")
_BAD_SETTINGS = 78  # EX_CONFIG of sysexits.h: the unit does not try it again


class Agent:
    """One process: keeps what outlives a change of the settings."""

    def __init__(self, file: Path, *, required: bool) -> None:
        self._file = file
        self._required = required
        self.settings = load(file, required=required)
        self._wakes = Wakes()
        self._tally = Tally()
        self._gate = Gate(self.settings)
        self._tuner = Tuner(self.settings.paths)
        self._pacer = Pacer(self.settings, halted=self._halted, fits=self._fits)
        self._publisher = Publisher(self.settings, self._tally, self._gate, self._pacer.told)
        paths = self.settings.paths
        self._controls = Controls(
            state_dir=paths.state_dir,
            stop_file=paths.stop_file,
            published=self._published,
            wake=lambda: self._wakes.wake("request"),
        )
        self._server = Server(f"{paths.run_dir}/agent.sock", answer=self._answer, group=GROUP)
        self._loop: Loop | None = None
        self._stop = self._reload = False

    def run(self) -> None:
        """Work until SIGTERM or SIGINT.

        Raises:
            HostagentError: it can't begin.
        """
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._signalled)
        notifier = Notifier()
        self._recall()
        memory, report = Memory(record=kept_record(self.settings)), None
        parts = Parts(
            controls=self._controls,
            wakes=self._wakes,
            tally=self._tally,
            publisher=self._publisher,
            gate=self._gate,
            tuner=self._tuner,
            pacer=self._pacer,
        )
        self._server.start()
        self._pacer.start()
        try:
            while not self._stop:
                self._loop = Loop(self.settings, parts, memory=memory, report=report)
                self._loop.run(notifier, self._interrupted)
                memory, report = self._loop.memory, self._loop.report
            notifier.stopping()
        finally:
            self._pacer.close()
            self._server.close()
            self._publisher.withdraw()
            self._tuner.hand_back(self.settings)

    def _answer(self, request: Mapping[str, Any], peer: Peer) -> Mapping[str, Any]:
        """The hook's question waits for no lock of the others'."""
        if request.get("ask") == "admit":
            return self._gate.answer(request, peer)
        if request.get("ask") == "boot":
            return self._pacer.answer(request, peer)
        return self._controls.answer(request, peer)

    def _published(self) -> Published | None:
        """What is told, with the boots of this moment rather than of the last pulse."""
        current = self._publisher.current
        return None if current is None else replace(current, boots=self._pacer.told())

    def _halted(self) -> str:
        """Why no guest may be held or released; the latch is about repairs."""
        holds = self._controls.holds(time.time())
        return "; ".join(f"{each.kind}: {each.reason}" for each in holds if each.kind != "latched")

    def _fits(self, guest: BootGuest) -> str:
        return self._gate.fits(guest.uuid, guest.name, guest.memory)

    def _signalled(self, number: int, _: FrameType | None) -> None:
        if number == signal.SIGHUP:
            self._reload = True
        else:
            self._stop = True
            if self._loop is not None:
                self._loop.end()
        self._wakes.wake("signal")

    def _interrupted(self) -> bool:
        """Whether this loop has to end: for good, or because the settings are others by now."""
        if self._stop or not self._reload:
            return self._stop
        self._reload = False
        try:
            new = load(self._file, required=self._required)
        except ConfigError as error:
            for problem in error.problems:
                _LOG.error("%s; the settings stay as they were", problem)
            self._publisher.problems = error.problems
            return False
        if new.paths != self.settings.paths:
            _LOG.warning("%s: other paths hold from the next start on", self._file)
            new = replace(new, paths=self.settings.paths)
        changed, self.settings = new != self.settings, new
        self._publisher.reloaded(new)
        self._gate.configure(new)
        self._pacer.configure(new)
        _LOG.info("settings read again: %s", "changed" if changed else "as before")
        return True  # the site's checks are read again in any case

    def _recall(self) -> None:
        """Repairs of the last hour count for the latch whichever process made them."""
        try:
            self._tally.done_at = carried_out(self.settings, since=time.time() - HOUR_SECONDS, who=WHO)
        except JournalError as error:
            _LOG.warning("%s", error)


def main() -> int:
    """Run the agent; the exit status."""
    parser = ArgumentParser(prog="hostagent-agent", description="The agent of hostagent, run by systemd.")
    parser.add_argument("--config", type=Path, help=f"settings file, TOML (default: {DEFAULT_FILE})")
    file: Path | None = parser.parse_args().config
    log_to_stderr()
    if os.geteuid() != 0:
        _LOG.error("the agent must be root (systemctl start hostagent)")
        return 1
    try:
        Agent(file or Path(DEFAULT_FILE), required=file is not None).run()
    except ConfigError as error:
        for problem in error.problems:
            _LOG.error("%s", problem)
        return _BAD_SETTINGS
    except (HostagentError, OSError) as error:
        _LOG.error("%s", error)
        return 1
    return 0
