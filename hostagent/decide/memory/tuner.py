"""What KSM's files should say. Pure; run is never made 2, which unmerges everything at once.

A kernel with the scan-time advisor (since 6.8) finds the pace by itself. Elsewhere pages_to_scan is set for
the wished period, within what a CPU may be spent on it (Documentation/admin-guide/mm/ksm.rst).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hostagent.model.memory import Ksm

TUNED = ("advisor_mode", "advisor_target_scan_time", "advisor_max_cpu", "pages_to_scan", "run")
_LEAST_PAGES, _MOST_PAGES = 100, 100_000  # 100 is the kernel's default
_PAGE_SECONDS = 5e-6  # what a page is taken to cost while nobody has measured: more than it does
_UNMERGING = 2


def wishes(
    ksm: Ksm, *, scan_seconds: float, cpu_percent: int, busy: float | None = None
) -> tuple[tuple[str, str], ...]:
    """Files and what to write there, in this order; none while somebody has KSM unmerge.

    ``busy`` is the share of one CPU that its thread took lately at the present pace, None if unknown.
    """
    if ksm.run == _UNMERGING:
        return ()
    if ksm.advisor is not None:
        return (
            ("advisor_mode", "scan-time"),
            ("advisor_target_scan_time", str(round(scan_seconds))),
            ("advisor_max_cpu", str(cpu_percent)),
            ("run", "1"),
        )
    pages = _pace(ksm, scan_seconds, cpu_percent / 100, busy)
    return (("pages_to_scan", str(pages)), ("run", "1"))


def restored(old: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """The same to hand back ``old`` values. Pages of an advisor that goes on are its own answer."""
    found = [(name, old[name]) for name in TUNED if name in old]
    if old.get("advisor_mode", "none") != "none":
        found = [each for each in found if each[0] != "pages_to_scan"]
    return tuple((name, "0" if (name, text) == ("run", str(_UNMERGING)) else text) for name, text in found)


def _pace(ksm: Ksm, scan_seconds: float, limit: float, busy: float | None) -> int:
    sleep_seconds = max(ksm.sleep_milliseconds, 1) / 1000
    pages = ksm.shared + ksm.sharing + ksm.unshared + ksm.volatile
    wished = pages * sleep_seconds / scan_seconds
    most = limit * sleep_seconds / _PAGE_SECONDS
    if busy is not None and busy > 0 and ksm.run == 1:
        most = ksm.pages_to_scan * limit / busy
    return round(min(max(min(wished, most), _LEAST_PAGES), _MOST_PAGES))
