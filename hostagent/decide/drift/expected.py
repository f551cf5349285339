"""What a live domain's XML says a port's columns should be, in Open vSwitch's terms.

The translation is libvirt's own (src/util/virnetdevopenvswitch.c): ``<vlan>`` to tag, trunks and
vlan_mode; what the guest may send (outbound, KiB/s) to ingress policing in kbit/s, times 8.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hostagent.model.plan import Change, Value

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hostagent.model.guests import Bandwidth, GuestVlan
    from hostagent.model.ports import OvsInterface, OvsPort

KBIT_PER_KIB = 8
BIT_PER_KB = 8000
BIT_PER_KIB = 8192


@dataclass(frozen=True, slots=True, kw_only=True)
class VlanColumns:
    """Port.tag, Port.trunks and Port.vlan_mode."""

    tag: int | None = None
    trunks: tuple[int, ...] = ()
    vlan_mode: str | None = None

    def normal(self) -> VlanColumns:
        """The same VLANs without the mode that ovs-vswitchd.conf.db(5) implies anyway."""
        implied = "access" if self.tag is not None and not self.trunks else "trunk"
        mode = None if self.vlan_mode == implied else self.vlan_mode
        return VlanColumns(tag=self.tag, trunks=tuple(sorted(self.trunks)), vlan_mode=mode)


def vlan_columns(vlan: GuestVlan | None, implied_tag: int | None = None) -> VlanColumns:
    """The columns that libvirt sets for ``<vlan>``; ``implied_tag`` is a VLAN bridge's."""
    if vlan is None:
        return VlanColumns(tag=implied_tag)
    native_tag, mode = vlan.native or (None, None)
    if vlan.trunk:
        return VlanColumns(
            tag=native_tag,
            trunks=tuple(sorted(vlan.tags)),
            vlan_mode=None if mode is None else f"native-{mode}",
        )
    return VlanColumns(tag=vlan.tags[0] if vlan.tags else implied_tag)


def vlan_changes(port: OvsPort, wished: VlanColumns) -> Iterator[Change]:
    """The differences between the row and the wish, column by column."""
    actual = VlanColumns(tag=port.tag, trunks=port.trunks, vlan_mode=port.vlan_mode)
    if actual.normal() == wished.normal():
        return
    pairs: tuple[tuple[str, Value, Value], ...] = (
        ("tag", actual.tag, wished.tag),
        ("trunks", actual.trunks, wished.trunks),
        ("vlan_mode", actual.vlan_mode, wished.vlan_mode),
    )
    for column, old, new in pairs:
        if old != new:
            yield Change(path=f"Port.{column}", old=old, new=new)


def policing(bandwidth: Bandwidth) -> tuple[int, int]:
    """(ingress_policing_rate in kbit/s, ingress_policing_burst in kbit) for what the guest may send."""
    rate = bandwidth.outbound
    return (0, 0) if rate is None else (rate.average * KBIT_PER_KIB, rate.burst * KBIT_PER_KIB)


def policing_changes(row: OvsInterface, bandwidth: Bandwidth) -> Iterator[Change]:
    """The differences in policing; a burst without a rate limits nothing and is no difference by itself."""
    rate, burst = policing(bandwidth)
    same_rate = row.ingress_policing_rate == rate
    if same_rate and (rate == 0 or row.ingress_policing_burst == burst):
        return
    if not same_rate:
        yield Change(path="Interface.ingress_policing_rate", old=row.ingress_policing_rate, new=rate)
    if row.ingress_policing_burst != burst:
        yield Change(path="Interface.ingress_policing_burst", old=row.ingress_policing_burst, new=burst)


def limit(bandwidth: Bandwidth) -> Mapping[str, str]:
    """other_config of the QoS and queue that libvirt makes for what the guest may receive.

    Rates in bit/s, the burst in bit. Measured with libvirt 9.0: 300 KiB/s becomes 2,400,000 (times
    8,000), a burst of 64 KiB becomes 524,288 (times 8,192).
    """
    rate = bandwidth.inbound
    if rate is None:
        return {}
    figures = {
        "min-rate": rate.average * BIT_PER_KB,
        "max-rate": rate.peak * BIT_PER_KB,
        "burst": rate.burst * BIT_PER_KIB,
    }
    return {key: str(value) for key, value in figures.items() if value}
