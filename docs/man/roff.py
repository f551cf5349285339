"""Words as man(7) macros."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def escaped(words: str) -> str:
    """Text of any kind as roff: what stands there is what is printed."""
    text = words.replace("\\", "\\e").replace("-", "\\-").replace("^", "\\(ha").replace("~", "\\(ti")
    text = text.replace("…", "...").replace("→", "\\(->")
    # A command in backquotes is bold, as in the runbooks. Quotes begin requests and arguments.
    text = re.sub(r"`([^`]+)`", r"\\fB\1\\fR", text).replace("'", "\\(aq").replace('"', "\\(dq")
    return re.sub(r"(?m)^\.", r"\\&.", text)


def title(name: str, section: int, version: str, group: str) -> str:
    """The page's head."""
    return f'.TH {name.upper()} {section} "" "hostagent {version}" "{group}"\n.nh\n.ad l\n'


def heading(words: str) -> str:
    """A section."""
    return f'.SH "{escaped(words)}"\n'


def subheading(words: str) -> str:
    """A part of a section."""
    return f'.SS "{escaped(words)}"\n'


def paragraphs(words: str) -> str:
    """Running text; an empty line begins a paragraph."""
    parts = [" ".join(part.split()) for part in words.split("\n\n")]
    return ".PP\n".join(f"{escaped(part)}\n" for part in parts if part)


def items(rows: Iterable[tuple[str, str]]) -> str:
    """A list of terms, each with its meaning."""
    return "".join(
        f".TP\n.B {escaped(term)}\n{escaped(' '.join(words.split())) or chr(92) + '&'}\n"
        for term, words in rows
    )


def lines(rows: Iterable[str]) -> str:
    """Commands or file contents, line by line as they stand."""
    return ".PP\n.RS 4\n.nf\n" + "".join(f"{escaped(row)}\n" for row in rows) + ".fi\n.RE\n"
