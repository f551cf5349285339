"""Loop devices that free themselves when the last who holds them is gone (include/uapi/linux/loop.h)."""

import errno
import fcntl
import os
import struct
from pathlib import Path
from typing import Final

from tests.lab.programs import LabError

_GET_FREE: Final = 0x4C82
_CONFIGURE: Final = 0x4C0A
_AUTOCLEAR, _DIRECT_IO = 4, 16
_BLOCK: Final = 4096
_CONFIG: Final = struct.Struct("<II52xI64s32x32x32x16x64x")  # loop_config with loop_info64 in it
_TURNS: Final = 50


def attach(path: Path) -> tuple[Path, int]:
    """Return a new loop device over a file, and the descriptor that keeps it. Nothing is cached."""
    with Path("/dev/loop-control").open("rb") as control:
        for _ in range(_TURNS):
            device = Path(f"/dev/loop{fcntl.ioctl(control, _GET_FREE)}")
            held = os.open(device, os.O_RDWR | os.O_CLOEXEC)
            file = os.open(path, os.O_RDWR | os.O_DIRECT)
            name = os.fsencode(path)[:63]
            try:
                fcntl.ioctl(held, _CONFIGURE, _CONFIG.pack(file, _BLOCK, _AUTOCLEAR | _DIRECT_IO, name))
            except OSError as error:
                os.close(held)
                if error.errno != errno.EBUSY:  # somebody else was faster
                    raise
            else:
                return device, held
            finally:
                os.close(file)
    raise LabError("no free loop device")
