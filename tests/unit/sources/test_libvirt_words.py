"""libvirt's numbers, checked against the constants of the library where it is installed."""

import errno

import pytest

from hostagent.model.guests import DomainState
from hostagent.model.host import Trouble
from hostagent.sources.libvirt_words import operation_word, state_words, trouble_of

libvirt = pytest.importorskip("libvirt")

STATES = [state for state in DomainState if state is not DomainState.NOSTATE]


@pytest.mark.parametrize("state", STATES)
def test_every_reason_is_the_constants_name(state: DomainState) -> None:
    prefix = f"VIR_DOMAIN_{state.name}_"
    number = getattr(libvirt, prefix.rstrip("_"))
    flags = {"ACPI_POWER_BTN", "GUEST_AGENT", "INITCTL", "SIGNAL", "PARAVIRT", "DEFAULT", "DISK_UNKNOWN"}
    for name in dir(libvirt):
        word = name.removeprefix(prefix)
        if name.startswith(prefix) and word not in flags and not word.startswith("DISK"):
            expected = (state, word.lower().replace("_", " "))
            assert state_words(number, getattr(libvirt, name)) == expected or word == "UNKNOWN"


def test_operations() -> None:
    prefix = "VIR_DOMAIN_JOB_OPERATION_"
    for name in dir(libvirt):
        if name.startswith(prefix) and not name.endswith("_STR"):
            word = name.removeprefix(prefix).lower().replace("_", " ")
            assert operation_word(getattr(libvirt, name)) == word


def test_newer_numbers() -> None:
    assert state_words(99, 1) == (DomainState.NOSTATE, "")
    assert state_words(1, 99) == (DomainState.RUNNING, "")
    assert operation_word(99) == "unknown"


@pytest.mark.parametrize(
    ("code", "number", "trouble"),
    [
        (libvirt.VIR_ERR_SYSTEM_ERROR, errno.ENOENT, Trouble.UNREACHABLE),
        (libvirt.VIR_ERR_SYSTEM_ERROR, errno.ECONNREFUSED, Trouble.UNREACHABLE),
        (libvirt.VIR_ERR_SYSTEM_ERROR, errno.EACCES, Trouble.DENIED),
        (libvirt.VIR_ERR_AUTH_FAILED, 0, Trouble.DENIED),
        (libvirt.VIR_ERR_AUTH_UNAVAILABLE, 0, Trouble.DENIED),
        (libvirt.VIR_ERR_AUTH_CANCELLED, 0, Trouble.DENIED),
        (libvirt.VIR_ERR_OPERATION_DENIED, 0, Trouble.DENIED),
        (libvirt.VIR_ERR_ACCESS_DENIED, 0, Trouble.DENIED),
        (libvirt.VIR_ERR_NO_CONNECT, 0, Trouble.INVALID),
        (libvirt.VIR_ERR_INTERNAL_ERROR, 0, Trouble.UNREACHABLE),
    ],
)
def test_troubles(code: int, number: int, trouble: Trouble) -> None:
    assert trouble_of(code, number) is trouble
