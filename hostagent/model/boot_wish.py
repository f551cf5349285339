"""What is wished for a domain's boots, as its metadata says it."""

from __future__ import annotations

from dataclasses import dataclass

XMLNS = "urn:hostagent:boot:1"  # of <boot> in a domain's <metadata>, libvirt's own place for others' words
XML_KEY = "hostagent"  # the prefix that libvirt gives it
PRIORITY_MOST = 1000  # and the least is as far below zero


@dataclass(frozen=True, slots=True, kw_only=True)
class BootWish:
    """``<boot priority= exempt= adopted= ><after name= /></boot>`` in a domain's metadata.

    ``after`` are names of domains, which may have spaces. ``adopted``: its autostart flag was moved here, so
    that the agent starts it at the node's boot. model/boot_xml.py reads and writes it.
    """

    priority: int = 0
    after: tuple[str, ...] = ()
    exempt: bool = False
    adopted: bool = False
