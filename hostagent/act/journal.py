"""The journal: what is about to be done, with the whole old rows, on disk before anything is changed.

One file of JSON lines for each run, ID.jsonl; the actions of a run are ID.1, ID.2, … Records, in order:
``run``, then ``intent`` (again after each attempt that a change of the rows ended), ``begun``,
``committed`` or ``aborted`` for each transaction, ``barrier``, ``results``, ``done``.
A file without ``done`` is a run that died: recover.py ends it.
"""

from __future__ import annotations

import contextlib
import getpass
import json
import os
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from hostagent.act.places import private, sync
from hostagent.errors import JournalError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hostagent.config import Settings


_TAIL = 200  # bytes that hold the last record of a finished run


def directory(settings: Settings) -> Path:
    """Where the runs are kept."""
    return Path(settings.paths.state_dir) / "journal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who asked for a run: ``who`` in words, and how the process was started."""

    who: str
    user: str
    uid: int
    sudo_user: str
    tty: str
    pid: int


def actor(who: str) -> Actor:
    """This process and the person behind it."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    try:
        tty = os.ttyname(0)
    except OSError:
        tty = ""
    sudo_user = os.environ.get("SUDO_USER", "")
    return Actor(who=who, user=user, uid=os.getuid(), sudo_user=sudo_user, tty=tty, pid=os.getpid())


class Journal:
    """One run's file, open for appending. Every record is on disk when ``write`` returns.

    Raises:
        JournalError: the record can't be written: nothing may be changed.
    """

    def __init__(self, path: Path, number: int) -> None:
        self.path = path
        self._number = number
        self._usable = True

    @property
    def run(self) -> str:
        """The run's id."""
        return self.path.stem

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._number)

    @classmethod
    def create(cls, settings: Settings, *, what: str, who: str, undoes: tuple[str, ...] = ()) -> Self:
        """A new run's file with its first record."""
        home = directory(settings)
        now = datetime.now(UTC)
        path = home / f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}.jsonl"
        try:
            if fault := private(home):
                raise JournalError(f"the journal is not safe: {fault}")
            number = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise _unwritable(path, error) from error
        made = cls(path, number)
        by = actor(who)
        made.write(
            "run",
            at=now.isoformat(timespec="milliseconds"),
            run=made.run,
            what=what,
            undoes=list(undoes),
            by={name: getattr(by, name) for name in Actor.__slots__},
        )
        try:
            sync(home)
        except OSError as error:
            raise _unwritable(path, error) from error
        return made

    @classmethod
    def reopen(cls, path: Path) -> Self:
        """A run that died, to go on with; a torn last line is ended first."""
        try:
            number = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW)
            size = os.fstat(number).st_size
            if size and os.pread(number, 1, size - 1) != b"\n":
                os.write(number, b"\n")
        except OSError as error:
            raise _unwritable(path, error) from error
        return cls(path, number)

    def finish(self, results: Mapping[int, tuple[str, str]]) -> str:
        """The last records: what became of each action. Why they could not be written, or ""."""
        try:
            self.write(
                "results", results=[[n, state, words] for n, (state, words) in sorted(results.items())]
            )
            self.write("done", changed=sum(state != "dropped" for state, _ in results.values()))
        except JournalError as error:
            return str(error)
        return ""

    def write(self, record: str, **fields: object) -> None:
        """Append one record and wait until it is on disk."""
        if not self._usable:
            raise JournalError(f"an earlier record of {self.path} could not be written")
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        line = json.dumps({"record": record, "at": at} | fields, separators=(",", ":")).encode() + b"\n"
        try:
            while line:
                line = line[os.write(self._number, line) :]
            os.fdatasync(self._number)
        except OSError as error:
            self._usable = False
            raise _unwritable(self.path, error) from error


def read(path: Path) -> list[dict[str, Any]]:
    """A run's records; a line that a crash tore is left out, anywhere else it is an error.

    Raises:
        JournalError: the file can't be read or is not a journal.
    """
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise JournalError(
            f"can't read {path}: {error.strerror} (the journal is root's: try as root)"
        ) from error
    records = []
    for line in lines:
        try:
            record = json.loads(line)
        except ValueError:
            continue  # torn: by a crash at its end, or ended there by the run that recovered it
        if isinstance(record, dict) and "record" in record:
            records.append(record)
    return records


def paths(settings: Settings) -> list[Path]:
    """The files of all runs, oldest first."""
    home = directory(settings)
    try:
        return sorted(each for each in home.iterdir() if each.suffix == ".jsonl")
    except FileNotFoundError:
        return []
    except OSError as error:
        raise JournalError(
            f"can't read {home}: {error.strerror} (the journal is root's: try as root)"
        ) from error


def ending(path: Path) -> dict[str, Any]:
    """The last record of a run that is finished, read from the file's tail; {} for one that died."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _TAIL))
        line = file.read().rstrip(b"\n").rpartition(b"\n")[2]
    try:
        record = json.loads(line)
    except ValueError:
        return {}
    return record if isinstance(record, dict) and record.get("record") == "done" else {}


def changed_since(settings: Settings, since: float) -> int:
    """How many steps were carried out after ``since``, in seconds since the epoch."""
    oldest = f"{datetime.fromtimestamp(since, UTC):%Y%m%dT%H%M%SZ}"
    return sum(ending(path).get("changed", 0) for path in paths(settings) if path.stem >= oldest)


def carried_out(settings: Settings, *, since: float, who: str) -> list[float]:
    """When ``who`` carried out steps after ``since``, one time for each step, in seconds since the epoch."""
    oldest = f"{datetime.fromtimestamp(since, UTC):%Y%m%dT%H%M%SZ}"
    times: list[float] = []
    for path in (each for each in paths(settings) if each.stem >= oldest):
        by: dict[str, Any] = next((each["by"] for each in read(path) if each["record"] == "run"), {})
        if by.get("who") == who:
            ended = ending(path)
            at = datetime.fromisoformat(ended["at"]).timestamp() if ended else since
            times += [at] * ended.get("changed", 0)
    return times


def prune(settings: Settings, *, before: float) -> int:
    """Delete finished runs that are older than ``before`` (seconds since the epoch); how many.

    Raises:
        JournalError: the journal can't be read. What can't be deleted is left.
    """
    oldest = f"{datetime.fromtimestamp(before, UTC):%Y%m%dT%H%M%SZ}"
    deleted = 0
    for path in (each for each in paths(settings) if each.stem < oldest):
        with contextlib.suppress(OSError):
            if ending(path):
                path.unlink()
                deleted += 1
    return deleted


def _unwritable(path: Path, error: OSError) -> JournalError:
    return JournalError(f"can't write the journal {path}: {error.strerror}; nothing is changed without it")
