"""hostagent.toml(5), and the file that is installed, from the records of hostagent.config."""

from __future__ import annotations

import json
import textwrap
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from docs.man.roff import heading, items, paragraphs, title
from hostagent import __version__
from hostagent.config import DEFAULT_FILE, tables

if TYPE_CHECKING:
    from dataclasses import Field

_HEAD = """\
# The settings of hostagent, see hostagent.toml(5). Every key stands here with its default, as a
# comment: an upgrade may then change a default that nobody has chosen. What may refuse a guest is
# set, so that its value is seen. `hostagent config validate` says what is wrong with the file,
# `hostagent config show` what holds.
"""
_ABOUT = f"""\
{DEFAULT_FILE} is TOML. Every key has a default, and without the file all defaults hold. A file with a
fault is refused as a whole: `hostagent config validate` says every fault, `hostagent config show` prints what
holds."""


def default_file() -> str:
    """The installed settings file: every key with its words and default, most as comments."""
    text = _HEAD
    for name, record in tables().items():
        text += f"\n[{name}]\n"
        for each in fields(record):
            text += textwrap.indent(textwrap.fill(_words(each), 92), "# ")
            text += f"\n{'' if each.metadata['stated'] else '#'}{each.name} = {json.dumps(each.default)}\n"
    return text


def page() -> str:
    """The page with a section for each table."""
    text = title("hostagent.toml", 5, __version__, "File Formats")
    text += heading("NAME") + "hostagent.toml \\- settings of hostagent\n"
    text += heading("DESCRIPTION") + paragraphs(_ABOUT)
    for name, record in tables().items():
        text += heading(f"[{name}]")
        text += items((f"{each.name} = {json.dumps(each.default)}", _words(each)) for each in fields(record))
    return text + heading("SEE ALSO") + ".BR hostagent (1),\n.BR hostagent\\-checks (7)\n"


def _words(key: Field[Any]) -> str:
    about, limits = str(key.metadata["about"]), key.metadata
    span = "" if limits["least"] is None else f" ({limits['least']:g} to {limits['most']:g})"
    span = " (an absolute path)" if limits["absolute"] else span
    return f"{about}{span}"
