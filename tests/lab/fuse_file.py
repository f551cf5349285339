"""One file served by this process through FUSE (include/uapi/linux/fuse.h), as little as a disk needs.

The mount point is a regular file, so there is nothing to look up.
"""

import ctypes
import errno
import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.lab.programs import LabError

_GETATTR, _OPEN, _READ, _WRITE, _STATFS, _RELEASE, _FSYNC, _FLUSH = 3, 14, 15, 16, 17, 18, 20, 25
_INIT, _FORGET, _INTERRUPT, _BATCH_FORGET, _SETATTR = 26, 2, 36, 42, 4
_IN_HEADER: Final = struct.Struct("<IIQQIIIHH")
_OUT_HEADER: Final = struct.Struct("<IiQ")
_ATTR: Final = struct.Struct("<6Q10I")
_INIT_OUT: Final = struct.Struct("<IIIIHHIIHHI28x")
_IO: Final = struct.Struct("<QQI")  # file handle, offset, size: how both READ and WRITE begin
_WRITE_DATA_AT: Final = 40
_ASYNC_READ, _BIG_WRITES, _ASYNC_DIO, _MAX_PAGES = 1, 1 << 5, 1 << 15, 1 << 22
_PAGES: Final = 256
_IN_FLIGHT: Final = 4096


@dataclass(frozen=True, slots=True)
class Request:
    """A read (``data`` is None) or a write, to be answered by ``FuseFile.answer``."""

    unique: int
    offset: int
    size: int
    data: bytes | None = None


class FuseFile:
    """A file of a given size; its reads and writes are handed out, all else is answered here."""

    def __init__(self, mount_point: Path, size: int) -> None:
        self._size = size
        self._fd = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC | os.O_NONBLOCK)
        options = f"fd={self._fd},rootmode=100600,user_id=0,group_id=0,max_read={_PAGES << 12}"
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.mount(b"hostagent-lab", os.fsencode(mount_point), b"fuse", 0, options.encode()):
            raise LabError(f"cannot mount on {mount_point}: {os.strerror(ctypes.get_errno())}")

    def fileno(self) -> int:
        """Where requests can be waited for."""
        return self._fd

    def take(self) -> Request | None:
        """Return the next read or write, None if there is none now; EOFError at the end of the mount."""
        while True:
            try:
                message = os.read(self._fd, (_PAGES << 12) + 4096)
            except BlockingIOError:
                return None
            except OSError as error:
                if error.errno == errno.ENODEV:
                    raise EOFError from None
                if error.errno not in {errno.EINTR, errno.ENOENT}:  # the asker has gone
                    raise
                continue
            _, code, unique, _, _, _, _, _, _ = _IN_HEADER.unpack_from(message)
            body = memoryview(message)[_IN_HEADER.size :]
            if code in {_READ, _WRITE}:
                _, offset, size = _IO.unpack_from(body)
                data = bytes(body[_WRITE_DATA_AT : _WRITE_DATA_AT + size]) if code == _WRITE else None
                return Request(unique, offset, size, data)
            self._answer_other(code, unique)

    def answer(self, request: Request, data: bytes = b"") -> None:
        """Answer a read with its data, or say that a write is done."""
        self._reply(request.unique, data if request.data is None else struct.pack("<II", request.size, 0))

    def _answer_other(self, code: int, unique: int) -> None:
        if code in {_FORGET, _BATCH_FORGET, _INTERRUPT}:
            return
        if code == _INIT:
            flags = _ASYNC_READ | _BIG_WRITES | _ASYNC_DIO | _MAX_PAGES
            init = _INIT_OUT.pack(7, 31, 0, flags, _IN_FLIGHT, _IN_FLIGHT, _PAGES << 12, 1, _PAGES, 0, 0)
            self._reply(unique, init)
        elif code in {_GETATTR, _SETATTR}:
            attr = _ATTR.pack(1, self._size, self._size >> 9, *[0] * 6, 0o100600, 1, 0, 0, 0, 4096, 0)
            self._reply(unique, struct.pack("<QII", 3600, 0, 0) + attr)
        elif code == _OPEN:
            self._reply(unique, struct.pack("<QII", 0, 1, 0))  # FOPEN_DIRECT_IO: nothing is cached
        elif code == _STATFS:
            self._reply(unique, struct.pack("<QQQQQIIII24x", 1, 0, 0, 1, 0, 4096, 255, 4096, 0))
        elif code in {_RELEASE, _FSYNC, _FLUSH}:
            self._reply(unique, b"")
        else:
            self._reply(unique, b"", error=errno.ENOSYS)

    def _reply(self, unique: int, data: bytes, *, error: int = 0) -> None:
        try:
            os.writev(self._fd, [_OUT_HEADER.pack(_OUT_HEADER.size + len(data), -error, unique), data])
        except OSError as failure:
            if failure.errno != errno.ENOENT:  # the asker was interrupted
                raise
