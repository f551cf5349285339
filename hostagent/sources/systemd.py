"""systemd's units with the order in effect, as ``systemctl show`` tells it.

A program and not D-Bus: no library for it is among the dependencies, and this one question is all there is.
After= as shown has the Before= of other units in it (systemd adds the inverse of each edge).
"""

from __future__ import annotations

import os
import re
import signal
import time
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen, TimeoutExpired
from typing import TYPE_CHECKING

from hostagent.model.host import Trouble
from hostagent.model.units import Unit, Units
from hostagent.sources.boot import read_boot_id, read_mark
from hostagent.sources.deadline import ReadError

if TYPE_CHECKING:
    from collections.abc import Mapping

_GUESTS_FILES = ("/etc/default/libvirt-guests", "/etc/sysconfig/libvirt-guests")
# tools/libvirt-guests.sh.in; Debian's file of settings says "shutdown" in so many words.
_GUESTS_SCRIPTS = ("/usr/lib/libvirt/libvirt-guests.sh", "/usr/libexec/libvirt-guests.sh")
_ON_SHUTDOWN = re.compile(r"^\s*ON_SHUTDOWN=[\"']?(\w+)", re.MULTILINE)


def read_units(run_dir: str, until: float, *, proc_dir: str = "/proc", root: str = "/") -> Units:
    """All loaded units and the purge's mark, by ``until`` in seconds of time.monotonic().

    Raises:
        ReadError: with its trouble.
    """
    if not Path(root, "run/systemd/system").is_dir():
        raise ReadError(Trouble.ABSENT, "systemd does not run on this host (no /run/systemd/system)")
    by_name, aliases = parse_show(_show(until))
    mark = read_mark(run_dir, read_boot_id(proc_dir))
    return Units(by_name=by_name, aliases=aliases, purge=mark, guests_on_shutdown=read_on_shutdown(root))


def parse_show(text: str) -> tuple[dict[str, Unit], dict[str, str]]:
    """The output of ``systemctl show`` → units by name, and other names of units."""
    by_name: dict[str, Unit] = {}
    aliases: dict[str, str] = {}
    for block in text.split("\n\n"):
        fields = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        if name := fields.get("Id"):
            by_name[name] = _unit(name, fields)
            aliases |= {other: name for other in fields.get("Names", "").split() if other != name}
    return by_name, aliases


def read_on_shutdown(root: str = "/") -> str:
    """What libvirt-guests does at shutdown, from its settings, else from the script's own default."""
    for path in (*_GUESTS_FILES, *_GUESTS_SCRIPTS):
        try:
            found = _ON_SHUTDOWN.findall(Path(root, path.lstrip("/")).read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError):
            continue
        if found:
            return str(found[-1])
    return "suspend"


def _unit(name: str, fields: Mapping[str, str]) -> Unit:
    return Unit(
        name=name,
        load=fields.get("LoadState", ""),
        active=fields.get("ActiveState", ""),
        result=fields.get("Result", ""),
        file_state=fields.get("UnitFileState", ""),
        ran=fields.get("InactiveExitTimestampMonotonic", "0") not in {"", "0"},
        after=frozenset(fields.get("After", "").split()),
    )


def _show(until: float) -> str:
    environment = {**os.environ, "LC_ALL": "C", "SYSTEMD_COLORS": "0"}
    try:
        with Popen(
            [
                "/usr/bin/systemctl",
                "show",
                "--all",
                "--no-pager",
                "--property=Id,Names,LoadState,ActiveState,Result,UnitFileState,After",
                "--property=InactiveExitTimestampMonotonic",
                "*",
            ],
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=PIPE,
            text=True,
            env=environment,
        ) as process:
            try:
                out, errors = process.communicate(timeout=max(0.1, until - time.monotonic()))
            except TimeoutExpired as error:
                process.send_signal(signal.SIGKILL)
                raise ReadError(
                    Trouble.UNRESPONSIVE, "systemd does not answer systemctl show (journalctl -b -p warning)"
                ) from error
    except FileNotFoundError as error:
        raise ReadError(Trouble.ABSENT, "systemctl is not installed on this host") from error
    except OSError as error:
        raise ReadError(Trouble.INVALID, f"systemctl can't be run: {error.strerror}") from error
    if process.returncode != 0:
        words = errors.strip().splitlines() or [f"exit {process.returncode}"]
        raise ReadError(
            Trouble.UNREACHABLE, f"systemd can't be asked: {words[0]} (systemctl is-system-running)"
        )
    return out
