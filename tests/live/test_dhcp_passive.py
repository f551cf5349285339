"""The watcher on real links: guests' renewals, and a guest that floods."""

from __future__ import annotations

import os
import socket
import time
from dataclasses import replace
from threading import Event, Timer
from typing import TYPE_CHECKING

import pytest

from hostagent.act.dhcp.frame import Datagram, build_datagram
from hostagent.act.dhcp.namespace import inside
from hostagent.act.dhcp.packet import Kind, Message, build
from hostagent.act.dhcp.passive import Watcher
from hostagent.daemon.watching import Watching
from hostagent.errors import ActError
from hostagent.model.dhcp import Outcome
from tests.live.dhcp_rig import Rig, soon

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.lab

_FLOOD_SECONDS = 2.0


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    with Rig("p") as made:
        for network in (1, 2):
            made.serve(network, f"--bind-interfaces --interface=br{network} --no-ping")
        made.lease_all()
        yield made


def flood(rig: Rig, kind: Kind, port: int, ended: Event) -> int:
    """As many frames as this process gets out of a guest, until ``ended``; how many."""
    guest = rig.guests[1][1]
    server_mac = "52:54:00:77:00:01"
    frames = [
        build_datagram(
            Datagram(
                source_mac=guest.mac,
                target_mac=server_mac,
                source="10.77.1.99" if port == 67 else guest.server,
                target=guest.server if port == 67 else "255.255.255.255",
                source_port=68 if port == 67 else 67,
                target_port=port,
                payload=build(
                    Message(
                        op=1 if port == 67 else 2,
                        xid=number,
                        chaddr=guest.mac,
                        kind=kind,
                        ciaddr="10.77.1.99",
                    )
                ),
            )
        )
        for number in range(64)
    ]
    with inside(
        f"/run/netns/{guest.name}", lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    ) as out:
        out.bind(("eth0", 0))
        count = 0
        while not ended.is_set():
            for frame in frames:
                out.send(frame)
            count += len(frames)
        return count


@pytest.mark.parametrize(("kind", "port"), [(Kind.REQUEST, 67), (Kind.ACK, 68)])
def test_a_flooding_guest_costs_little_and_decides_nothing(rig: Rig, kind: Kind, port: int) -> None:
    """Measured is what the watcher's own thread takes; the flood comes from another process."""
    watcher = Watcher(rig.target(1))
    watcher.start()
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:  # its CPU time is not this process's
        ended = Event()
        Timer(_FLOOD_SECONDS, ended.set).start()
        os.write(write_end, str(flood(rig, kind, port, ended)).encode())
        os._exit(0)
    began, spent = time.monotonic(), time.process_time()
    os.waitpid(child, 0)
    share = (time.process_time() - spent) / (time.monotonic() - began)
    watcher.stop()
    sent = int(os.read(read_end, 64))
    os.close(read_end)
    os.close(write_end)
    counts = watcher.counts()
    print(f"udp/{port}: {sent / _FLOOD_SECONDS:.0f} packets a second cost {share:.1%} of a CPU; {counts}")
    assert sent / _FLOOD_SECONDS > 10_000
    assert share < 0.05
    assert watcher.report().outcome in {Outcome.SKIPPED, Outcome.DEAD, Outcome.NAK}
    assert counts.seen <= 320 * (_FLOOD_SECONDS + 1)
    assert counts.dropped > 0 if port == 67 else counts.seen == counts.dropped == 0


def test_guests_renewals_are_seen_with_their_latency(rig: Rig) -> None:
    watcher = Watcher(rig.target(2))
    watcher.start()
    rig.renew_all()
    soon("both are answered", lambda: watcher.counts().answered == 2)
    watcher.stop()
    report = watcher.report()
    assert (report.outcome, report.asked, report.answered) == (Outcome.OK, 2, 2)
    assert all(0 <= each < 0.7 for each in report.latencies)


def test_the_agents_watchers_tell_news_once_and_follow_the_servers(rig: Rig) -> None:
    target = replace(rig.target(2), server_pid=7)
    watching = Watching()
    watching.follow([target])
    (first,) = watching.news()
    assert (first.outcome, first.server_pid) == (Outcome.SKIPPED, 7)
    assert watching.news() == []
    rig.renew_all()
    key = target.network, target.server
    soon("counted", lambda: watching.counts()[key]["answered"] == 2)
    assert [(each.outcome, each.asked) for each in watching.news()] == [(Outcome.OK, 2)]
    assert watching.news() == []
    watching.follow([target])
    assert watching.counts()[key]["answered"] == 2
    watching.follow([replace(target, server_pid=8)])  # started anew: what it answered before says nothing
    assert watching.counts()[key] == {"answered": 0, "refused": 0, "silent": 0}
    watching.follow([replace(target, link="none")])  # said in the log, and tried again at the next look
    assert watching.counts() == {}
    watching.close()


def test_a_link_that_goes_is_said(rig: Rig) -> None:
    rig.extra(1, "gone")
    target = rig.target(1)
    watcher = Watcher(type(target)(**{**{s: getattr(target, s) for s in target.__slots__}, "link": "gone"}))
    watcher.start()
    rig.reset()
    soon("the watcher notices", lambda: "any more" in watcher.report().detail)
    watcher.stop()
    assert watcher.report().outcome is Outcome.SKIPPED
    with pytest.raises(ActError, match="gone can't be listened on"):
        watcher.start()
