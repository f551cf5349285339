"""dnsmasq's command line and configuration files → what matters for DHCP. Pure.

The words are dnsmasq(8)'s. A long option's value follows "=" or is the next word, a short one's may be
joined. Options of no concern are passed over; where one is not understood the rest still counts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from ipaddress import AddressValueError, IPv4Address
from typing import TYPE_CHECKING

from hostagent.model.dhcp import DhcpRange

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# Short options of those that matter (dnsmasq's option.c); a colon says that a value follows.
_SHORT = {
    "i": "interface",
    "I": "except-interface",
    "a": "listen-address",
    "z": "bind-interfaces",
    "F": "dhcp-range",
    "l": "dhcp-leasefile",
    "K": "dhcp-authoritative",
    "5": "no-ping",
    "C": "conf-file",
    "7": "conf-dir",
    "2": "no-dhcp-interface",
    "G": "dhcp-host",
    "J": "dhcp-ignore",
    "x": "pid-file",
}
_SHORT_FLAGS = frozenset("159DEKLNRZbdefhknoqvwyz")
_FLAGS = frozenset({"bind-interfaces", "bind-dynamic", "dhcp-authoritative", "no-ping"})
_VALUED = frozenset(_SHORT.values()) - _FLAGS | {"dhcp-hostsfile", "dhcp-relay"}
_OTHER_NAMES = {"dhcp-lease-file": "dhcp-leasefile", "dhcp-hostsdir": "dhcp-hostsfile"}
_LEASE_TIME = re.compile(r"([0-9]{1,9})([smhdw]?)")
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_LEAST_LEASE = 120  # seconds, dnsmasq's own least
_MAC = re.compile(r"(?:[0-9A-Fa-f]{1,2}-)?((?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2})")


@dataclass(slots=True)
class Options:
    """What was said so far: values by the option's long name, in their order."""

    values: dict[str, list[str]] = field(default_factory=dict)

    def add(self, name: str, value: str) -> None:
        """Take one option."""
        self.values.setdefault(_OTHER_NAMES.get(name, name), []).append(value)

    def listed(self, name: str) -> tuple[str, ...]:
        """Every value of an option that takes a list, with or without commas."""
        return tuple(part for value in self.values.get(name, ()) for part in value.split(",") if part)

    def last(self, name: str) -> str:
        """The value that counts of an option given more than once; "" without."""
        return self.values.get(name, [""])[-1]

    def said(self, name: str) -> bool:
        """Whether the option is there at all."""
        return name in self.values


def parse_arguments(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """A command line without its program → options that matter, by their long names."""
    rest = iter(words)
    for word in rest:
        if word == "--":
            return
        if word.startswith("--"):
            name, equals, value = word[2:].partition("=")
            name = _OTHER_NAMES.get(name, name)
            if not equals and name in _VALUED:
                value = next(rest, "")
            yield name, value
        elif word.startswith("-"):
            yield from _short(word[1:], rest)


def _short(letters: str, rest: Iterator[str]) -> Iterator[tuple[str, str]]:
    for at, letter in enumerate(letters):
        name = _SHORT.get(letter, letter)
        if letter in _SHORT_FLAGS:
            yield name, ""
            continue
        joined = letters[at + 1 :]
        yield name, joined or (next(rest, "") if letter in _SHORT else "")
        return


def parse_file(text: str) -> Iterator[tuple[str, str]]:
    """A configuration file → its options, by their long names."""
    for raw in text.splitlines():
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        name, _, value = line.partition("=")
        # A comment begins with " #" outside of quotation marks (option.c, read_file()).
        if '"' not in value:
            value = re.split(r"\s#", value, maxsplit=1)[0]
        yield name.strip(), value.strip().replace('"', "")


def conf_dir_files(value: str, names: Sequence[str]) -> tuple[str, list[str]]:
    """--conf-dir's value and the names in that folder → the folder, and the files that are read."""
    folder, *patterns = value.split(",")
    wanted = tuple(each[1:] for each in patterns if each.startswith("*"))
    unwanted = tuple(each for each in patterns if each and not each.startswith("*"))
    kept = [
        each
        for each in sorted(names)
        if not (each.endswith("~") or each.startswith(".") or (each.startswith("#") and each.endswith("#")))
        and not (unwanted and each.endswith(unwanted))
        and (not wanted or each.endswith(wanted))
    ]
    return folder, kept


def parse_range(value: str) -> DhcpRange | None:
    """--dhcp-range's value; None where it hands out no IPv4 addresses (IPv6, PXE's proxy mode)."""
    parts = [each.strip() for each in value.split(",")]
    parts = [each for each in parts if not each.startswith(("tag:", "set:", "net:", "interface:"))]
    if parts and not is_address(parts[0]) and ":" not in parts[0] and len(parts) > 1 and is_address(parts[1]):
        parts = parts[1:]  # the old way to set a tag: its name alone
    if not parts or not is_address(parts[0]) or "proxy" in parts:
        return None
    addresses = [each for each in parts if is_address(each)]
    static = "static" in parts
    last = "" if static or len(addresses) < 2 else addresses[1]
    masks = addresses[1:] if static else addresses[2:]
    seconds: int | None = 3600
    for each in parts[1:]:
        known, found = parse_lease_time(each)
        seconds = found if known else seconds
    return DhcpRange(
        first=addresses[0], last=last, netmask=masks[0] if masks else "", static=static, lease_seconds=seconds
    )


def parse_lease_time(word: str) -> tuple[bool, int | None]:
    """Whether a word is a lease time, and its seconds, None for ever."""
    if word == "infinite":
        return True, None
    found = _LEASE_TIME.fullmatch(word)
    if found is None:
        return False, None
    return True, max(_LEAST_LEASE, int(found[1]) * _UNITS[found[2]])


def parse_host(value: str) -> tuple[frozenset[str], dict[str, int | None]]:
    """--dhcp-host's value, or a line of --dhcp-hostsfile → its addresses, and its lease times by MAC."""
    parts = [each.strip().strip("[]") for each in value.split(",")]
    macs = [found[1].lower() for each in parts if (found := _MAC.fullmatch(each))]
    addresses = frozenset(each for each in parts if is_address(each))
    times = [seconds for each in parts for known, seconds in [parse_lease_time(each)] if known]
    return addresses, dict.fromkeys(macs, times[-1]) if times else {}


def is_address(word: str) -> bool:
    """Whether it is an IPv4 address."""
    try:
        IPv4Address(word)
    except AddressValueError:
        return False
    return True
