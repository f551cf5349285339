"""The qemu hook's files, the daemons that run them, and the XML that libvirt hands to a hook."""

from __future__ import annotations

import os
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from xml.sax.saxutils import unescape

from hostagent.errors import SourceError
from hostagent.model.hook import HELPER, HOOKS, OURS, PYTHON, Hook, HookDaemon, OtherHook, Wrapper
from hostagent.sources.memory_xml import parse_promise
from hostagent.sources.pids import process_ids
from hostagent.sources.textfile import read_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hostagent.model.guests_memory import Promise

_DAEMONS = ("libvirtd", "virtqemud")
_MARK = "# hostagent:"
# libvirt writes both first, so that no metadata can be taken for them.
_NAME = re.compile(r"<name>([^<]*)</name>")
_UUID = re.compile(r"<uuid>([0-9a-f-]{36})</uuid>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """The guest that is about to start; ``promise`` is what it may come to take."""

    uuid: str
    name: str
    promise: Promise


def parse_start(xml: bytes) -> Start:
    """A hook's stdin.

    Raises:
        DomainXmlError or ValueError: it is no domain.
    """
    text = xml.decode()
    name, uuid = _NAME.search(text), _UUID.search(text)
    if name is None or uuid is None:
        raise ValueError("the XML names no domain")
    return Start(uuid=uuid[1], name=unescape(name[1]), promise=parse_promise(text))


def read_hook(text: str, socket: str, *, hooks: str = HOOKS, proc_dir: str = "/proc") -> Hook:
    """What is installed; ``text`` is the wrapper as it should be, ``socket`` the agent's."""
    ours = Path(hooks, OURS)
    try:
        found, changed_at = ours.read_text(encoding="utf-8", errors="replace"), ours.stat().st_ctime
    except OSError:
        found, changed_at = None, None
    wrapper = Wrapper.ABSENT
    if found is not None:
        wrapper = (
            Wrapper.FOREIGN if _MARK not in found else Wrapper.CURRENT if found == text else Wrapper.OLDER
        )
        if wrapper is Wrapper.CURRENT and not os.access(ours, os.X_OK):
            wrapper = Wrapper.BROKEN
    needed = (str(ours), HELPER, PYTHON, str(Path(socket).parent))
    return Hook(
        path=str(ours),
        wrapper=wrapper,
        installed_at=changed_at,
        others=tuple(_others(Path(hooks), ours)),
        daemons=tuple(_daemons(proc_dir, needed)),
    )


def _others(hooks: Path, ours: Path) -> Iterator[OtherHook]:
    folder = hooks / "qemu.d"
    listed = sorted(folder.iterdir()) if folder.is_dir() else []
    for path in (hooks / "qemu", *listed):
        if path != ours and path.is_file() and os.access(path, os.X_OK):
            yield OtherHook(path=str(path), changed_at=path.stat().st_ctime)


def _daemons(proc_dir: str, needed: tuple[str, ...]) -> Iterator[HookDaemon]:
    uptime = float((read_text(f"{proc_dir}/uptime") or "0").split()[0])
    booted_at = time.time() - uptime
    for name in sorted(process_ids(proc_dir)):
        comm = (read_text(f"{proc_dir}/{name}/comm") or "").strip()
        if comm not in _DAEMONS:
            continue
        fields = (read_text(f"{proc_dir}/{name}/stat") or "").rpartition(")")[2].split()
        if len(fields) > 19 and fields[0] != "Z":
            ticks = int(fields[19]) / os.sysconf("SC_CLK_TCK")
            try:
                lacks = tuple(each for each in needed if not Path(f"{proc_dir}/{name}/root{each}").exists())
            except PermissionError as error:
                raise SourceError(f"{comm} (process {name}) can't be looked into: run as root") from error
            yield HookDaemon(name=comm, pid=int(name), started_at=booted_at + ticks, lacks=lacks)
