"""/sys/kernel/mm/ksm → Ksm (Documentation/admin-guide/mm/ksm.rst). Newer files are None where they lack."""

from __future__ import annotations

from hostagent.model.memory import Ksm
from hostagent.sources.textfile import read_number, read_text


def read_ksm(folder: str) -> Ksm | None:
    """What ksmd says of itself; None on a kernel without it."""

    def number(name: str) -> int | None:
        return read_number(f"{folder}/{name}")

    # These are as old as KSM itself, 2.6.32.
    old = {
        field: number(name)
        for field, name in (
            ("run", "run"),
            ("shared", "pages_shared"),
            ("sharing", "pages_sharing"),
            ("unshared", "pages_unshared"),
            ("volatile", "pages_volatile"),
            ("full_scans", "full_scans"),
            ("pages_to_scan", "pages_to_scan"),
            ("sleep_milliseconds", "sleep_millisecs"),
        )
    }
    known = {field: value for field, value in old.items() if value is not None}
    if len(known) < len(old):
        return None
    return Ksm(
        **known,
        merge_across_nodes=_flag(number("merge_across_nodes")),
        use_zero_pages=_flag(number("use_zero_pages")),
        zero_pages=number("ksm_zero_pages"),
        scanned=number("pages_scanned"),
        skipped=number("pages_skipped"),
        smart_scan=_flag(number("smart_scan")),
        general_profit=number("general_profit"),
        advisor=_chosen(read_text(f"{folder}/advisor_mode")),
        advisor_target_seconds=number("advisor_target_scan_time"),
    )


def _flag(value: int | None) -> bool | None:
    return None if value is None else value != 0


def _chosen(text: str | None) -> str | None:
    """The word in brackets of "[none] scan-time"."""
    words = [] if text is None else [word for word in text.split() if word.startswith("[")]
    return words[0].strip("[]") if words else None
