"""What pacing asks libvirt to do. Each call looks right before that it is still the run that was meant."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, TypeVar

from hostagent.act.boot.connection import Connection, GuestError
from hostagent.act.boot.disks import disks_of, limit, limits
from hostagent.errors import RefusedError
from hostagent.model.boot_wish import XML_KEY, XMLNS
from hostagent.model.boot_xml import wish_xml

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import ModuleType

    import libvirt as lib

    from hostagent.model.boot_wish import BootWish

T = TypeVar("T")


class Guests:
    """A connection of its own, for any number of threads. Every call blocks as libvirt does.

    All raise GuestError (an ActError) with libvirt's words.
    """

    def __init__(self, uri: str) -> None:
        self._connection = Connection(uri)

    def suspend(self, uuid: str, run: int) -> bool:
        """Suspend the run with this id; False when it is another one, gone, or not running.

        libvirt takes the suspension of a paused guest for a success, so one that a person has paused is told
        apart before; and it finds a guest by its UUID alone, so the id is looked at before and after.
        """

        def act(libvirt: ModuleType, connection: lib.virConnect) -> bool:
            domain = _run(libvirt, connection, uuid, run)
            if domain is None or _state(domain)[0] != libvirt.VIR_DOMAIN_RUNNING:
                return False
            if not _done(libvirt, domain.suspend):
                return False
            after = _find(libvirt, connection, uuid)
            if after is None:
                return False
            paused, reason = _state(after)
            if paused != libvirt.VIR_DOMAIN_PAUSED:
                return False
            if after.ID() == run and reason == libvirt.VIR_DOMAIN_PAUSED_USER:
                return True
            _done(libvirt, after.resume)  # another run began meanwhile, or it was in a job: not to be held
            return False

        return self._ask(uuid, "suspended", act)

    def resume(self, uuid: str, run: int) -> bool:
        """Resume the run with this id; False when it is another one, gone, or not paused by an order.

        What was saved while it was suspended comes back paused for "migration", in libvirt's words
        (qemuProcessStart with something incoming); what really migrates in has a job, and then libvirt
        resumes nothing.
        """

        def act(libvirt: ModuleType, connection: lib.virConnect) -> bool:
            domain = _run(libvirt, connection, uuid, run)
            if domain is None:
                return False
            state, reason = _state(domain)
            if state != libvirt.VIR_DOMAIN_PAUSED:
                return False
            if reason == libvirt.VIR_DOMAIN_PAUSED_MIGRATION:
                if domain.jobInfo()[0] != libvirt.VIR_DOMAIN_JOB_NONE:
                    return False
            elif reason != libvirt.VIR_DOMAIN_PAUSED_USER:
                return False
            return _done(libvirt, domain.resume)

        return self._ask(uuid, "resumed", act)

    def start(self, uuid: str) -> int:
        """Start a guest; the id of its run, also when it runs already.

        Raises:
            RefusedError: libvirt or its hook refuses, in their words.
        """

        def act(libvirt: ModuleType, connection: lib.virConnect) -> int:
            domain = connection.lookupByUUIDString(uuid)
            if not domain.isActive():
                try:
                    domain.create()
                except libvirt.libvirtError:
                    if not domain.isActive():  # somebody else was faster
                        raise
                domain = connection.lookupByUUIDString(uuid)
            return int(domain.ID())

        try:
            return self._ask(uuid, "started", act)
        except GuestError as error:
            if error.retryable:
                raise
            raise RefusedError(str(error)) from error

    def slow(self, uuid: str, run: int, iops: int) -> tuple[str, ...]:
        """Limit every disk to so many requests a second, until it ends or is unslowed; the disks.

        () when it is another run, gone, or has limits of its own on any disk: then nothing is done.
        """

        def act(libvirt: ModuleType, connection: lib.virConnect) -> tuple[str, ...]:
            domain = _run(libvirt, connection, uuid, run)
            if domain is None:
                return ()
            disks = disks_of(libvirt, connection, domain)
            if any(limits(libvirt, domain, disk) for disk in disks):
                return ()
            done: list[str] = []
            try:
                for disk in disks:
                    limit(libvirt, domain, disk, iops)
                    done.append(disk)
            except libvirt.libvirtError:
                for disk in done:
                    with contextlib.suppress(libvirt.libvirtError):
                        limit(libvirt, domain, disk, 0)
                raise
            return disks

        return self._ask(uuid, "slowed", act)

    def unslow(self, uuid: str, run: int, disks: Sequence[str], iops: int) -> bool:
        """Take the limit of ``iops`` off these disks, () for all; whether any disk still had just that.

        Another limit is somebody else's by now and stays.
        """

        def act(libvirt: ModuleType, connection: lib.virConnect) -> bool:
            domain = _run(libvirt, connection, uuid, run)
            if domain is None:
                return False
            there = disks_of(libvirt, connection, domain)
            ours = [
                disk
                for disk in there
                if (not disks or disk in disks) and limits(libvirt, domain, disk) == {"total_iops_sec": iops}
            ]
            for disk in ours:
                limit(libvirt, domain, disk, 0)
            return bool(ours)

        return self._ask(uuid, "unslowed", act)

    def saved(self, uuid: str) -> bool:
        """Whether the guest is shut off with its memory saved: its next start goes on where it was."""

        def act(libvirt: ModuleType, connection: lib.virConnect) -> bool:
            domain = _find(libvirt, connection, uuid)
            return domain is not None and not domain.isActive() and bool(domain.hasManagedSaveImage())

        return self._ask(uuid, "looked at", act)

    def wake(self, uuid: str) -> bool:
        """Have a guest that was saved while it was suspended go on when it is started; False without one."""

        def act(libvirt: ModuleType, connection: lib.virConnect) -> bool:
            domain = _find(libvirt, connection, uuid)
            if domain is None or domain.isActive() or not domain.hasManagedSaveImage():
                return False
            xml = domain.managedSaveGetXMLDesc(libvirt.VIR_DOMAIN_SAVE_IMAGE_XML_SECURE)
            domain.managedSaveDefineXML(xml, libvirt.VIR_DOMAIN_SAVE_RUNNING)
            return True

        return self._ask(uuid, "changed", act)

    def wish(self, uuid: str, wish: BootWish | None) -> None:
        """Write a wish into the domain's metadata, None takes it out: for good, and for the run there is."""
        text = None if wish is None else wish_xml(wish)

        def act(libvirt: ModuleType, connection: lib.virConnect) -> None:
            domain = connection.lookupByUUIDString(uuid)
            flags = libvirt.VIR_DOMAIN_AFFECT_CONFIG if domain.isPersistent() else 0
            if domain.isActive():
                flags |= libvirt.VIR_DOMAIN_AFFECT_LIVE
            key = XML_KEY if text is not None else None
            domain.setMetadata(libvirt.VIR_DOMAIN_METADATA_ELEMENT, text, key, XMLNS, flags)

        self._ask(uuid, "changed", act)

    def autostart(self, uuid: str, *, on: bool) -> None:
        """Whether libvirt itself starts the guest at the node's boot."""

        def act(_: ModuleType, connection: lib.virConnect) -> None:
            connection.lookupByUUIDString(uuid).setAutostart(int(on))

        self._ask(uuid, "changed", act)

    def close(self) -> None:
        """Drop the connection."""
        self._connection.close()

    def _ask(self, uuid: str, done: str, act: Callable[[ModuleType, lib.virConnect], T]) -> T:
        return self._connection.ask(f"domain {uuid} can't be {done}", act)


def _find(libvirt: ModuleType, connection: lib.virConnect, uuid: str) -> lib.virDomain | None:
    try:
        return connection.lookupByUUIDString(uuid)
    except libvirt.libvirtError as error:
        if error.get_error_code() != libvirt.VIR_ERR_NO_DOMAIN:
            raise
        return None


def _run(libvirt: ModuleType, connection: lib.virConnect, uuid: str, run: int) -> lib.virDomain | None:
    """The domain while it is in the run with this id."""
    domain = _find(libvirt, connection, uuid)
    return domain if domain is not None and domain.ID() == run else None


def _state(domain: lib.virDomain) -> tuple[int, int]:
    state, reason = domain.state()
    return int(state), int(reason)


def _done(libvirt: ModuleType, call: Callable[[], int]) -> bool:
    """Carry out; False when the guest ended, or went into another state, right before."""
    try:
        call()
    except libvirt.libvirtError as error:
        if error.get_error_code() not in {libvirt.VIR_ERR_NO_DOMAIN, libvirt.VIR_ERR_OPERATION_INVALID}:
            raise
        return False
    return True
