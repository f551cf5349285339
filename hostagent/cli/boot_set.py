"""hostagent boot set: a domain's priority, what it starts after, and whether it is paced at all."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import click

from hostagent.cli.boot_libvirt import LibvirtDomains
from hostagent.cli.params import timeout_option
from hostagent.cli.session import EXIT_OK, EXIT_REFUSED, Session
from hostagent.cli.words import printable, put, say
from hostagent.decide.boot.adopting import find, managed, why_not_after
from hostagent.errors import ActError, RefusedError
from hostagent.model.boot_wish import PRIORITY_MOST, BootWish

if TYPE_CHECKING:
    from hostagent.model.boot_guests import BootGuest


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What the command line asks for; None leaves it as it is."""

    priority: int | None
    after: tuple[str, ...] | None
    exempt: bool | None
    clear: bool

    @property
    def anything(self) -> bool:
        return self.clear or any(each is not None for each in (self.priority, self.after, self.exempt))


@click.command("set")
@click.argument("name")
@click.option(
    "--priority",
    type=click.IntRange(-PRIORITY_MOST, PRIORITY_MOST),
    help="Higher starts earlier; 0 is normal.",
)
@click.option(
    "--after", multiple=True, metavar="NAME", help="Start after NAME has settled; again for more. Replaces."
)
@click.option("--no-after", is_flag=True, help="Start after nobody.")
@click.option("--exempt/--no-exempt", default=None, help="Never hold it, and start it at once.")
@click.option("--clear", is_flag=True, help="Forget all of it first.")
@timeout_option
@click.pass_obj
def set_wish(
    session: Session,
    *,
    name: str,
    priority: int | None,
    after: tuple[str, ...],
    no_after: bool,
    exempt: bool | None,
    clear: bool,
    timeout: float | None,
) -> int:
    """Say how a domain is paced, in libvirt's metadata of it; without options, show what is said.

    NAME is its name or UUID. Exit 12 when it is refused.
    """
    if after and no_after:
        raise click.UsageError("--after and --no-after contradict each other")
    given = after or (() if no_after else None)
    asked = _Asked(priority=priority, after=given, exempt=exempt, clear=clear)
    settings = session.settings()
    domains = LibvirtDomains(settings, timeout or settings.looks.timeout_seconds)
    try:
        guest = _set(domains, name, asked)
    except ActError as error:
        session.fail(f"refused: {error}")
        return EXIT_REFUSED
    put(f"{printable(words(guest))}\n")
    if asked.anything and not guest.persistent:
        say(f"hostagent: {printable(guest.name)} is transient: this ends with its run")
    return EXIT_OK


def words(guest: BootGuest) -> str:
    """What its metadata says."""
    wish = guest.wish
    after = f"after {', '.join(wish.after)}" if wish.after else "after nobody"
    marks = [*(["exempt from pacing"] if wish.exempt else []), *(["adopted"] if wish.adopted else [])]
    return "; ".join([f"{guest.name}: priority {wish.priority}", after, *marks])


def _set(domains: LibvirtDomains, name: str, asked: _Asked) -> BootGuest:
    guests = domains.read()
    guest = _found(guests, name)
    if not asked.anything:
        return guest
    if why := managed(guest):
        raise RefusedError(f"{guest.name}: {why}: it is counted, never held or ordered")
    if os.geteuid() != 0:
        raise RefusedError("boot set needs root (run it with sudo)")
    wish = BootWish(adopted=guest.wish.adopted) if asked.clear else guest.wish
    if asked.after is not None:
        names = tuple(dict.fromkeys(_found(guests, each).name for each in asked.after))
        if why := why_not_after(guest, names, guests):
            raise RefusedError(f"{guest.name}: {why}")
        wish = replace(wish, after=names)
    if asked.priority is not None:
        wish = replace(wish, priority=asked.priority)
    if asked.exempt is not None:
        wish = replace(wish, exempt=asked.exempt)
    return guest if wish == guest.wish else domains.wish(guest, wish)


def _found(guests: tuple[BootGuest, ...], word: str) -> BootGuest:
    found = find(guests, word)
    if isinstance(found, str):
        raise RefusedError(found)
    return found
