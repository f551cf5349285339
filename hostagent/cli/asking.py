"""Questions to the agent, with answers as records."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hostagent.errors import SourceError
from hostagent.model.plain import record
from hostagent.model.published import Published
from hostagent.sources.agent import SOCKET, ask

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hostagent.config import Settings

_SECONDS = 10.0


def ask_agent(
    settings: Settings, word: str, more: Mapping[str, object], *, timeout: float = _SECONDS
) -> dict[str, Any]:
    """One request.

    Raises:
        SourceError: no agent, no permission, no answer, or a refusal, each in one line.
    """
    path = str(Path(settings.paths.run_dir, SOCKET))
    return ask(path, {"ask": word, **more}, timeout)


def change_agent(settings: Settings, word: str, more: Mapping[str, object]) -> dict[str, Any]:
    """One request that changes something; who asks is told, as sudo hides it.

    Raises:
        SourceError: as ``ask_agent``.
    """
    return ask_agent(settings, word, {**more, "sudo_user": os.environ.get("SUDO_USER", "")})


def ask_published(settings: Settings, *, timeout: float = _SECONDS, look_seconds: float = 0.0) -> Published:
    """What the agent tells, after a new look if it gets ``look_seconds`` for that.

    Raises:
        SourceError: as ``ask_agent``.
    """
    if look_seconds:
        answer = ask_agent(settings, "look", {"seconds": look_seconds}, timeout=timeout)
    else:
        answer = ask_agent(settings, "published", {}, timeout=timeout)
    try:
        return record(Published, answer.get("published"))
    except ValueError as error:
        raise SourceError(
            f"the agent's answer can't be understood: {error} (systemctl restart hostagent)"
        ) from error
