"""The guests' QEMU processes in /proc: which is whose, and what each takes.

smaps is never read: it walks every page table of the guest under its lock. status has the same sums.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hostagent.model.guests_memory import Process
from hostagent.sources.memory_text import parse_meminfo, parse_vmstat
from hostagent.sources.pids import process_ids
from hostagent.sources.textfile import read_number, read_text

if TYPE_CHECKING:
    from collections.abc import Collection

_NAMES = ("qemu", "kvm")  # the names of QEMU's programs begin so: qemu-system-x86_64, qemu-kvm, kvm


def read_processes(proc_dir: str, uuids: Collection[str]) -> dict[str, Process]:
    """UUID → its QEMU; without those that have none here, or more than one (a migration into itself).

    Raises:
        ReadError: DENIED or INVALID, when /proc can't be read.
    """
    pids: dict[str, list[int]] = {}
    for name in process_ids(proc_dir):
        if (uuid := _uuid_of(f"{proc_dir}/{name}")) in uuids:
            pids.setdefault(uuid, []).append(int(name))
    alone = {uuid: found[0] for uuid, found in pids.items() if len(found) == 1}
    processes = {uuid: read_process(proc_dir, pid) for uuid, pid in alone.items()}
    return {uuid: process for uuid, process in processes.items() if process is not None}


def read_process(proc_dir: str, pid: int) -> Process | None:
    """One process; None if it has ended."""
    folder = f"{proc_dir}/{pid}"
    figures = parse_meminfo(read_text(f"{folder}/status") or "")
    if "RssAnon" not in figures:
        return None
    merged = parse_vmstat(read_text(f"{folder}/ksm_stat") or "")
    merging = merged.get("ksm_merging_pages")
    return Process(
        pid=pid,
        anonymous=figures["RssAnon"],
        file=figures.get("RssFile", 0),
        shared=figures.get("RssShmem", 0),
        swapped=figures.get("VmSwap", 0),
        tables=figures.get("VmPTE", 0),
        locked=figures.get("VmLck", 0),
        huge=figures.get("HugetlbPages", 0),
        merging_pages=read_number(f"{folder}/ksm_merging_pages") if merging is None else merging,
        rmap_items=merged.get("ksm_rmap_items"),
        zero_pages=merged.get("ksm_zero_pages"),
        profit=merged.get("ksm_process_profit"),
    )


def _uuid_of(folder: str) -> str:
    """The UUID that libvirt gave a QEMU on its command line, "" for any other process."""
    if not (read_text(f"{folder}/comm") or "").startswith(_NAMES):
        return ""
    words = (read_text(f"{folder}/cmdline") or "").split("\0")
    return words[words.index("-uuid") + 1].lower() if "-uuid" in words[:-1] else ""
