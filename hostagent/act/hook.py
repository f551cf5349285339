"""Installs and removes the wrapper that libvirt runs; other hooks stay as they are."""

from __future__ import annotations

from pathlib import Path

from hostagent.act.places import replace, sync
from hostagent.errors import ActError, RefusedError
from hostagent.model.hook import HELPER, HOOKS, OURS, Wrapper

_MODE = 0o755


def wrapper(socket: str) -> str:
    """The wrapper that asks the agent at ``socket``."""
    text = Path(__file__).with_name("qemu_hook.sh").read_text(encoding="utf-8")
    return text.replace("@helper@", _quoted(HELPER)).replace("@socket@", _quoted(socket))


def install(text: str, found: Wrapper, *, hooks: str = HOOKS) -> bool:
    """Put the wrapper in its place, where ``found`` is now; whether that changed anything.

    Raises:
        RefusedError: somebody else's file is there. ActError: it can't be written.
    """
    path = Path(hooks, OURS)
    if found is Wrapper.FOREIGN:
        raise RefusedError(f"{path} is not hostagent's: move it away first")
    if found is Wrapper.CURRENT:
        return False
    try:
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        _replace(path, text)
    except OSError as error:
        raise ActError(f"{path} can't be written: {error.strerror or error}") from error
    return True


def remove(found: Wrapper, *, hooks: str = HOOKS) -> bool:
    """Remove the wrapper; whether there was one.

    Raises:
        RefusedError: the file is somebody else's. ActError: it can't be removed.
    """
    path = Path(hooks, OURS)
    if found is Wrapper.FOREIGN:
        raise RefusedError(f"{path} is not hostagent's: it stays")
    try:
        path.unlink()
        sync(path.parent)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise ActError(f"{path} can't be removed: {error.strerror or error}") from error
    return True


def _replace(path: Path, text: str) -> None:
    """libvirt may run it at any moment, and whatever is in qemu.d."""
    replace(path, text, mode=_MODE, scratch_dir=path.parent.parent)


def _quoted(word: str) -> str:
    return "'" + word.replace("'", "'\\''") + "'"
