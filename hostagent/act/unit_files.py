"""Drop-ins under /etc/systemd/system: written whole, only our own, and systemd told of changes."""

from __future__ import annotations

from pathlib import Path
from subprocess import DEVNULL, PIPE, TimeoutExpired, run
from typing import TYPE_CHECKING

from hostagent.act import lock
from hostagent.act.places import replace, untrusted
from hostagent.decide.unit_dropins import FILE
from hostagent.errors import ActError, RefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hostagent.config import Settings

HOME = Path("/etc/systemd/system")
_LOCK_SECONDS, _RELOAD_SECONDS = 10.0, 90.0


def write(wished: Mapping[str, str], settings: Settings, *, home: Path = HOME) -> list[str]:
    """Make the drop-ins under ``home`` what ``wished`` says (path → text), and say what was changed.

    Raises:
        RefusedError: not now, or others may write there; nothing was changed.
        ActError: a file can't be written, or systemd did not read its units again.
    """
    with lock.held(settings, who="hostagent order", wait_seconds=_LOCK_SECONDS):
        try:
            if fault := untrusted(home):
                raise RefusedError(fault)
            changed = [
                f"removed {home / name}"
                for name in _ours(home)
                if name not in wished and _remove(home / name)
            ]
            changed += [
                f"wrote {home / name}" for name, text in sorted(wished.items()) if _put(home / name, text)
            ]
        except OSError as error:
            raise ActError(f"{error.filename or home}: {error.strerror}") from error
        if changed:
            _reload()
        return changed


def _ours(home: Path) -> list[str]:
    return sorted(str(path.relative_to(home)) for path in home.glob(f"*.d/{FILE}"))


def _remove(path: Path) -> bool:
    path.unlink()
    if not any(path.parent.iterdir()):
        path.parent.rmdir()
    return True


def _put(path: Path, text: str) -> bool:
    """Whether the file was changed."""
    if path.is_file() and path.read_text(encoding="utf-8", errors="replace") == text:
        return False
    path.parent.mkdir(mode=0o755, exist_ok=True)
    replace(path, text, mode=0o644)
    return True


def _reload() -> None:
    if not Path("/run/systemd/system").is_dir():
        return  # an image being made: there is nobody to tell
    try:
        done = run(
            ["/usr/bin/systemctl", "daemon-reload"],
            stdin=DEVNULL,
            stdout=DEVNULL,
            stderr=PIPE,
            text=True,
            timeout=_RELOAD_SECONDS,
            check=False,
        )
    except (FileNotFoundError, TimeoutExpired) as error:
        raise ActError("systemd did not read its units again (systemctl daemon-reload)") from error
    if done.returncode != 0:
        raise ActError(f"systemctl daemon-reload: {' '.join(done.stderr.split())}")
