"""What people ask of the pacer: hold all releases, go on, let a guest go at once."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hostagent.daemon.requests import text, truth
from hostagent.errors import RefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hostagent.daemon.boots.messages import Asked
    from hostagent.daemon.boots.state import State

_LOG = logging.getLogger("hostagent")


def answer(state: State, asked: Asked) -> None:
    """Answer in place, whatever was asked."""
    try:
        asked.answer = _answer(state, asked.request, asked.by)
    except RefusedError as error:
        asked.error = str(error)
    finally:
        asked.answered.set()


def _answer(state: State, request: Mapping[str, Any], by: str) -> Mapping[str, Any]:
    word = request.get("do")
    if word == "hold":
        state.hold = f"{text(request, 'reason', default='') or 'a person said hold'} ({by})"
        _LOG.warning("no boot is released until hostagent boot resume: %s", state.hold)
        return {"names": []}
    if word == "resume":
        state.hold = ""
        _LOG.info("boots are released again (%s)", by)
        return {"names": []}
    if word == "go":
        return {"names": _go(state, request, by)}
    raise RefusedError(f"boot does not know the word {word!r:.40} (is it of another version?)")


def _go(state: State, request: Mapping[str, Any], by: str) -> list[str]:
    if state.halted:
        raise RefusedError(f"nothing is released while the agent may not act: {state.halted}")
    waiting = {run.boot.name: run for run in state.runs.boots.values() if run.boot.queued}
    names = request.get("names", [])
    if truth(request, "all"):
        names = list(waiting)
    if not isinstance(names, list) or not all(isinstance(each, str) for each in names):
        raise RefusedError("names must be a list of domains' names")
    by_uuid = {run.boot.uuid: run for run in waiting.values()}
    for name in names:
        if name not in waiting and name not in by_uuid:
            raise RefusedError(f"no guest {name!r:.80} waits (hostagent boot status shows who does)")
    for name in names:
        run = waiting.get(name) or by_uuid[name]
        run.boot = replace(run.boot, urged=True)
        run.retry_at = 0.0
        _LOG.info("%s goes at once (%s)", run.boot.name, by)
    return [(waiting.get(name) or by_uuid[name]).boot.name for name in names]
