"""Carries out what the pacer decides, in threads of its own: starts take as long as libvirt and its hooks."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from queue import SimpleQueue
from typing import TYPE_CHECKING

from hostagent.daemon.boots.messages import Did, Order
from hostagent.daemon.edge import Edge
from hostagent.errors import HostagentError

if TYPE_CHECKING:
    from collections.abc import Callable

    from hostagent.daemon.boots.seams import Acts

_THREADS = 2  # libvirtd serves five requests of a client at once; two keep a slow start from holding up all
_CLOSE_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One order for one run of a guest."""

    order: Order
    uuid: str
    id: int | None = None
    iops: int = 0
    disks: tuple[str, ...] = ()


class Work:
    """Threads from start() to close(); ``tell`` is called in them with what became of each job.

    Jobs of one guest are done in their order, one at a time: a limit must not be set after it was taken back.
    """

    def __init__(self, guests: Acts, tell: Callable[[Did], None]) -> None:
        self._guests = guests
        self._tell = tell
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._behind: dict[str, deque[Job]] = {}  # of guests with a job under way, what comes after it
        self._threads = [
            threading.Thread(target=self._work, name=f"boot work {number}", daemon=True)
            for number in range(_THREADS)
        ]

    def start(self) -> None:
        """Begin."""
        for each in self._threads:
            each.start()

    def order(self, job: Job) -> None:
        """Have it done."""
        with self._lock:
            if (behind := self._behind.get(job.uuid)) is not None:
                behind.append(job)
                return
            self._behind[job.uuid] = deque()
        self._jobs.put(job)

    def close(self) -> None:
        """End after what could begin already; a thread that is stuck in libvirt is left behind."""
        for _ in self._threads:
            self._jobs.put(None)
        for each in self._threads:
            if each.is_alive():
                each.join(_CLOSE_SECONDS)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            with Edge(f"{job.order} of {job.uuid}") as edge:
                self._tell(carry_out(self._guests, job))
            if edge.error is not None:  # the pacer must hear of every job
                self._tell(Did(order=job.order, uuid=job.uuid, id=job.id, error=repr(edge.error)))
            self._next(job.uuid)

    def _next(self, uuid: str) -> None:
        with self._lock:
            if behind := self._behind[uuid]:
                self._jobs.put(behind.popleft())
            else:
                del self._behind[uuid]


def carry_out(guests: Acts, job: Job) -> Did:
    """One job, now."""
    try:
        if job.order is Order.START:
            number = guests.start(job.uuid)
            return Did(order=job.order, uuid=job.uuid, id=number, done=True)
        if job.id is None:
            return Did(order=job.order, uuid=job.uuid, id=None)
        if job.order is Order.SLOW:
            disks = guests.slow(job.uuid, job.id, job.iops)
            return Did(order=job.order, uuid=job.uuid, id=job.id, done=bool(disks), disks=disks)
        if job.order is Order.UNSLOW:
            done = guests.unslow(job.uuid, job.id, job.disks, job.iops)
        else:
            done = guests.resume(job.uuid, job.id)
        return Did(order=job.order, uuid=job.uuid, id=job.id, done=done)
    except HostagentError as error:
        return Did(order=job.order, uuid=job.uuid, id=job.id, error=str(error))
