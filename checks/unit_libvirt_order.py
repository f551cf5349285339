"""libvirt that does not wait for Open vSwitch, or outlives it."""

from hostagent.health.api import Check, Example, State, judge_order

CHECK = Check(
    code="UNIT_LIBVIRT_ORDER",
    group="unit",
    title="libvirt is not ordered after Open vSwitch",
    severity=State.WARN,
    meaning=(
        "systemd has no chain of After= from libvirt's daemon to a unit of Open vSwitch that "
        "holds at the start and at the stop. A unit in the middle that is not active orders "
        "nothing."
    ),
    impact=(
        "At a boot guests may start before Open vSwitch is there, and fail or come up without a "
        "port. At a shutdown Open vSwitch may stop first, so that libvirt can't take its guests' "
        "ports away and they are stale after the boot."
    ),
    evidence=(
        "hostagent order show",
        "systemctl show -p After libvirtd.service virtqemud.service",
    ),
    repair=(
        "Reported only. hostagent's package brings the drop-ins: see whether /etc/systemd/system "
        "overrides them. For units of other names (kolla): `hostagent order install --ovs-unit "
        "NAME --libvirt-unit NAME`. No restart is needed."
    ),
    evaluate=judge_order("UNIT_LIBVIRT_ORDER", "order that is missing", "orders that are missing"),
    examples=(
        Example(
            title="no edge to vswitchd",
            state=State.WARN,
            objects=("libvirtd.service/ovs-vswitchd.service",),
            host="""
[units.change."libvirtd.service"]
after = ["ovsdb-server.service"]
""",
        ),
        Example(
            title="a target in the middle that is not active",
            state=State.WARN,
            objects=("libvirtd.service/ovs-vswitchd.service",),
            host="""
[units.change."libvirtd.service"]
after = ["network.target", "ovsdb-server.service"]
[units.change."network.target"]
after = ["ovs-vswitchd.service"]
""",
        ),
        Example(
            title="an active target in the middle",
            state=State.OK,
            host="""
[units.change."libvirtd.service"]
after = ["network.target"]
[units.change."network.target"]
active = "active"
ran = true
after = ["ovs-vswitchd.service", "ovsdb-server.service"]
""",
        ),
        Example(
            title="no Open vSwitch",
            state=State.SKIP,
            host="""
[units.change."ovsdb-server.service"]
load = "not-found"
[units.change."ovs-vswitchd.service"]
load = "not-found"
""",
        ),
        Example(
            title="no systemd",
            state=State.SKIP,
            host="""
[unavailable]
units = "absent: systemd does not run on this host"
""",
        ),
        Example(
            title="systemd hangs",
            state=State.UNKNOWN,
            host="""
[unavailable]
units = "unresponsive: systemd does not answer"
""",
        ),
    ),
)
