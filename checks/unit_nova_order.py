"""nova-compute that sees libvirt-guests stop its instances."""

from hostagent.health.api import Check, Example, State, judge_order

CHECK = Check(
    code="UNIT_NOVA_ORDER",
    group="unit",
    title="nova-compute does not stop before libvirt-guests stops the guests",
    severity=State.WARN,
    meaning=(
        "systemd has no chain of After= from nova-compute to libvirt-guests, so at a shutdown "
        "nova-compute may still run while libvirt-guests stops the instances."
    ),
    impact=("nova records the instances as stopped by their users and leaves them off after the boot."),
    evidence=(
        "hostagent order show",
        "systemctl show -p After nova-compute.service openstack-nova-compute.service",
    ),
    repair=(
        "Reported only. hostagent's package brings the drop-ins: see whether /etc/systemd/system "
        "overrides them. For a unit of another name (kolla): `hostagent order install --nova-unit "
        "NAME`. No restart is needed."
    ),
    evaluate=judge_order("UNIT_NOVA_ORDER", "order that is missing", "orders that are missing"),
    examples=(
        Example(
            title="nova-compute as distributions ship it",
            state=State.WARN,
            objects=("nova-compute.service/libvirt-guests.service",),
            host="""
[units.change."nova-compute.service"]
active = "active"
ran = true
after = ["network.target", "libvirtd.service"]
""",
        ),
        Example(
            title="with the drop-in",
            state=State.OK,
            host="""
[units.change."nova-compute.service"]
active = "active"
ran = true
after = ["libvirt-guests.service"]
""",
        ),
        Example(
            title="no nova",
            state=State.SKIP,
            host="""
[units.change."nova-compute.service"]
load = "not-found"
""",
        ),
    ),
)
