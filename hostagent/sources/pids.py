"""Which processes there are."""

from __future__ import annotations

import os

from hostagent.model.host import Trouble
from hostagent.sources.deadline import ReadError


def process_ids(proc_dir: str) -> list[str]:
    """The names of the processes' folders in /proc, as the kernel gives them: by number.

    Raises:
        ReadError: DENIED or INVALID.
    """
    try:
        names = os.listdir(proc_dir)  # noqa: PTH208  1,000 Path objects at every look cost more than the reading
    except PermissionError as error:
        raise ReadError(Trouble.DENIED, f"{proc_dir}: permission denied (run as root)") from error
    except OSError as error:
        raise ReadError(
            Trouble.INVALID, f"{proc_dir} can't be read: {error.strerror} (check sources.proc_dir)"
        ) from error
    return [name for name in names if name.isdecimal()]
