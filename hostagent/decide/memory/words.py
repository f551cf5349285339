"""Amounts and ratios in an operator's words."""

from __future__ import annotations

_KIB, _MIB, _GIB = 1 << 10, 1 << 20, 1 << 30


def size(amount: int | None) -> str:
    """Bytes as GiB, MiB or KiB, "?" where they are unknown."""
    if amount is None:
        return "?"
    if amount == 0:
        return "0"
    if abs(amount) >= _GIB:
        return f"{amount / _GIB:.1f} GiB"
    if abs(amount) >= _MIB:
        return f"{amount / _MIB:.0f} MiB"
    return f"{amount / _KIB:.0f} KiB"


def ratio(value: float | None) -> str:
    """1:1.08, "?" where it is unknown."""
    return "?" if value is None else f"1:{value:.2f}"


def percent(share: float | None) -> str:
    """A share as percent, "?" where it is unknown."""
    return "?" if share is None else f"{share * 100:.1f} %"


def span(seconds: float | None) -> str:
    """A length of time, "?" where it is unknown."""
    if seconds is None:
        return "?"
    if seconds >= 5400:
        return f"{seconds / 3600:.1f} h"
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"
