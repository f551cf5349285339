"""One file for node_exporter's textfile collector, for those who want no further port."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def write(path: Path, text: bytes) -> None:
    """Put ``text`` in ``path`` at once: a collector sees the old file or the new one, never a part.

    Raises:
        OSError: it can't be written; the old file is still there.
    """
    # The collector reads *.prom only, so that it never takes up the file in the making.
    number, made = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(number, "wb") as stream:
            stream.write(text)
            os.fchmod(stream.fileno(), 0o644)
        Path(made).replace(path)
    except OSError:
        Path(made).unlink()
        raise
