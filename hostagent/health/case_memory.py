"""The memory of a host written down in TOML (see case): by default 64 GiB, 48 available, no guest, no KSM.

Amounts are GiB, or text with a unit ("130 MiB", "64 KiB")::

    [memory]
    total = 64                       # available, free; threads = 16, page_bytes = 4096
    counters = { at = 60.0, swapped_in = 9, oom_kills = 0 }    # pages; the earlier looks are
    past = [{ at = 0.0, swapped_in = 0, oom_kills = 0 }]
    pressure = { some_avg60 = 12.0 } # percent; what is not named is 0
    ksm = { run = 1, sharing = 100 } # pages; ksm = { absent = true } is a kernel without it
    pools = [{ page_bytes = 2097152, total = 512 }]
    nodes = [{ number = 0, total = 32, pools = [] }]
    swaps = [{ path = "/dev/sda2", size = 8, used = 1 }]
    [[guest_memory]]                 # name, uuid (made from the name)
    name = "a"
    maximum = 4                      # and every other field of model.guests_memory.Promise
    bound = { 0 = 4 }                # NUMA node = amount
    balloon = 3                      # or { current, said_at, available, unused, usable }
    process = { anonymous = 2, merging_pages = 5 }     # fields of Process; what is not named is 0
"""

from __future__ import annotations

from typing import Any

from hostagent.health.case_rows import uuid_of
from hostagent.model.guests_memory import Backing, Balloon, GuestMemory, GuestsMemory, Process, Promise
from hostagent.model.memory import Counters, HostMemory, HugePool, Ksm, NumaNode, Pressure, SwapArea

_GIB = 1 << 30
_UNITS = {"KiB": 1 << 10, "MiB": 1 << 20, "GiB": _GIB}
_KSM = ("run", "shared", "sharing", "unshared", "volatile", "full_scans")


def memory_of(raw: dict[str, Any]) -> HostMemory:
    """Read ``[memory]``.

    Raises:
        TypeError, ValueError: it has a key or value that the records of model/ don't have.
    """
    ksm = raw.pop("ksm", {})
    pressure = {f"{kind}_avg{span}": 0.0 for kind in ("some", "full") for span in (10, 60, 300)}
    available = raw.pop("available", 48)
    return HostMemory(
        total=_bytes(raw.pop("total", 64)),
        available=_bytes(available) if available != "unknown" else None,
        page_bytes=raw.pop("page_bytes", 4096),
        threads=raw.pop("threads", 16),
        counters=Counters(**{"at": 0.0, "swapped_in": 0, "oom_kills": 0} | raw.pop("counters", {})),
        past=tuple(Counters(**each) for each in raw.pop("past", [])),
        pressure=Pressure(**pressure | raw.pop("pressure", {})),
        ksm=None if ksm.pop("absent", False) else _ksm(ksm),
        pools=_pools(raw.pop("pools", [])),
        nodes=tuple(_node(each) for each in raw.pop("nodes", [])),
        swaps=tuple(_swap(each) for each in raw.pop("swaps", [])),
        **raw,
    )


def guests_memory_of(items: list[dict[str, Any]]) -> GuestsMemory:
    """Read every ``[[guest_memory]]``.

    Raises:
        TypeError, ValueError: it has a key or value that the records of model/ don't have.
    """
    found = [_guest(item) for item in items]
    return GuestsMemory(by_uuid={guest.uuid: guest for guest in found})


def _bytes(amount: float | str) -> int:
    if isinstance(amount, str):
        number, _, unit = amount.partition(" ")
        return round(float(number) * _UNITS[unit])
    return round(amount * _GIB)


def _ksm(raw: dict[str, Any]) -> Ksm:
    numbers = dict.fromkeys(_KSM, 0) | {"pages_to_scan": 100, "sleep_milliseconds": 20}
    return Ksm(**numbers | raw)


def _pools(items: list[dict[str, Any]]) -> tuple[HugePool, ...]:
    return tuple(HugePool(**each) for each in items)


def _node(item: dict[str, Any]) -> NumaNode:
    pools = _pools(item.pop("pools", []))
    return NumaNode(total=_bytes(item.pop("total")), pools=pools, **item)


def _swap(item: dict[str, Any]) -> SwapArea:
    size, used = _bytes(item.pop("size")), _bytes(item.pop("used", 0))
    return SwapArea(size=size, used=used, **item)


def _guest(item: dict[str, Any]) -> GuestMemory:
    name = item.pop("name")
    uuid = item.pop("uuid", uuid_of(name))
    balloon, process = item.pop("balloon", None), item.pop("process", None)
    maximum = _bytes(item.pop("maximum"))
    promise = Promise(
        maximum=maximum,
        current=_bytes(item.pop("current")) if "current" in item else maximum,
        vcpus=item.pop("vcpus", 1),
        backing=Backing(item.pop("backing", "elastic")),
        why=tuple(item.pop("why", ())),
        bound={int(node): _bytes(amount) for node, amount in item.pop("bound", {}).items()},
        **item,
    )
    return GuestMemory(
        uuid=uuid, name=name, promise=promise, balloon=_balloon(balloon), process=_process(process)
    )


def _balloon(raw: dict[str, Any] | float | str | None) -> Balloon | None:
    if raw is None:
        return None
    if not isinstance(raw, dict):
        return Balloon(current=_bytes(raw))
    said_at = raw.pop("said_at", None)
    return Balloon(said_at=said_at, **{name: _bytes(amount) for name, amount in raw.items()})


def _process(raw: dict[str, Any] | None) -> Process | None:
    if raw is None:
        return None
    plain = {
        name: raw.pop(name) for name in ("merging_pages", "rmap_items", "zero_pages", "profit") if name in raw
    }
    amounts = dict.fromkeys(("anonymous", "file", "shared", "swapped", "tables"), 0)
    amounts |= {name: _bytes(amount) for name, amount in raw.items() if name != "pid"}
    return Process(pid=raw.get("pid", 1), **amounts, **plain)
