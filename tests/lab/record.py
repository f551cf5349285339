"""What is written down about a node, and the lock that its folder is."""

import fcntl
import json
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Self

from tests.lab.owner import Owner
from tests.lab.paths import STATE
from tests.lab.programs import LabError


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One end of a veth to another node."""

    peer: str
    device: str
    address: str
    peer_address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """node.json: all that outlives the processes, besides the disk itself."""

    lowers: list[str]
    agent: str | None
    owner: Owner | None = None
    machine_id: str = field(default_factory=lambda: uuid.uuid4().hex)
    born: bool = False  # was up once: the bridges have been made
    links: list[Link] = field(default_factory=list)

    @classmethod
    def read(cls, folder: Path) -> Self | None:
        """Return the record, or None when the node was never completely made."""
        try:
            raw = json.loads((folder / "node.json").read_text())
        except FileNotFoundError:
            return None
        raw["owner"] = Owner(**raw["owner"]) if raw["owner"] else None
        raw["links"] = [Link(**link) for link in raw["links"]]
        return cls(**raw)

    def write(self, folder: Path) -> None:
        fresh = folder / "node.json.new"
        fresh.write_text(json.dumps(asdict(self), indent=1))
        fresh.rename(folder / "node.json")


def names() -> list[str]:
    """Return the nodes of this checkout that have a folder, gone ones' leftovers not among them."""
    if not STATE.is_dir():
        return []
    return sorted(path.name for path in STATE.iterdir() if path.is_dir() and not path.name.startswith("."))


def owner(name: str) -> Owner | None:
    """Return the owner without waiting for the lock."""
    record = Record.read(STATE / name)
    return record.owner if record else None


@contextmanager
def locked(name: str, *, create: bool = False) -> Iterator[Path]:
    """Hold the node's folder, which is its own lock: so a node that is gone leaves no lock file either."""
    folder = STATE / name
    while True:
        if create:
            folder.mkdir(parents=True, exist_ok=True)
        try:
            lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except FileNotFoundError:
            if create:
                continue  # a `down` removed the parent meanwhile
            raise LabError(f"no node {name}") from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(lock), folder.stat()):
                    yield folder
                    return
        finally:
            os.close(lock)


def discard(folder: Path) -> None:
    """Remove a node's folder; killed half-way, the rest has a name that no node can have."""
    gone = folder.with_name(f".gone-{folder.name}-{uuid.uuid4().hex[:8]}")
    with suppress(FileNotFoundError):
        folder.rename(gone)
    sweep()


def sweep() -> None:
    """Remove what killed removals left, and this checkout's folder when it is empty."""
    for gone in STATE.glob(".gone-*"):
        shutil.rmtree(gone, ignore_errors=True)
    for folder in (STATE, STATE.parent):
        with suppress(OSError):
            folder.rmdir()
