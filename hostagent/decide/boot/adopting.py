"""Whose autostart flag the agent may take over, what a guest may start after, and why not. Pure."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hostagent.decide.boot.order import path_between
from hostagent.model.boot_xml import why_no_name

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from hostagent.model.boot_guests import BootGuest


@dataclass(frozen=True, slots=True, kw_only=True)
class Adoption:
    """What becomes of one domain. ``refused`` is why it is not adopted, or ""; ``done``: it was already.

    ``note`` is what a person should know although it is adopted, or "".
    """

    guest: BootGuest
    refused: str = ""
    done: bool = False
    note: str = ""


def find(guests: Collection[BootGuest], word: str) -> BootGuest | str:
    """The domain of that name or else UUID, or why there is none, with the names that are near."""
    for guest in guests:
        if guest.name == word:
            return guest
    for guest in guests:
        if guest.uuid.replace("-", "") == word.lower().replace("-", ""):
            return guest
    near = difflib.get_close_matches(word, sorted(each.name for each in guests), n=3)
    guess = f"did you mean {' or '.join(near)}?" if near else "virsh list --all shows them"
    return f"no domain is called {word} ({guess})"


def managed(guest: BootGuest) -> str:
    """Who else starts the domain, as a reason to leave it alone, or ""."""
    return f"{' and '.join(sorted(guest.managers))} runs it" if guest.managers else ""


def autostarted(guests: Collection[BootGuest]) -> tuple[BootGuest, ...]:
    """The domains that can be adopted as far as they themselves go: all that --all means, by name."""
    found = (each for each in guests if each.autostart and each.persistent and not each.managers)
    return tuple(sorted(found, key=lambda each: each.name))


def adoptions(asked: Sequence[BootGuest], guests: Collection[BootGuest]) -> tuple[Adoption, ...]:
    """What becomes of each domain that is asked for, in their order.

    What is adopted already is never refused: what would speak against it is its note.
    """
    by_name = {each.name: each for each in guests}
    after = {each.name: each.wish.after for each in guests}
    return tuple(_adoption(each, by_name, after) for each in asked)


def why_not_after(guest: BootGuest, names: Sequence[str], guests: Collection[BootGuest]) -> str:
    """Why a domain can't start after domains of these names, which exist, or ""."""
    for name in names:
        if name == guest.name:
            return f"{name} can't start after itself"
        if why := why_no_name(name):
            return f"it can't start after {name!r}: {why}"
    after = {each.name: each.wish.after for each in guests} | {guest.name: tuple(names)}
    around = path_between(after, guest.name, guest.name)
    return f"it would start after itself ({' → '.join(around)})" if around else ""


def _adoption(
    guest: BootGuest, by_name: Mapping[str, BootGuest], after: Mapping[str, Sequence[str]]
) -> Adoption:
    why = _unfit(guest) or _circle(guest, after) or _dead_parent(guest, by_name)
    if guest.wish.adopted and not guest.autostart:
        return Adoption(guest=guest, done=True, note=why or _note(guest, by_name))
    return Adoption(guest=guest, refused=why, note="" if why else _note(guest, by_name))


def _unfit(guest: BootGuest) -> str:
    if why := managed(guest):
        return f"{why}, and starts it"
    if not guest.persistent:
        return "it is transient: nothing of it is left to be started at the node's boot"
    if not guest.autostart and not guest.wish.adopted:
        return f"its autostart is off, so there is nothing to take over (virsh autostart {guest.name})"
    return ""


def _circle(guest: BootGuest, after: Mapping[str, Sequence[str]]) -> str:
    around = path_between(after, guest.name, guest.name)
    return f"it starts after itself ({' → '.join(around)}): hostagent boot set changes that" if around else ""


def _dead_parent(guest: BootGuest, by_name: Mapping[str, BootGuest]) -> str:
    for name in guest.wish.after:
        if why := _dead(by_name.get(name)):
            return f"it starts after {name}, {why} (hostagent boot set {guest.name} --after … changes that)"
    return ""


def _dead(parent: BootGuest | None) -> str:
    """Why nobody will start a parent that does not run, or ""."""
    if parent is None:
        return "which libvirt does not know"
    if parent.id is not None or _comes_up(parent):
        return ""
    if why := managed(parent):
        return f"which is shut off, and {why}"
    return "which is shut off and is started by nobody"


def _comes_up(parent: BootGuest) -> bool:
    """Whether the agent or libvirt starts it at the node's boot; who is adopted now has one of both."""
    return parent.persistent and (parent.wish.adopted or parent.autostart)


def _note(guest: BootGuest, by_name: Mapping[str, BootGuest]) -> str:
    """Parents that run now, and by nobody's plan at the node's boot."""
    parents = (by_name[name] for name in guest.wish.after)
    found = [each.name for each in parents if not _comes_up(each) and not each.managers]
    if not found:
        return ""
    runs = "runs, and is" if len(found) == 1 else "run, and are"
    return f"{', '.join(found)}, which it starts after, {runs} started by nobody at the node's boot"
