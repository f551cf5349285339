"""Orders are carried out in threads, those of one guest one after another."""

from __future__ import annotations

from queue import SimpleQueue
from threading import Event
from typing import TYPE_CHECKING

from hostagent.daemon.boots.messages import Did, Order
from hostagent.daemon.boots.work import Job, Work

if TYPE_CHECKING:
    from collections.abc import Sequence

SECONDS = 10.0


class Slow:
    """A libvirt in which setting a limit takes until it is let go."""

    def __init__(self) -> None:
        self.called: SimpleQueue[str] = SimpleQueue()
        self.let_go = Event()

    def slow(self, uuid: str, run: int, iops: int) -> tuple[str, ...]:
        self.called.put(f"slow {uuid} {run} {iops}")
        assert self.let_go.wait(SECONDS)
        return ("vda",)

    def unslow(self, uuid: str, run: int, disks: Sequence[str], iops: int) -> bool:
        self.called.put(f"unslow {uuid} {run} {iops} {len(disks)}")
        return True

    def start(self, uuid: str) -> int:
        self.called.put(f"start {uuid}")
        return 7

    def resume(self, uuid: str, run: int) -> bool:
        raise AssertionError((uuid, run))

    suspend = resume


def test_a_limit_is_taken_back_after_it_was_set_while_others_go_on() -> None:
    guests, told = Slow(), SimpleQueue[Did]()
    work = Work(guests, told.put)
    work.start()
    work.order(Job(order=Order.SLOW, uuid="a", id=1, iops=100))
    work.order(Job(order=Order.UNSLOW, uuid="a", id=1, iops=100))
    work.order(Job(order=Order.START, uuid="b"))
    assert [guests.called.get(timeout=SECONDS) for _ in range(2)] == ["slow a 1 100", "start b"]
    assert told.get(timeout=SECONDS) == Did(order=Order.START, uuid="b", id=7, done=True)
    assert guests.called.empty()
    guests.let_go.set()
    assert guests.called.get(timeout=SECONDS) == "unslow a 1 100 0"
    assert [told.get(timeout=SECONDS).order for _ in range(2)] == [Order.SLOW, Order.UNSLOW]
    work.close()
