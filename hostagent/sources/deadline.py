"""Deadlines that hold although the other side hangs: one daemon thread per source, one call in flight.

A call into libvirt's C library can't be interrupted. So it runs in a thread of its own, and the caller waits
for the answer only as long as it wants. While a call is stuck no second one is started for that source.
Such a thread never ends by itself. It is a daemon thread, so that the interpreter does not wait for it.
"""

from __future__ import annotations

import threading
import time
from functools import partial
from queue import SimpleQueue
from typing import TYPE_CHECKING, Generic, Self, TypeVar

from hostagent.errors import SourceError
from hostagent.model.host import Trouble

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class ReadError(SourceError):
    """A source could not be read, for a ``trouble`` and a reason of one line."""

    def __init__(self, trouble: Trouble, reason: str) -> None:
        super().__init__(" ".join(reason.split()))
        self.trouble = trouble

    @property
    def reason(self) -> str:
        """Thing, reason and next step."""
        return str(self)


class Call(Generic[T_co]):
    """A function on its way through a thread, and what it returned or raised."""

    def __init__(self, function: Callable[[], T_co]) -> None:
        self.error: BaseException | None = None
        self._function = function
        self._values: list[T_co] = []
        self._done = threading.Event()

    def run(self) -> None:
        """Call the function and keep what becomes of it."""
        with self:
            self._values.append(self._function())

    def fail(self, error: BaseException) -> None:
        """End without calling the function."""
        self.error = error
        self._done.set()

    @property
    def done(self) -> bool:
        """Whether the function has ended."""
        return self._done.is_set()

    def wait(self, until: float) -> bool:
        """Whether it has ended by ``until``, in seconds of time.monotonic(); waits for that."""
        return self._done.wait(max(0.0, until - time.monotonic()))

    def take(self) -> T_co:
        """What the function returned; raises what it raised. Only after its end."""
        if self.error is not None:
            raise self.error
        return self._values[0]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        self.error = error
        self._done.set()
        return True


class SourceThread:
    """The one thread in which a source is read. It starts with the first call."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._calls: SimpleQueue[Call[object] | None] | None = None
        self._current: Call[object] | None = None
        self._started = 0.0

    def start(self, function: Callable[[], T]) -> Call[T]:
        """Start a call and return at once.

        While an earlier call is stuck, the function is not called and fails with ReadError(UNRESPONSIVE).
        """
        now = time.monotonic()
        call = Call(function)
        if self._current is not None and not self._current.done:
            stuck = f"{self.name} has not answered for {now - self._started:.0f} s"
            call.fail(ReadError(Trouble.UNRESPONSIVE, stuck))
            return call
        self._current, self._started = call, now
        if self._calls is None:
            self._calls = SimpleQueue()
            serve = partial(_serve, self._calls)
            threading.Thread(target=serve, name=f"read {self.name}", daemon=True).start()
        self._calls.put(call)
        return call

    def read(self, function: Callable[[], T], seconds: float) -> T:
        """Run a call and wait for what it returns or raises.

        Raises:
            ReadError: UNRESPONSIVE, when there is no answer within ``seconds``.
        """
        call = self.start(function)
        if not call.wait(time.monotonic() + seconds):
            raise ReadError(Trouble.UNRESPONSIVE, f"{self.name} did not answer within {seconds:g} s")
        return call.take()

    def close(self) -> None:
        """Let the thread end after the call in flight; a later call starts another one."""
        if self._calls is not None:
            self._calls.put(None)
            self._calls = None


def _serve(calls: SimpleQueue[Call[object] | None]) -> None:
    while (call := calls.get()) is not None:
        call.run()
