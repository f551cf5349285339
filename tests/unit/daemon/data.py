"""What an agent tells, made by hand."""

from __future__ import annotations

import time

from hostagent.health.api import ObjectResult, State
from hostagent.health.report import Report, Result
from hostagent.model.published import LeftAlone, LoopCost, Published, Repairs, SourceHealth

STALE = Result(
    code="OVS_PORT_STALE",
    state=State.CRIT,
    summary="2 stale ports",
    objects=(
        ObjectResult(id="br-int/vnet7", detail="of no guest"),
        ObjectResult(id="br-int/vnet8", detail="of no guest"),
    ),
    fixable=True,
)
QOS = Result(
    code="OVS_QOS_ORPHAN",
    state=State.WARN,
    summary="1 QoS row of nobody",
    objects=(ObjectResult(id="0b5ab2d4", detail="of no port"),),
)
FINE = Result(code="LIBVIRT_UNREACHABLE", state=State.OK, summary="libvirt 9.0.0")
FLOWS = Result(code="OVS_FLOW_ORPHAN", state=State.SKIP, summary="read on request only")


def published(*results: Result, age: float = 12.0) -> Published:
    """What an agent tells that has looked ``age`` seconds ago."""
    now = time.time()
    report = Report(host="node1", taken_at=now - age, results=results or (FINE,))
    return Published(
        version="0.1.0",
        pid=4242,
        started_at=now - 7300,
        taken_at=now - age,
        alive_at=now - min(age, 1.0),
        fresh_seconds=180.0,
        report=report.as_json(),
        look_seconds=0.12,
        cycle="nothing to do",
        sources=(
            SourceHealth(section="ovs", read_at=now - age),
            SourceHealth(section="domains", trouble="unresponsive", reason="libvirt hangs", since=now - 300),
        ),
        repairs=(Repairs(code="OVS_PORT_STALE", result="done", count=3),),
        cost=LoopCost(looks=120, cpu_seconds=3.5, resident_bytes=48 << 20, threads=9, descriptors=30),
        left_alone=(LeftAlone(code="OVS_PORT_ERROR", object="br-int/tap1", reason="neutron owns it"),),
        last_repair_at=now - 3700,
    )
