"""libvirt for hostagent boot: domains read and changed, each step with its own deadline."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from hostagent.act.boot.guests import Guests
from hostagent.errors import ActError
from hostagent.model.boot_wish import BootWish
from hostagent.sources.boots.reader import BootReader
from hostagent.sources.deadline import SourceThread

if TYPE_CHECKING:
    from hostagent.config import Settings
    from hostagent.model.boot_guests import BootGuest


class LibvirtDomains:
    """The domains of one libvirt. A step that does not end in ``seconds`` raises ReadError, as do all later.

    A change that libvirt refuses raises ActError.
    """

    def __init__(self, settings: Settings, seconds: float) -> None:
        uri = settings.sources.libvirt_uri
        self._thread = SourceThread(f"libvirt at {uri}")
        self._reader = BootReader(uri, managed=settings.boot.managed)
        self._guests = Guests(uri)
        self._seconds = seconds

    def read(self) -> tuple[BootGuest, ...]:
        """All of them."""
        return self._thread.read(self._reader.guests, self._seconds)

    def wish(self, guest: BootGuest, wish: BootWish) -> BootGuest:
        """Keep the wish in the domain's metadata; the domain as libvirt shows it then."""
        return self._thread.read(partial(self._wish, guest, wish), self._seconds)

    def adopt(self, guest: BootGuest) -> None:
        """Move the autostart flag into the metadata, where it is kept before libvirt's own goes."""
        self._thread.read(partial(self._adopt, guest), self._seconds)

    def release(self, guest: BootGuest) -> None:
        """Give the autostart flag back to libvirt, before the metadata forgets it."""
        self._thread.read(partial(self._release, guest), self._seconds)

    def _wish(self, guest: BootGuest, wish: BootWish) -> BootGuest:
        self._guests.wish(guest.uuid, None if wish == BootWish() else wish)
        found = self._reader.guest(guest.uuid)
        if found is None:
            raise ActError(f"{guest.name} is gone meanwhile")
        if found.wish != wish:
            raise ActError(
                f"libvirt does not show what was written into the metadata (virsh dumpxml {guest.uuid})"
            )
        return found

    def _adopt(self, guest: BootGuest) -> None:
        # Also where it seems to be there: of a running guest that may be the run's metadata alone.
        self._wish(guest, replace(guest.wish, adopted=True))
        self._guests.autostart(guest.uuid, on=False)

    def _release(self, guest: BootGuest) -> None:
        self._guests.autostart(guest.uuid, on=True)
        self._wish(guest, replace(guest.wish, adopted=False))
