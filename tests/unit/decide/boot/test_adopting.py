"""Who may be adopted, what may be started after what, and the words of each refusal."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from hostagent.decide.boot.adopting import adoptions, autostarted, find, managed, why_not_after
from hostagent.decide.boot.order import circle
from hostagent.model.boot_guests import BootGuest
from hostagent.model.boot_wish import BootWish
from hostagent.model.guests import DomainState, Manager


def guest(
    name: str,
    after: str = "",
    *,
    runs: bool = False,
    autostart: bool = True,
    adopted: bool = False,
    persistent: bool = True,
) -> BootGuest:
    return BootGuest(
        uuid=f"00000000-0000-4000-8000-{sum(map(ord, name)):012}",
        name=name,
        id=7 if runs else None,
        state=DomainState.RUNNING if runs else DomainState.SHUTOFF,
        wish=BootWish(after=tuple(after.split()), adopted=adopted),
        autostart=autostart,
        persistent=persistent,
    )


def by_nova(each: BootGuest) -> BootGuest:
    return replace(each, managers=frozenset({Manager.NOVA}))


def refusals(*guests: BootGuest) -> dict[str, str]:
    return {each.guest.name: each.refused for each in adoptions(guests, guests)}


def test_a_domain_is_found_by_its_name_before_any_uuid() -> None:
    one, two = guest("a"), guest("b")
    odd = replace(guest("odd"), name=one.uuid)
    assert find((one, two), "b") is two
    assert find((one, two), two.uuid) is two
    assert find((one, two), two.uuid.upper().replace("-", "")) is two
    assert find((one, odd), one.uuid) is odd


@pytest.mark.parametrize(
    ("word", "guess"),
    [
        ("wbe1", "did you mean web1?"),
        ("web", "did you mean web2 or web1?"),
        ("xyz", "virsh list --all shows them"),
        ("", "virsh list --all shows them"),
    ],
)
def test_one_that_is_not_there_is_refused_with_those_near(word: str, guess: str) -> None:
    found = find((guest("web1"), guest("web2"), guest("db")), word)
    assert found == f"no domain is called {word} ({guess})"


def test_all_are_those_that_libvirt_would_start_and_nobody_manages() -> None:
    guests = (
        guest("z"),
        guest("a", runs=True),
        guest("off", autostart=False),
        guest("adopted", autostart=False, adopted=True),
        guest("half", adopted=True),
        guest("transient", persistent=False),
        by_nova(guest("nova")),
    )
    assert [each.name for each in autostarted(guests)] == ["a", "half", "z"]


def test_who_may_be_adopted() -> None:
    why = refusals(
        guest("fine"),
        guest("half", adopted=True),
        by_nova(guest("cloud")),
        guest("off", autostart=False),
        guest("transient", runs=True, persistent=False),
    )
    assert (why["fine"], why["half"]) == ("", "")
    assert why["cloud"] == "nova runs it, and starts it"
    assert why["off"].startswith("its autostart is off")
    assert why["transient"].startswith("it is transient")


def test_two_managers_are_both_named() -> None:
    both = replace(guest("a"), managers=frozenset({Manager.OVIRT, Manager.NOVA}))
    assert managed(both) == "nova and oVirt runs it"
    assert managed(guest("a")) == ""


def test_a_circle_is_refused_with_its_path_and_whom_it_is_not_about_is_not() -> None:
    why = refusals(guest("a", "b"), guest("b", "c"), guest("c", "a"), guest("d", "a"), guest("self", "self"))
    assert why["a"] == "it starts after itself (a → b → c → a): hostagent boot set changes that"
    assert why["b"].startswith("it starts after itself (b → c → a → b)")
    assert why["self"].startswith("it starts after itself (self → self)")
    assert why["d"] == ""  # libvirt still starts a


@pytest.mark.parametrize(
    ("parent", "words"),
    [
        (guest("db", runs=True, autostart=False), ""),
        (guest("db", autostart=False, adopted=True), ""),
        (guest("db"), ""),
        (by_nova(guest("db", runs=True, autostart=False)), ""),
        (guest("db", autostart=False), "it starts after db, which is shut off and is started by nobody ("),
        (by_nova(guest("db", autostart=False)), "it starts after db, which is shut off, and nova runs it ("),
        (guest("dbx"), "it starts after db, which libvirt does not know ("),
    ],
)
def test_a_dead_parent_is_refused(parent: BootGuest, words: str) -> None:
    child = guest("web", "db")
    (found,) = adoptions((child,), (child, parent))
    assert found.refused.startswith(words)
    assert bool(found.refused) == bool(words)


def test_a_parent_that_runs_by_chance_is_a_note() -> None:
    child, parent = guest("web", "db dns"), guest("db", runs=True, autostart=False)
    other = guest("dns", runs=True, autostart=False)
    (found,) = adoptions((child,), (child, parent, guest("dns")))
    assert found.refused == ""
    assert found.note == "db, which it starts after, runs, and is started by nobody at the node's boot"
    (found,) = adoptions((child,), (child, parent, other))
    assert found.note.startswith("db, dns, which it starts after, run, and are started")


def test_who_is_adopted_already_is_done_and_what_speaks_against_it_is_a_note() -> None:
    fine, lonely = (
        guest("a", autostart=False, adopted=True),
        guest("b", "gone", autostart=False, adopted=True),
    )
    half = guest("c", adopted=True)
    found = {each.guest.name: each for each in adoptions((fine, lonely, half), (fine, lonely, half))}
    assert (found["a"].done, found["a"].refused, found["a"].note) == (True, "", "")
    assert (found["b"].done, found["b"].refused) == (True, "")
    assert "which libvirt does not know" in found["b"].note
    assert (found["c"].done, found["c"].refused) == (False, "")  # cut short: libvirt's flag has yet to go


def test_what_may_not_be_started_after_what() -> None:
    guests = (guest("a"), guest("b", "a"), guest("c", "b"), guest("d"))
    a = guests[0]
    assert why_not_after(a, ("a",), guests) == "a can't start after itself"
    assert why_not_after(a, ("d", "c"), guests) == "it would start after itself (a → c → b → a)"
    assert why_not_after(a, ("d",), guests) == ""
    assert why_not_after(guests[2], ("a",), guests) == ""
    assert "it can't start after" in why_not_after(a, ("x\x1b[31m",), guests)


@pytest.mark.parametrize("seed", range(100))
def test_no_order_of_changes_makes_a_circle(seed: int) -> None:
    """Wishes set one after another, each only if it may be, never leave a circle; refused ones would have."""
    random = Random(seed)
    guests = {name: guest(name) for name in "abcdefgh"}
    for _ in range(30):
        name = random.choice("abcdefgh")
        names = tuple(dict.fromkeys(random.choices("abcdefgh", k=random.randint(1, 3))))
        changed = replace(guests[name], wish=BootWish(after=names))
        refused = why_not_after(guests[name], names, guests.values())
        after = {each.name: each.wish.after for each in (*guests.values(), changed)}
        assert bool(refused) == bool(circle(after)), (name, names)
        if not refused:
            guests[name] = changed
    assert not any(refusals(*guests.values()).values())
