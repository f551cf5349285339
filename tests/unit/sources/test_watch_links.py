"""Links that change, in a network namespace of the test's own."""

import ctypes
import math
import os
import select
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from hostagent.sources.watch_links import LinksWatch

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="a network namespace needs root")
pyroute2 = pytest.importorskip("pyroute2")


def apart(body: Callable[[], None]) -> None:
    """Run it in a thread with a network namespace that ends with it."""
    raised: list[BaseException] = []

    def run() -> None:
        try:
            assert ctypes.CDLL(None).unshare(0x40000000) == 0  # CLONE_NEWNET; os.unshare is Python 3.12's
            body()
        except BaseException as error:  # noqa: BLE001  handed to the test
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(60)
    if raised:
        raise raised[0]


def listening(wakes: list[str]) -> LinksWatch:
    watch = LinksWatch(lambda: wakes.append("links"))
    watch.run(0.0)
    assert wakes == ["links"], "what changed before nobody told"
    assert watch.due == math.inf
    wakes.clear()
    return watch


def heard(watch: LinksWatch) -> bool:
    return bool(select.select([watch.fileno()], [], [], 1.0)[0])


def test_a_link_made_changed_and_removed() -> None:
    def body() -> None:
        wakes: list[str] = []
        watch = listening(wakes)
        with pyroute2.IPRoute() as route:
            for command, options in (
                ("add", {"kind": "tuntap", "mode": "tap"}),
                ("set", {"state": "up"}),
                ("del", {}),
            ):
                route.link(command, ifname="tap-w", **options)
                assert heard(watch)
                watch.run(0.0)
                assert wakes == ["links"], "one wake for all that was there"
                wakes.clear()
            watch.run(0.0)
            assert wakes == [], "nothing new"
        watch.close()
        assert watch.fileno() == -1

    apart(body)


def test_more_changes_than_the_socket_holds() -> None:
    def body() -> None:
        wakes: list[str] = []
        watch = listening(wakes)
        listener = socket.socket(fileno=os.dup(watch.fileno()))
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        listener.close()
        with pyroute2.IPRoute() as route:
            for each in range(40):
                route.link("add", ifname=f"tap{each}", kind="tuntap", mode="tap")
            watch.run(0.0)
            assert wakes == ["links"]
            route.link("del", ifname="tap0")
            assert heard(watch), "it goes on listening"
            watch.run(0.0)
            assert wakes == ["links", "links"]
        watch.close()

    apart(body)


def test_a_socket_that_breaks_is_opened_again(caplog: pytest.LogCaptureFixture) -> None:
    def body() -> None:
        wakes: list[str] = []
        watch = listening(wakes)
        with Path(os.devnull).open("rb") as null:
            os.dup2(null.fileno(), watch.fileno())
        now = time.monotonic()
        watch.run(now)
        assert (watch.fileno(), wakes) == (-1, [])
        watch.run(watch.due - 0.1)
        assert watch.fileno() == -1, "not yet"
        watch.run(watch.due)
        assert watch.fileno() >= 0
        assert wakes == ["links"]
        watch.close()

    apart(body)
    assert len(caplog.records) == 1
