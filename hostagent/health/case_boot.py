"""What an agent tells of boots, written down in TOML (see case); without the table it tells nothing.

Times are seconds before the look::

    [boots]                          # halted, hold, enabled, timed_out, …: fields of BootsTold
    released_ago = 60                # unknown_ago: libvirt is out of sight since then
    [[boots.pool]]                   # pool ("node"), kind, limit (8), booting, queued, latency_seconds,
    slow_ago = 300                   #   target_seconds (0.02)
    [[boots.guest]]                  # name, uuid (made from the name), pool ("node"), state ("held"), reason,
    name = "alice"                   #   managed, after, … and every other field of GuestTold
    ago = 20                         # how long it has been in that state
"""

from __future__ import annotations

from typing import Any

from hostagent.health.case_rows import uuid_of
from hostagent.model.boot import NODE_POOL, BootState
from hostagent.model.boot_told import BootsTold, GuestTold, PoolTold


def boots_of(raw: dict[str, Any], at: float) -> BootsTold:
    """Read ``[boots]`` of a look at ``at``.

    Raises:
        TypeError, ValueError: it has a key or value that the records of model/ don't have.
    """
    return BootsTold(
        at=at,
        released_at=_time(raw.pop("released_ago", None), at),
        unknown_since=_time(raw.pop("unknown_ago", None), at),
        pools=tuple(_pool(each, at) for each in raw.pop("pool", [{}])),
        guests=tuple(_guest(each, at) for each in raw.pop("guest", [])),
        **raw,
    )


def _time(ago: float | None, at: float) -> float | None:
    return None if ago is None else at - ago


def _pool(item: dict[str, Any], at: float) -> PoolTold:
    defaults: dict[str, Any] = {"pool": NODE_POOL, "kind": "other", "target_seconds": 0.02}
    counts = {"limit": 8, "booting": 0, "queued": 0}
    slow_since = _time(item.pop("slow_ago", None), at)
    return PoolTold(slow_since=slow_since, **defaults | counts | item)


def _guest(item: dict[str, Any], at: float) -> GuestTold:
    state = str(BootState(item.pop("state", "held")))
    after = tuple(item.pop("after", ()))
    uuid = item.pop("uuid", uuid_of(item["name"]))
    since = at - item.pop("ago", 0)
    return GuestTold(uuid=uuid, since=since, state=state, after=after, **{"pool": NODE_POOL} | item)
