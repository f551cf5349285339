"""A guest that runs in another tenant's VLAN, under its rate limit, because it was given its tap name."""

from hostagent.health.api import Check, Example, State, judge_drift

CHECK = Check(
    code="OVS_PORT_INHERITED",
    group="ovs",
    title="Ports that kept an earlier guest's VLAN, QoS or rate limit",
    severity=State.CRIT,
    grace=True,
    meaning=(
        "A running guest's port has a tag, trunks, VLAN mode, QoS or ingress policing that its live XML "
        "does not have: they belong to an earlier guest whose tap had the same name. libvirt adds ports "
        "with --may-exist and never clears what it finds. On taps with generated names the XML is the "
        "whole truth; on given names only what the XML states explicitly counts, because others set the "
        "VLAN from outside."
    ),
    impact=(
        "The guest runs in another tenant's VLAN: it reaches what it must not and not what it must, and "
        "it is limited to another guest's bandwidth."
    ),
    evidence=(
        "ovs-vsctl --columns=name,tag,trunks,vlan_mode,qos,external_ids list Port PORT",
        (
            "ovs-vsctl --columns=ingress_policing_rate,external_ids list Interface PORT # vm-id differs from "
            "the Port's"
        ),
        "virsh dumpxml DOMAIN # <vlan> and <bandwidth> of the interface",
    ),
    repair=(
        "`hostagent fix OVS_PORT_INHERITED` shows each column, old and new, and sets or clears it to what "
        "the live XML says in one transaction. If a column was set on purpose, put it into the domain's "
        "XML, or opt the port out: ovs-vsctl set Port PORT external_ids:hostagent=ignore."
    ),
    evaluate=judge_drift(
        "OVS_PORT_INHERITED", "port with another guest's settings", "ports with another guest's settings"
    ),
    examples=(
        Example(
            title="tag, QoS and policing of the guest that had vnet3 before the power cut",
            state=State.CRIT,
            objects=("br-int/vnet3",),
            host="""
[[domain]]
name = "bob"
[[domain.interface]]
tap = "vnet3"

[[link]]
name = "vnet3"
ifindex = 8

[[port]]
name = "vnet3"
vm = "bob"
tag = 100
qos = "q1"
port_ids = { vm-id = "11111111-1111-4111-8111-111111111111", ifname = "vnet3" }
ingress_policing_rate = 4000

[[qos]]
uuid = "q1"
external_ids = { vm-id = "11111111-1111-4111-8111-111111111111", ifname = "vnet3" }
""",
        ),
        Example(
            title="the XML names another VLAN",
            state=State.CRIT,
            objects=("br-int/vnet0",),
            host="""
[[domain]]
name = "alice"
[[domain.interface]]
tap = "vnet0"
vlan = 100

[[link]]
name = "vnet0"
ifindex = 5

[[port]]
name = "vnet0"
vm = "alice"
tag = 200
""",
        ),
        Example(
            title="as the XML says",
            state=State.OK,
            host="""
[[domain]]
name = "alice"
[[domain.interface]]
tap = "vnet0"
vlan = 100

[[link]]
name = "vnet0"
ifindex = 5

[[port]]
name = "vnet0"
vm = "alice"
tag = 100
""",
        ),
        Example(
            title="OpenNebula tags after the start: no vlan in the XML is no statement",
            state=State.OK,
            host="""
[[domain]]
name = "one-7"
managers = ["OpenNebula"]
[[domain.interface]]
tap = "one-7-0"

[[link]]
name = "one-7-0"
ifindex = 5
tap = true

[[port]]
name = "one-7-0"
vm = "one-7"
tag = 30
""",
        ),
    ),
)
