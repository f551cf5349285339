"""Leases as dnsmasq and libvirt keep them. Pure, and tolerant: dnsmasq rewrites its file in place.

A reader may find the file empty or cut; what is no whole line is dropped and counted.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from hostagent.model.dhcp import Lease
from hostagent.sources.dhcp.dnsmasq_config import is_address

if TYPE_CHECKING:
    from collections.abc import Iterable

_MAC = re.compile(r"(?:[0-9A-Fa-f]{2}-)?((?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2})")
_MOST_EXPIRY = 1 << 40  # seconds since the epoch; more is no time
_MOST_LEASES = 100_000  # of one server


def parse_leases(text: str, pid: int = 0) -> tuple[list[Lease], int]:
    """dnsmasq's lease file → IPv4's leases, and how many lines make no sense.

    A line is "EXPIRY MAC ADDRESS NAME CLIENT-ID"; IPv6's follow a line "duid …".
    """
    found: list[Lease] = []
    torn = 0
    lines = text.split("\n")
    torn += lines.pop() != ""  # whole files end with a newline
    for line in lines[:_MOST_LEASES]:
        words = line.split(" ")
        if words[0] == "duid":
            break
        lease = _lease(words[0], words[1], words[2], pid) if len(words) == 5 else None
        if lease is not None:
            found.append(lease)
        torn += lease is None and bool(line)
    return found, torn


def parse_status(text: str, pid: int = 0) -> tuple[list[Lease], int]:
    """libvirt's BRIDGE.status → IPv4's leases, and how many entries make no sense.

    libvirt runs dnsmasq with --leasefile-ro, and its own helper keeps this JSON (src/network/leaseshelper.c).
    """
    if not text.strip():
        return [], 0
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError):
        return [], 1
    return _entries(raw if isinstance(raw, list) else [None], pid)


def _entries(raw: Iterable[object], pid: int) -> tuple[list[Lease], int]:
    found: list[Lease] = []
    torn = 0
    for each in raw:
        if not isinstance(each, dict):
            torn += 1
            continue
        address = str(each.get("ip-address", ""))
        if ":" in address:
            continue
        lease = _lease(str(each.get("expiry-time", "")), str(each.get("mac-address", "")), address, pid)
        torn += lease is None
        if lease is not None and len(found) < _MOST_LEASES:
            found.append(lease)
    return found, torn


def _lease(expiry: str, mac: str, address: str, pid: int) -> Lease | None:
    hardware = _MAC.fullmatch(mac)
    if not (expiry.isascii() and expiry.isdecimal()) or len(expiry) > 13 or not is_address(address):
        return None
    if hardware is None or int(expiry) > _MOST_EXPIRY:
        return None
    return Lease(
        address=address, mac=hardware[1].lower(), expires=float(expiry) if int(expiry) else None, pid=pid
    )
