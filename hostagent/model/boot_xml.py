"""BootWish ⇄ its element in a domain's metadata. Pure.

    <hostagent:boot xmlns:hostagent="urn:hostagent:boot:1" priority="5" exempt="yes" adopted="yes">
      <hostagent:after name="the database"/>
    </hostagent:boot>

What it starts after is in elements of its own, for domains' names may have spaces. By hand ``after="db dns"``
on <boot> will do for names without.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.sax.saxutils import quoteattr

from hostagent.model.boot_wish import PRIORITY_MOST, BootWish

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_PRIORITY = re.compile(r"[+-]?[0-9]{1,4}")
# What libvirt has in no name (virDomainDefPostParse: no "/", no line feed), and XML 1.0 in no text (2.2).
_NO_NAME = re.compile("[^\t\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|/")


def wish_of(attributes: Mapping[str, str], after: Iterable[str] = ()) -> BootWish:
    """What <boot>'s attributes and the names of its <after> elements say.

    A value that can't be understood is as if it were missing: a typing error in one domain's metadata must
    not hide the domain.
    """
    names = (*after, *attributes.get("after", "").split())
    return BootWish(
        priority=_priority(attributes.get("priority", "")),
        after=tuple(dict.fromkeys(name for name in names if not why_no_name(name))),
        exempt=attributes.get("exempt") == "yes",
        adopted=attributes.get("adopted") == "yes",
    )


def wish_xml(wish: BootWish) -> str:
    """The element as virDomainSetMetadata wants it, which adds the namespace XMLNS by the prefix XML_KEY.

    Raises:
        ValueError: a name in it can't be a domain's, or the priority is out of range.
    """
    if abs(wish.priority) > PRIORITY_MOST:
        raise ValueError(f"priority {wish.priority} is not from {-PRIORITY_MOST} to {PRIORITY_MOST}")
    for name in wish.after:
        if why := why_no_name(name):
            raise ValueError(f"no domain can have the name {name!r}: {why}")
    words = f' priority="{wish.priority}"' if wish.priority else ""
    words += ' exempt="yes"' if wish.exempt else ""
    words += ' adopted="yes"' if wish.adopted else ""
    after = "".join(f"<after name={quoteattr(name)}/>" for name in wish.after)
    return f"<boot{words}>{after}</boot>" if after else f"<boot{words}/>"


def why_no_name(name: str) -> str:
    """Why libvirt can have no domain of this name, or ""."""
    if not name.strip():
        return "it is empty"
    if found := _NO_NAME.search(name):
        return f"it has {found[0]!r}"
    return ""


def _priority(text: str) -> int:
    number = int(text) if _PRIORITY.fullmatch(text) else 0
    return number if abs(number) <= PRIORITY_MOST else 0
