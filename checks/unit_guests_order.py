"""Guests that are stopped after what carries them."""

from hostagent.health.api import Check, Example, State, judge_order

CHECK = Check(
    code="UNIT_GUESTS_ORDER",
    group="unit",
    title="Guests do not stop before libvirt and Open vSwitch",
    severity=State.WARN,
    meaning=(
        "systemd has no chain of After= from libvirt-guests, or from a running guest's scope, to "
        "libvirt's daemon and to the units of Open vSwitch that holds at the start and at the "
        "stop."
    ),
    impact=(
        "At a shutdown Open vSwitch or libvirt may go while guests still stop: they lose the "
        "network in the middle of it, their ports can't be removed and are stale after the boot "
        "(measured: Open vSwitch went 5 s before the guests)."
    ),
    evidence=(
        "hostagent order show",
        "systemctl show -p After libvirt-guests.service machine.slice",
    ),
    repair=(
        "Reported only. hostagent's package brings the drop-ins: see whether /etc/systemd/system "
        "overrides them. For units of other names (kolla): `hostagent order install --ovs-unit "
        "NAME --libvirt-unit NAME`. No restart is needed."
    ),
    evaluate=judge_order("UNIT_GUESTS_ORDER", "order that is missing", "orders that are missing"),
    examples=(
        Example(
            title="libvirt-guests as distributions ship it",
            state=State.WARN,
            objects=(
                "libvirt-guests.service/libvirtd.service",
                "libvirt-guests.service/ovs-vswitchd.service",
                "libvirt-guests.service/ovsdb-server.service",
            ),
            host="""
[units.change."libvirt-guests.service"]
after = ["libvirtd.socket", "network.target"]
""",
        ),
        Example(
            title="by way of libvirtd",
            state=State.OK,
            host="""
[units.change."libvirt-guests.service"]
after = ["libvirtd.service"]
""",
        ),
        Example(
            title="by way of a libvirtd that is idle",
            state=State.WARN,
            objects=(
                "libvirt-guests.service/ovs-vswitchd.service",
                "libvirt-guests.service/ovsdb-server.service",
            ),
            host="""
[units.change."libvirt-guests.service"]
after = ["libvirtd.service"]
[units.change."libvirtd.service"]
active = "inactive"
""",
        ),
        Example(
            title="the scope of a guest has no edge",
            state=State.WARN,
            objects=(
                "machine-qemu-1.scope/ovs-vswitchd.service",
                "machine-qemu-1.scope/ovsdb-server.service",
            ),
            host="""
[units.change."machine-qemu-1.scope"]
active = "active"
ran = true
after = ["machine.slice"]
""",
        ),
        Example(
            title="libvirt-guests is not used",
            state=State.SKIP,
            host="""
[units.change."libvirt-guests.service"]
active = "inactive"
ran = false
file_state = "disabled"
""",
        ),
    ),
)
