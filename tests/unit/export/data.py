"""A published document with something of everything, and what makes others of it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hostagent.model.boot_told import SETTLE_BUCKETS, BootsTold, GuestTold, PoolTold
from hostagent.model.budget import Budget, KsmBalance, Level, NodeBudget
from hostagent.model.histogram import Histogram
from hostagent.model.plain import plain
from hostagent.model.published import (
    AdmissionCount,
    Admissions,
    DhcpNetwork,
    DhcpVerdict,
    Hold,
    LeftAlone,
    LoopCost,
    MemoryTold,
    Mute,
    Published,
    Repairs,
    SourceHealth,
)

if TYPE_CHECKING:
    from pathlib import Path

NOW = 1_800_000_000.0


def check(
    code: str, state: str = "ok", *objects: str, muted: bool = False, since: str | None = None
) -> dict[str, Any]:
    """One check of a report."""
    return {
        "code": code,
        "state": state,
        "summary": "words",
        "objects": [{"id": each, "detail": "words"} for each in objects],
        "since": since,
        "muted": muted,
        "age_s": 0.0,
        "duration_s": 0.0001,
        "fixable": False,
        "runbook": f"runbooks/{code}.md",
    }


def report(*checks: dict[str, Any], status: str = "ok") -> dict[str, Any]:
    """A report of docs/schema/check-v1.json."""
    return {
        "schema": "hostagent.check/v1",
        "host": "node",
        "time": "2027-01-15T07:59:50Z",
        "status": status,
        "checks": list(checks),
    }


def memory_told(now: float) -> MemoryTold:
    """A host of two nodes that is a little over its budget, whose balloons are not known."""
    gib = 1 << 30
    return MemoryTold(
        at=now - 10,
        level=Level.SOFT,
        since=now - 600,
        budget=Budget(
            total=64 * gib,
            available=20 * gib,
            huge=4 * gib,
            others=3 * gib,
            reserved=3 * gib,
            capacity=57 * gib,
            limit=1.2,
            guests=None,
            elastic=60 * gib,
            fixed=8 * gib,
            needed=58 * gib,
            ratio=68 / 57,
            balloon_ratio=None,
            resident_ratio=0.75,
            ksm=KsmBalance(
                run=1,
                saved=5 * gib,
                metadata=gib,
                profit=4 * gib,
                mergeable=40 * gib,
                scan_seconds=1800.0,
                advisor="none",
            ),
            saved=5 * gib,
            unmerge=15 * gib,
            unmerge_with_swap=17 * gib,
            worst=76 * gib,
            shortfall=10 * gib,
            sustainable=1.07,
            nodes=(
                NodeBudget(number=0, capacity=28 * gib, elastic=36 * gib, fixed=0, needed=30 * gib),
                NodeBudget(number=1, capacity=29 * gib, elastic=24 * gib, fixed=0, needed=20 * gib),
            ),
            vcpus=24,
            threads=16,
            cpu_ratio=1.5,
            cpu_limit=2.0,
        ),
    )


def boots_told(now: float) -> BootsTold:
    """A storm on a spinning disk; the node's other pool has seen nothing yet."""
    guest = GuestTold(uuid="u", name="alice", pool="sda", state="booting", since=now - 9)
    return BootsTold(
        at=now - 2,
        hold="the array is rebuilding",
        unknown_since=now - 5,
        pools=(
            PoolTold(
                pool="sda",
                kind="spinning",
                limit=3,
                booting=2,
                queued=7,
                target_seconds=0.04,
                latency_seconds=0.0725,
                iops=210.5,
                full_avg10=37.5,
                reason="words",
            ),
            PoolTold(pool="node", kind="other", limit=8, booting=0, queued=0, target_seconds=0.02),
        ),
        guests=(guest, replace(guest, uuid="v", name="instance-1", managed="nova", slowed_iops=100)),
        admissions={"limit": 40, "managed": 3},
        timed_out=1,
        held_seconds=1234.5,
        settled=Histogram(
            le=SETTLE_BUCKETS, counts=(0, 0, 1, 9, 30, 38, 40, 40, 40, 40, 40, 40), sum=2400.25, count=41
        ),
        released_at=now - 30,
    )


