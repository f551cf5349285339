"""The cache of file system layers: built once under a lock, in a temporary place, then renamed."""

import fcntl
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.lab.paths import ALL_STATE, CACHE

KEEP_UNUSED_SECONDS: Final = 3 * 24 * 3600


def layer(kind: str, key: str, build: Callable[[Path, int], None]) -> Path:
    """Return the layer of this key; when it is missing, `build(folder, lock)` fills a folder first.

    `lock` is the builder's lock: programs that outlive a killed builder are to inherit it.
    """
    final = CACHE / f"{kind}-{key}"
    if not final.is_dir():
        with _building() as lock:
            if not final.is_dir():
                folder = Path(tempfile.mkdtemp(prefix=f"tmp-{kind}-", dir=CACHE))
                folder.chmod(0o755)
                try:
                    build(folder, lock)
                except BaseException:
                    shutil.rmtree(folder, ignore_errors=True)
                    raise
                folder.rename(final)
                _forget_unused(final)
    os.utime(final)
    return final


@contextmanager
def _building() -> Iterator[int]:
    CACHE.mkdir(parents=True, exist_ok=True)
    lock = os.open(CACHE / "building", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for left in CACHE.glob("tmp-*"):  # of builders that were killed: the lock was theirs
            shutil.rmtree(left, ignore_errors=True)
        yield lock
    finally:
        os.close(lock)


def _forget_unused(fresh: Path) -> None:
    """Remove layers that no node of any checkout stands on and nobody asked for in days."""
    used = {fresh}
    for record in ALL_STATE.glob("*/*/node.json"):
        try:
            used |= {Path(lower) for lower in json.loads(record.read_text())["lowers"]}
        except (OSError, ValueError, KeyError):
            return  # a record being written: another time
    # A node stands on FOLDER or on FOLDER/root.
    used |= {path.parent for path in used}
    for path in CACHE.glob("*-*"):
        if path not in used and path.stat().st_mtime < time.time() - KEEP_UNUSED_SECONDS:
            shutil.rmtree(path, ignore_errors=True)
