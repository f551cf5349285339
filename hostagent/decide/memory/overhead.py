"""What a guest takes beyond its own memory: page tables, QEMU's heap and stacks, its devices.

The formula is oVirt's and KubeVirt's. Measured overheads of Windows guests reach 0.3 to 0.9 GB, so that what
was observed counts where it is more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hostagent.model.guests_memory import Backing

if TYPE_CHECKING:
    from hostagent.model.guests_memory import GuestMemory, Promise

MIB = 1 << 20
GIB = 1 << 30

_PAGE_TABLES = 512  # one entry of 8 bytes for each page of 4 KiB
_BASE = 50 * MIB
_PER_VCPU = 8 * MIB
_PER_IOTHREAD = 8 * MIB
_VIDEO = 32 * MIB
_TPM = 53 * MIB
_VFIO = GIB


def formula(promise: Promise) -> int:
    """What a guest like this takes, before the part of VFIO."""
    overhead = promise.maximum // _PAGE_TABLES + _BASE
    overhead += _PER_VCPU * promise.vcpus + _PER_IOTHREAD * promise.iothreads
    return overhead + _VIDEO * promise.video + _TPM * promise.tpm


def expected(promise: Promise, observed: int | None = None) -> int:
    """What to count for a guest: the formula or what was observed, and 1 GiB more with VFIO."""
    return max(formula(promise), observed or 0) + _VFIO * promise.vfio


def observed(guest: GuestMemory) -> int | None:
    """What a guest's QEMU is seen to take now beyond the guest's memory; None if it was not read.

    Where the guest's memory is private and anonymous this is the least that it can be: nobody can tell
    QEMU's pages from the guest's until these are more than the guest may have.
    """
    process, promise = guest.process, guest.promise
    if process is None:
        return None
    private = process.anonymous + process.swapped
    elsewhere = promise.backing is Backing.HUGE or "shared" in promise.why
    return (private if elsewhere else max(0, private - promise.maximum)) + process.tables
