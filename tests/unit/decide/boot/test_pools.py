"""Whose counters tell a pool's latency."""

from hostagent.decide.boot.pools import pool_reads
from hostagent.decide.boot.samples import sample
from hostagent.model.boot import NODE_POOL, DiskStats, PoolRead
from hostagent.model.boot_guests import BootGuest, Figures, GuestFigures, Pool
from hostagent.model.guests import DomainState

SDA = Pool(name="sda", device="sda")
FAR = Pool(name="rbd:vms")


def stats(requests: int, seconds: float = 0.0) -> DiskStats:
    return DiskStats(requests=requests, busy_seconds=seconds)


def guest(name: str, pool: Pool, *, run: int | None = 1) -> BootGuest:
    return BootGuest(uuid=name, name=name, id=run, state=DomainState.RUNNING, pool=pool)


def figures(at: float, **disks: dict[str, DiskStats]) -> Figures:
    return Figures(at=at, by_uuid={uuid: GuestFigures(disks=each) for uuid, each in disks.items()})


def test_each_pool_by_its_own_counters() -> None:
    guests = [guest("a", SDA), guest("b", FAR), guest("c", FAR), guest("d", Pool())]
    seen = figures(
        5.0,
        a={"vda": stats(1)},
        b={"vda": stats(2), "vdb": stats(3)},
        c={"vda": stats(4)},
        d={"vda": stats(5)},
    )
    reads = pool_reads(guests, seen, {"sda": stats(100), "sdb": stats(7)}, at=6.0)
    assert set(reads) == {"sda", "rbd:vms", NODE_POOL}
    assert reads["sda"] == PoolRead(at=6.0, disks={"sda": stats(100)})
    assert sorted(each.requests for each in reads["rbd:vms"].disks.values()) == [2, 3, 4]
    assert reads["rbd:vms"].at == 5.0
    assert sorted(each.requests for each in reads[NODE_POOL].disks.values()) == [1, 2, 3, 4, 5]


def test_a_disk_that_is_gone_is_read_by_its_guests() -> None:
    reads = pool_reads([guest("a", SDA)], figures(5.0, a={"vda": stats(9)}), {}, at=6.0)
    assert [each.requests for each in reads["sda"].disks.values()] == [9]


def test_guests_that_are_off_have_a_pool_too() -> None:
    reads = pool_reads(
        [guest("a", SDA, run=None), guest("b", FAR, run=None)], figures(5.0), {"sda": stats(1)}, at=6.0
    )
    assert reads["sda"].disks == {"sda": stats(1)}
    assert reads["rbd:vms"].disks == reads[NODE_POOL].disks == {}


def test_a_guest_that_nobody_knows_counts_for_the_node() -> None:
    reads = pool_reads([], figures(5.0, a={"vda": stats(1)}), {}, at=6.0)
    assert set(reads) == {NODE_POOL}
    assert len(reads[NODE_POOL].disks) == 1


def test_another_run_of_a_guest_is_not_compared_with_the_last() -> None:
    before = pool_reads([guest("a", FAR)], figures(5.0, a={"vda": stats(10)}), {}, at=5.0)
    again = pool_reads([guest("a", FAR, run=2)], figures(10.0, a={"vda": stats(500)}), {}, at=10.0)
    assert sample(before["rbd:vms"], again["rbd:vms"]) is None
    later = pool_reads([guest("a", FAR, run=2)], figures(15.0, a={"vda": stats(600, 2.0)}), {}, at=15.0)
    found = sample(again["rbd:vms"], later["rbd:vms"])
    assert found is not None
    assert (found.completed, found.latency_seconds) == (100, 0.02)
