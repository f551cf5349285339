"""Small files of other programs, read with a bound: they are not ours to trust."""

from __future__ import annotations

import os
import stat

_MOST_BYTES = 8 << 20


def read_bounded(path: str, most: int = _MOST_BYTES) -> str:
    """The text of a regular file; bytes that are no UTF-8 come as surrogates.

    Raises:
        OSError: it can't be opened or read.
        ValueError: it is no regular file, or larger than ``most`` bytes.
    """
    # Without O_NONBLOCK the open of a FIFO waits for its writer.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ValueError("it is no regular file")
        data = file.read(most + 1)
    if len(data) > most:
        raise ValueError(f"it has more than {most >> 20} MiB")
    return data.decode(errors="surrogateescape")
