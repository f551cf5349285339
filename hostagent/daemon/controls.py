"""What people tell the agent: pause, resume, mutes; and its own latch. Remembered across restarts."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hostagent.daemon.remembering import keep, recall
from hostagent.daemon.requests import asked_by, number, text, truth
from hostagent.errors import HostagentError, RefusedError
from hostagent.health.mutes import left, marked, refusal
from hostagent.health.report import Report
from hostagent.model.plain import plain
from hostagent.model.published import Hold, Mute

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hostagent.daemon.listening import Peer
    from hostagent.model.published import Published
    from hostagent.model.remembered import Remembered

_LOG = logging.getLogger(__name__)

LONGEST_SECONDS = 30 * 86400.0  # of a mute or pause with an end
_MOST_MUTES = 1000
_LOOK_SECONDS = 15.0
_MOST_WAITING = 4  # for a look at once; the server's other threads are for those who only read
_AGAIN_SECONDS = 0.05


class Controls:
    """Thread-safe. Readers never wait for a disk: they see the last state that is on it.

    ``published`` gives what the agent tells now, None before its first look; ``wake`` asks the loop for a
    look. Times are seconds since the epoch.
    """

    def __init__(
        self,
        *,
        state_dir: str,
        stop_file: str,
        published: Callable[[], Published | None],
        wake: Callable[[], None],
    ) -> None:
        self._state_dir = state_dir
        self._stop_file = Path(stop_file)
        self._published = published
        self._wake = wake
        self._changing = threading.RLock()
        self._waiting = threading.BoundedSemaphore(_MOST_WAITING)
        self._now = recall(state_dir)
        if self._now.latched is not None:
            self._keep_if_possible()

    def holds(self, now: float) -> tuple[Hold, ...]:
        """Why the agent must not act; empty when it may."""
        state = self._now
        paused = state.paused
        if paused is not None and paused.until is not None and now >= paused.until:
            paused = None
        found = (_stopped(self._stop_file, now), state.latched, paused)
        return tuple(each for each in found if each is not None)

    def latch(self, reason: str, now: float) -> None:
        """Stop acting until a person resumes. It holds at once, also when the disk does not take it."""
        with self._changing:
            if self._now.latched is None:
                self._now = replace(self._now, latched=Hold(kind="latched", reason=reason, since=now))
                self._keep_if_possible()

    def resumed_at(self) -> float:
        """When a person resumed last: repairs before that do not count for the latch.

        Never in the future: a clock that was set back must not switch the latch off.
        """
        at = self._now.resumed_at
        return at if at <= time.time() else 0.0

    def mutes(self) -> tuple[Mute, ...]:
        """All that are not known to be over."""
        return self._now.mutes

    def judged(self, report: Report, now: float) -> Report:
        """The report with ``muted`` set. Mutes that it shows to be over are forgotten."""
        kept = left(self._now.mutes, report, now=now)
        if len(kept) < len(self._now.mutes):
            with self._changing:
                kept = left(self._now.mutes, report, now=now)
                for each in self._now.mutes:
                    if each not in kept:
                        _LOG.info("the mute of %s is over", _key(each.code, each.object))
                self._now = replace(self._now, mutes=kept)
                self._keep_if_possible()
        return marked(report, kept, now=now)

    def answer(self, request: Mapping[str, Any], peer: Peer) -> Mapping[str, Any]:
        """Answer one request; the words that change something are for root.

        Raises:
            HostagentError: why not, in one line.
        """
        word = request.get("ask")
        if word == "published":
            return {"ok": True, "published": plain(self._told())}
        if word == "look":
            self._look(number(request, "seconds", least=0.0, most=_LOOK_SECONDS, default=_LOOK_SECONDS))
            return {"ok": True, "published": plain(self._told())}
        changes = {"pause": self._pause, "resume": self._resume, "mute": self._mute, "unmute": self._unmute}
        if word not in changes:
            raise RefusedError(f"the agent does not know the word {word!r:.40} (is it of another version?)")
        if peer.uid != 0:
            raise RefusedError(f"{word} needs root (run it with sudo)")
        with self._changing:
            return {"ok": True, **changes[word](request, asked_by(request, peer), time.time())}

    def _told(self) -> Published:
        """What the agent tells, with the holds and mutes of this moment rather than of its last pulse."""
        published, now = self._published(), time.time()
        if published is None:
            raise HostagentError("the agent has not looked yet: try again in a moment")
        mutes = tuple(each for each in self._now.mutes if now < each.until)
        disabled = tuple(
            each for each in published.holds if each.kind not in {"paused", "latched", "stopped"}
        )
        report = marked(Report.from_json(published.report), mutes, now=now).as_json()
        return replace(published, report=report, holds=(*disabled, *self.holds(now)), mutes=mutes)

    def _look(self, seconds: float) -> None:
        """Wake the loop and wait until a look that began after now is published."""
        if not self._waiting.acquire(blocking=False):
            raise HostagentError("the agent looks already, and others wait for it: try again in a moment")
        try:
            began, ends = time.time(), time.monotonic() + seconds
            self._wake()
            while (published := self._published()) is None or published.taken_at < began:
                if time.monotonic() >= ends:
                    raise HostagentError(f"the agent has not looked again within {seconds:g} s")
                time.sleep(_AGAIN_SECONDS)
        finally:
            self._waiting.release()

    def _pause(self, request: Mapping[str, Any], by: str, now: float) -> dict[str, Any]:
        seconds = request.get("seconds")
        until = None if seconds is None else now + number(request, "seconds", least=1, most=LONGEST_SECONDS)
        hold = Hold(kind="paused", reason=text(request, "reason"), since=now, until=until, by=by)
        self._change(replace(self._now, paused=hold))
        return {"holds": plain(self.holds(now))}

    def _resume(self, _: Mapping[str, Any], by: str, now: float) -> dict[str, Any]:
        ended = [each for each in self.holds(now) if each.kind != "stopped"]
        self._change(replace(self._now, paused=None, latched=None, resumed_at=now))
        _LOG.info("resumed by %s", by)
        return {"ended": plain(ended), "holds": plain(self.holds(now))}

    def _mute(self, request: Mapping[str, Any], by: str, now: float) -> dict[str, Any]:
        code, object_id = text(request, "code"), text(request, "object", default="")
        sticky = truth(request, "sticky")
        report = Report.from_json(self._told().report)
        result = next((each for each in report.results if each.code == code), None)
        if fault := refusal(result, code, object_id, sticky=sticky):
            raise RefusedError(fault)
        mute = Mute(
            code=code,
            object=object_id,
            until=now + number(request, "seconds", least=1, most=LONGEST_SECONDS),
            reason=text(request, "reason"),
            by=by,
            since=now,
            sticky=sticky,
            state=str(result.state) if result is not None else "",
            objects=len(result.objects) if result is not None else 0,
        )
        others = self._without(code, object_id, now)
        if len(others) >= _MOST_MUTES:
            raise RefusedError(f"there are {_MOST_MUTES} mutes already (hostagent mutes shows them)")
        self._change(replace(self._now, mutes=(*others, mute)))
        return {"mute": plain(mute)}

    def _unmute(self, request: Mapping[str, Any], _: str, now: float) -> dict[str, Any]:
        code, object_id = text(request, "code"), text(request, "object", default="")
        if not any((each.code, each.object) == (code, object_id) for each in self._now.mutes):
            raise RefusedError(f"{_key(code, object_id)} is not muted (hostagent mutes shows what is)")
        self._change(replace(self._now, mutes=self._without(code, object_id, now)))
        return {}

    def _without(self, code: str, object_id: str, now: float) -> tuple[Mute, ...]:
        return tuple(
            each
            for each in self._now.mutes
            if (each.code, each.object) != (code, object_id) and now < each.until
        )

    def _change(self, new: Remembered) -> None:
        """First the disk, then the memory, then the loop, which publishes it with its next look."""
        keep(self._state_dir, new)
        self._now = new
        self._wake()

    def _keep_if_possible(self) -> None:
        try:
            keep(self._state_dir, self._now)
        except HostagentError as error:
            _LOG.error("%s", error)


def _stopped(stop_file: Path, now: float) -> Hold | None:
    """The stop file as a hold, also when it can't be told whether there is one."""
    try:
        since = stop_file.lstat().st_mtime
    except FileNotFoundError:
        return None
    except OSError as error:
        reason = f"can't tell whether {stop_file} exists: {error.strerror}"
        return Hold(kind="stopped", reason=reason, since=now)
    return Hold(kind="stopped", reason=f"{stop_file} exists: remove it to go on", since=since)


def _key(code: str, object_id: str) -> str:
    return f"{code}/{object_id}" if object_id else code
