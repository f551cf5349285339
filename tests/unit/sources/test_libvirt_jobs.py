"""Which jobs domains have, and what is said when one of them does not answer."""

import threading
from collections.abc import Callable

import pytest

from hostagent.sources.deadline import ReadError
from hostagent.sources.libvirt import LibvirtReader
from tests.unit.sources.fake_libvirt import Dom, fail

URI = "fake:///"


@pytest.mark.parametrize(
    ("job", "word"),
    [
        (lambda: {"type": 0}, ""),
        (lambda: {"type": 2, "operation": 9}, "backup"),
        (lambda: {"type": 1, "operation": 5}, "migration out"),
        (lambda: {"type": 2}, "unknown"),
        (fail(55), "unknown"),
        (fail(84), "incoming migration"),
        (fail(3), ""),
    ],
)
def test_jobs(domains: list[Dom], job: Callable[[], dict[str, int]], word: str) -> None:
    domains.append(Dom("a"))
    domains[0].job = job
    [found] = LibvirtReader(URI).read().by_uuid.values()
    assert found.job == word


def test_a_hung_guest_hides_only_its_own_job(domains: list[Dom]) -> None:
    gate = threading.Event()
    domains += [Dom("hung"), Dom("a")]
    domains[0].control = 2
    domains[0].job = lambda: {"type": int(gate.wait(60))}
    domains[1].job = lambda: {"type": 2, "operation": 9}
    found = LibvirtReader(URI).read().by_uuid
    gate.set()
    assert (found["uuid-hung"].job, found["uuid-a"].job) == ("unknown", "backup")


def test_free_guests_behind_one_whose_answer_does_not_come_are_unknown(domains: list[Dom]) -> None:
    gate = threading.Event()
    domains += [Dom("a"), Dom("slow"), Dom("z"), Dom("occupied")]
    domains[0].job = lambda: {"type": 2, "operation": 9}
    asked = []

    def slow() -> dict[str, int]:
        asked.append("slow")
        return {"type": int(gate.wait(60))}

    domains[1].job = slow
    domains[3].control = 2
    reader = LibvirtReader(URI)
    found = reader.read().by_uuid
    assert [found[f"uuid-{name}"].job for name in ("a", "slow", "z", "occupied")] == [
        "backup",
        "unknown",
        "unknown",
        "",
    ]
    again = reader.read().by_uuid
    assert asked == ["slow"], "no second question while one is stuck"
    assert {each.job for each in again.values()} == {"unknown", ""}
    gate.set()
    reader.close()


def test_a_domain_that_ends_before_its_job_is_asked_for(domains: list[Dom]) -> None:
    domains += [Dom("a"), Dom("gone")]
    domains[1].job = fail(42)
    assert set(LibvirtReader(URI).read().by_uuid) == {"uuid-a"}


def test_an_error_of_the_connection_while_jobs_are_asked_for(domains: list[Dom]) -> None:
    domains += [Dom("a")]
    domains[0].job = fail(38)
    with pytest.raises(ReadError, match="unreachable"):
        LibvirtReader(URI).read()
