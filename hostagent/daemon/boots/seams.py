"""What the pacer needs of those who read and act for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hostagent.model.boot_guests import BootGuest, GuestFigures


class Reads(Protocol):
    """As sources.boots.reader.BootReader does."""

    def guest(self, uuid: str) -> BootGuest | None:
        """One domain."""

    def guests(self) -> tuple[BootGuest, ...]:
        """Every domain."""

    def figures_of(self, uuid: str) -> GuestFigures | None:
        """Counters of one guest."""


class Acts(Protocol):
    """As act.boot.guests.Guests does."""

    def suspend(self, uuid: str, run: int) -> bool:
        """Suspend just this run."""

    def resume(self, uuid: str, run: int) -> bool:
        """Resume just this run."""

    def start(self, uuid: str) -> int:
        """Start a guest."""

    def slow(self, uuid: str, run: int, iops: int) -> tuple[str, ...]:
        """Limit its disks."""

    def unslow(self, uuid: str, run: int, disks: Sequence[str], iops: int) -> bool:
        """Take that limit back."""