def full(now: float = NOW, **other: Any) -> Published:
    """What an agent says that has seen something of everything, 1 s after its last pulse."""
    checks = report(
        check("OVS_PORT_STALE", "crit", "br-int/vnet3", "br-int/vnet4", since="2027-01-15T07:50:00Z"),
        check("OVS_TAP_ORPHAN", "warn", "vnet9", muted=True),
        check("OVS_BRIDGE_MISSING", since="2027-01-14T08:00:00Z"),
        check("OVN_PORT_NOT_INSTALLED", "skip"),
        check("LIBVIRT_UNREACHABLE", "unknown"),
        status="crit",
    )
    values: dict[str, Any] = {
        "version": "0.2.0",
        "pid": 1234,
        "started_at": now - 3600,
        "taken_at": now - 10,
        "alive_at": now - 1,
        "fresh_seconds": 180.0,
        "report": checks,
        "sources": (
            SourceHealth(section="ovs", read_at=now - 10),
            SourceHealth(
                section="domains",
                trouble="unresponsive",
                reason="no answer",
                since=now - 60,
                read_at=now - 61,
            ),
            SourceHealth(section="links", trouble="unreachable", reason="never", since=now - 3600),
            SourceHealth(section="flows", trouble="not asked", reason="costs too much", since=now),
            SourceHealth(section="vswitchd", trouble="absent", reason="not installed", since=now),
        ),
        "repairs": (
            Repairs(code="OVS_PORT_STALE", result="done", count=7),
            Repairs(code="OVS_PORT_STALE", result="failed", count=1),
        ),
        "admission": Admissions(
            counts=(
                AdmissionCount(result="admitted", count=7),
                AdmissionCount(result="refused", figure="budget", count=13),
            ),
            pending=2,
            pending_bytes=1 << 30,
            asked_at=now - 100,
        ),
        "memory": memory_told(now),
        "boots": boots_told(now),
        "latency": Histogram(counts=(0, 0, 0, 0, 0, 5, 6, 7, 7, 7, 7, 7, 7), sum=16.5, count=8),
        "cost": LoopCost(
            looks=60,
            look_seconds_sum=12.5,
            look_seconds_last=0.25,
            pulses=1200,
            wakes={"timer": 50, "ovsdb": 10},
            cpu_seconds=30.5,
            resident_bytes=50_000_000,
            threads=9,
            descriptors=20,
        ),
        "holds": (Hold(kind="paused", reason="work", since=now - 300, until=now + 300),),
        "mutes": (Mute(code="OVS_TAP_ORPHAN", until=now + 60, reason="known", by="root", since=now - 60),),
        "left_alone": (
            LeftAlone(code="OVS_TAP_ORPHAN", object="vnet9", reason="not opted in"),
            LeftAlone(code="OVS_TAP_ORPHAN", object="vnet8", reason="not opted in"),
        ),
        "dhcp": (
            DhcpNetwork(
                network="default",
                server="192.168.122.1",
                verdicts=(
                    DhcpVerdict(layer="socket", state="ok"),
                    DhcpVerdict(layer="lease", state="warn"),
                    DhcpVerdict(layer="unicast", state="crit", at=now - 900, latency_seconds=0.00125),
                    DhcpVerdict(layer="renew", state="skip", at=now - 300),
                ),
                overdue=1,
            ),
            DhcpNetwork(
                network="lan:br1",
                server="10.77.1.1",
                verdicts=(DhcpVerdict(layer="passive", state="ok", at=now - 30, latency_seconds=0.01),),
                renewals={"answered": 12, "refused": 0, "silent": 1},
            ),
        ),
        "last_repair_at": now - 200,
        "config_reloaded_at": now - 3600,
        "config_problems": ("hostagent.toml:agent.x: unknown key",),
    }
    return Published(**(values | other))


def written(path: Path, published: Published) -> Path:
    """The document as a file, put there as the agent does."""
    made = path.with_suffix(".new")
    made.write_text(json.dumps(plain(published)))
    return made.replace(path)
