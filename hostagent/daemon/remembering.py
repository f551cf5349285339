"""state_dir/agent.json: on disk before anything relies on it, and never lost without a word."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

from hostagent.act import places
from hostagent.errors import HostagentError
from hostagent.model.plain import plain, record
from hostagent.model.published import Hold
from hostagent.model.remembered import FILE, SCHEMA, Remembered


def recall(state_dir: str) -> Remembered:
    """What the file says; the defaults without a file.

    One that can't be read is kept beside it, and the agent is latched: it may have been paused.
    """
    path = Path(state_dir, FILE)
    try:
        raw = path.read_bytes()
        remembered = record(Remembered, json.loads(raw))
        if remembered.schema == SCHEMA:
            return remembered
        fault = f"it is {remembered.schema!r:.40}, not {SCHEMA}"
    except FileNotFoundError:
        return Remembered()
    except (OSError, ValueError, RecursionError) as error:
        fault = " ".join(str(error).split())[:200]
    now = time.time()
    kept = path.with_name(f"{FILE}.unreadable-{int(now)}")
    reason = f"{path} can't be read ({fault}): was the agent paused? hostagent resume lets it act"
    try:
        os.link(
            path, kept
        )  # a link: until the new file has replaced it, the next start must find the old one
        reason += f"; the file is kept as {kept}"
    except OSError:
        pass  # an earlier start within this second has kept it, or the disk is read-only
    return Remembered(latched=Hold(kind="latched", reason=reason, since=now))


def keep(state_dir: str, remembered: Remembered) -> None:
    """Put it on disk, whole or not at all.

    Raises:
        HostagentError: it can't be written; the file is as before.
    """
    path = Path(state_dir, FILE)
    try:
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        places.replace(path, json.dumps(plain(remembered), indent=1) + "\n", mode=0o600)
    except OSError as error:
        raise HostagentError(
            f"{path} can't be written: {error.strerror or error}; nothing is changed"
        ) from error
