"""hostagent boot adopt and release: who starts a guest at the node's boot, the agent or libvirt."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import click

from hostagent.act.lock import refuse_if_stopped
from hostagent.cli.boot_libvirt import LibvirtDomains
from hostagent.cli.params import some_or_all, timeout_option
from hostagent.cli.session import EXIT_OK, EXIT_PARTIAL, EXIT_REFUSED, Session
from hostagent.cli.words import printable, put, say
from hostagent.decide.boot.adopting import adoptions, autostarted, find, managed
from hostagent.errors import ActError, RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from hostagent.config import Settings
    from hostagent.model.boot_guests import BootGuest


@dataclass(slots=True)
class _Tally:
    """What became of the domains, said one by one."""

    session: Session
    changed: int = 0
    refused: int = 0
    done: set[str] = field(default_factory=set)

    def good(self, guest: BootGuest, words: str, *, changed: bool) -> None:
        self.changed += changed
        put(f"{printable(guest.name)}: {words}\n")

    def bad(self, words: str) -> None:
        self.refused += 1
        self.session.fail(words)

    def change(self, guest: BootGuest, words: str, act: Callable[[BootGuest], None]) -> None:
        """Do it to one domain; what libvirt says against it is its line."""
        try:
            act(guest)
        except ActError as error:
            self.bad(f"{guest.name}: {error}")
        else:
            self.good(guest, words, changed=True)

    @property
    def exit_code(self) -> int:
        """0 all done or nothing to do, 11 some, 12 none."""
        if not self.refused:
            return EXIT_OK
        return EXIT_PARTIAL if self.changed else EXIT_REFUSED


@click.command
@some_or_all
@timeout_option
@click.pass_obj
def adopt(session: Session, *, names: tuple[str, ...], every: bool, timeout: float | None) -> int:
    """Let the agent start guests at the node's boot: libvirt's autostart flag moves into their metadata.

    With --all, all that have the flag and that no manager runs. Exit 0 done or nothing to do, 11 some were
    refused, 12 none was adopted.
    """
    settings = session.settings()
    try:
        _root("adopt")
        refuse_if_stopped(settings)
    except ActError as error:
        session.fail(f"refused: {error}")
        return EXIT_REFUSED
    domains, tally = _domains(settings, timeout), _Tally(session)
    guests = domains.read()
    asked = autostarted(guests) if every else _named(guests, names, tally)
    for each in adoptions(asked, guests):
        if each.refused:
            tally.bad(f"{each.guest.name}: refused: {each.refused}")
        elif each.done:
            tally.good(each.guest, "adopted already", changed=False)
        else:
            tally.change(each.guest, "adopted", domains.adopt)
        if each.note:
            say(printable(f"hostagent: {each.guest.name}: {each.note}"))
    if every:
        _others(guests, tally)
    if tally.changed and not settings.boot.enabled:
        say("hostagent: boot.enabled is false: guests are started at the node's boot, but not paced")
    return tally.exit_code


@click.command
@some_or_all
@timeout_option
@click.pass_obj
def release(session: Session, *, names: tuple[str, ...], every: bool, timeout: float | None) -> int:
    """Give the autostart flag of adopted guests back to libvirt. It needs no agent.

    Exit 0 done or nothing to do, 11 some failed, 12 none was released.
    """
    settings = session.settings_or_defaults()
    try:
        _root("release")
    except ActError as error:
        session.fail(f"refused: {error}")
        return EXIT_REFUSED
    domains, tally = _domains(settings, timeout), _Tally(session)
    guests = domains.read()
    asked = [each for each in guests if each.wish.adopted] if every else _named(guests, names, tally)
    for guest in asked:
        if guest.wish.adopted:
            tally.change(guest, "released: libvirt starts it at the node's boot", domains.release)
        else:
            tally.good(guest, "not adopted", changed=False)
    if every and not asked:
        put("nothing is adopted\n")
    return tally.exit_code


def _root(word: str) -> None:
    if os.geteuid() != 0:
        raise RefusedError(f"boot {word} needs root (run it with sudo)")


def _domains(settings: Settings, timeout: float | None) -> LibvirtDomains:
    return LibvirtDomains(settings, timeout or settings.looks.timeout_seconds)


def _named(guests: Collection[BootGuest], names: tuple[str, ...], tally: _Tally) -> list[BootGuest]:
    """The domains of these names or UUIDs, each once; one that is not there is said."""
    found: dict[str, BootGuest] = {}
    for name in names:
        guest = find(guests, name)
        if isinstance(guest, str):
            tally.bad(f"refused: {guest}")
        else:
            found[guest.uuid] = guest
    return list(found.values())


def _others(guests: Collection[BootGuest], tally: _Tally) -> None:
    """Whom --all does not mean although libvirt starts them."""
    for each in sorted(guests, key=lambda each: each.name):
        if each.autostart and (why := managed(each)):
            tally.good(each, f"left to libvirt: {why}", changed=False)
    if not any(each.autostart for each in guests):
        put("no domain has autostart on\n")
