"""What jobs libvirt's domains have, asked in threads of their own and for a moment only.

virDomainGetJobStats waits up to 30 s for a guest whose monitor is in use or hangs; virDomainGetControlInfo
tells without waiting whether it is, but knows nothing of jobs in the background. So the occupied are asked in
another thread than the free, and one occupied guest does not hide the others' jobs. Each thread is handed all
its domains at once: a hop between threads for each of 200 domains costs more than the questions.
"""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

from hostagent.sources.deadline import SourceThread
from hostagent.sources.libvirt_words import operation_word

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

    import libvirt as lib

    from hostagent.sources.deadline import Call

_PATIENCE_SECONDS = 0.5  # for one domain's answer
_UNKNOWN = "unknown"


class JobReader:
    """Asks for jobs; a question that is stuck delays nobody, and no second one is asked meanwhile."""

    def __init__(self) -> None:
        self._free = SourceThread("libvirt's job information")
        self._occupied = SourceThread("libvirt's job information")

    def read(self, libvirt: ModuleType, handles: Mapping[str, lib.virDomain]) -> dict[str, str]:
        """UUID → "", what the active job is, or "unknown"; without those that have ended meanwhile.

        Raises:
            libvirt.libvirtError: of the connection, not of one domain.
        """
        jobs: dict[str, str] = {}
        free: dict[str, lib.virDomain] = {}
        occupied: dict[str, lib.virDomain] = {}
        for uuid, handle in handles.items():
            try:
                at_once = handle.controlInfo()[0] == libvirt.VIR_DOMAIN_CONTROL_OK
            except libvirt.libvirtError as error:
                _note(libvirt, error, uuid, jobs)
            else:
                (free if at_once else occupied)[uuid] = handle
        asked = [
            (thread.start(partial(_ask, libvirt, some, answers)), some, answers)
            for thread, some in ((self._free, free), (self._occupied, occupied))
            if some
            for answers in [dict[str, str]()]
        ]
        for call, some, answers in asked:
            _wait(call, answers)
            if call.done and isinstance(call.error, libvirt.libvirtError):
                raise call.error
            known = dict(answers)  # the thread may still be writing to it
            jobs |= {uuid: known.get(uuid, _UNKNOWN) for uuid in some if known.get(uuid) != _GONE}
        return jobs

    def close(self) -> None:
        """Let the threads end."""
        self._free.close()
        self._occupied.close()


_GONE = "gone"


def _ask(libvirt: ModuleType, handles: Mapping[str, lib.virDomain], answers: dict[str, str]) -> None:
    for uuid, handle in handles.items():
        try:
            statistics = handle.jobStats()
        except libvirt.libvirtError as error:
            _note(libvirt, error, uuid, answers)
        else:
            running = statistics.get("type", 0)
            answers[uuid] = operation_word(int(statistics.get("operation", 0))) if running else ""


def _note(libvirt: ModuleType, error: lib.libvirtError, uuid: str, answers: dict[str, str]) -> None:
    """What an error says of one domain's job; raises it if it is not of this domain."""
    code = error.get_error_code()
    if code == libvirt.VIR_ERR_NO_SUPPORT:  # a driver without jobs
        answers[uuid] = ""
    elif code == libvirt.VIR_ERR_OPERATION_UNSUPPORTED:
        answers[uuid] = "incoming migration"  # "statistics are available only on the source host"
    elif code in {libvirt.VIR_ERR_OPERATION_INVALID, libvirt.VIR_ERR_OPERATION_TIMEOUT}:
        answers[uuid] = _UNKNOWN  # it has just ended, or another job holds it
    elif code == libvirt.VIR_ERR_NO_DOMAIN:
        answers[uuid] = _GONE
    else:
        raise error


def _wait(call: Call[None], answers: Mapping[str, str]) -> None:
    """Wait for the end of a call, as long as it goes on answering."""
    before = -1
    while not call.done and len(answers) > before:
        before = len(answers)
        call.wait(time.monotonic() + _PATIENCE_SECONDS)
