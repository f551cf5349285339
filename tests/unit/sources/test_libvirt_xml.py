"""Domain XML → interfaces and managers: every stack's form, hostile content, 5 MB."""

import time
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostagent.model.guests import Bandwidth, GuestInterface, GuestVlan, Manager, Rate
from hostagent.sources.libvirt_xml import DomainXmlError, parse_domain

RATE = "<interface><bandwidth><inbound average='{}'/></bandwidth></interface>"
FIXTURES = Path(__file__).parents[2] / "fixtures" / "sources"


def fixture(name: str) -> str:
    return (FIXTURES / name).read_text()


def test_live_guest_of_libvirt() -> None:
    found = parse_domain(fixture("live.xml"))
    assert found.live
    assert found.managers == frozenset()
    assert found.interfaces == (
        GuestInterface(
            kind="bridge",
            mac="52:54:00:71:14:30",
            tap="vnet0",
            bridge="br-int",
            ovs=True,
            interface_id="0d43b2cc-f4b2-4d83-b164-edb548ca80ad",
            vlan=GuestVlan(tags=(100,)),
            bandwidth=Bandwidth(inbound=Rate(average=1000), outbound=Rate(average=1000)),
        ),
    )


def test_persistent_xml_keeps_only_given_names() -> None:
    found = parse_domain(fixture("named-tap.xml"))
    assert not found.live
    assert [(each.tap, each.bridge, each.vlan) for each in found.interfaces] == [("tap-g3", "br-int", None)]


def test_nova() -> None:
    found = parse_domain(fixture("nova.xml"))
    assert found.managers == {Manager.NOVA}
    ethernet, vhost, hostdev = found.interfaces
    assert ethernet == GuestInterface(
        kind="ethernet", mac="fa:16:3e:00:00:2a", tap="tap9b7c2f10-5e", mtu=1450
    )
    assert (vhost.kind, vhost.tap, vhost.bridge, vhost.link_up) == (
        "vhostuser",
        "vhu9b7c2f11-5e",
        None,
        False,
    )
    assert (hostdev.kind, hostdev.tap, hostdev.vlan) == ("hostdev", None, GuestVlan(tags=(42,)))


def test_ovirt_network_with_trunk_and_floor() -> None:
    found = parse_domain(fixture("ovirt.xml"))
    assert found.managers == {Manager.OVIRT}
    first, second = found.interfaces
    assert first.bridge == "vdsmbr_7wTLAqzf"
    assert first.vlan == GuestVlan(tags=(10, 20), trunk=True, native=(10, "untagged"))
    assert first.bandwidth == Bandwidth(
        inbound=Rate(average=1000, peak=5000, burst=1024), outbound=Rate(average=128)
    )
    assert (second.kind, second.bridge, second.bandwidth) == ("network", None, Bandwidth())


def test_opennebula_by_metadata_and_by_name() -> None:
    assert parse_domain(fixture("opennebula.xml")).managers == {Manager.OPENNEBULA}
    assert parse_domain("<domain><name>one-17</name></domain>", "one-17").managers == {Manager.OPENNEBULA}
    assert parse_domain("<domain/>", "one-17-clone").managers == frozenset()


def test_a_tag_deeper_in_metadata_is_not_a_manager() -> None:
    text = '<domain><metadata><mine><n:x xmlns:n="http://ovirt.org/vm/1.0"/></mine></metadata></domain>'
    assert parse_domain(text).managers == frozenset()


def test_interfaces_elsewhere_are_not_the_guests() -> None:
    text = "<domain><metadata><a xmlns='u:a'><devices><interface/></devices></a></metadata></domain>"
    assert parse_domain(text).interfaces == ()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not well-formed"),
        ("<domain><devices>", "not well-formed"),
        ("<network/>", "root is not <domain>"),
        ("<!DOCTYPE domain><domain/>", "document type declaration"),
        ('<!DOCTYPE d [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><domain>&b;</domain>', "document type"),
        ("<domain>&nbsp;</domain>", "not well-formed"),
        ("<domain>\udcff</domain>", "not well-formed"),
        ("<domain><devices><interface><mtu size='-1'/></interface></devices></domain>", "mtu size"),
        ("<domain><devices><interface><vlan><tag/></vlan></interface></devices></domain>", "vlan tag id"),
        (f"<domain><devices>{RATE.format(chr(0x663))}</devices></domain>", "bandwidth average"),
    ],
)
def test_what_cannot_be_understood_says_so(text: str, reason: str) -> None:
    with pytest.raises(DomainXmlError, match=reason):
        parse_domain(text)


def test_five_megabytes() -> None:
    filling = "<x:n xmlns:x='urn:x' v='" + "ä" * 50 + "'/>"
    text = fixture("live.xml").replace(
        "</devices>", "</devices><metadata>" + filling * 40_000 + "</metadata>"
    )
    assert len(text.encode()) > 5_000_000
    began = time.monotonic()
    assert len(parse_domain(text).interfaces) == 1
    assert time.monotonic() - began < 10


def test_deep_nesting() -> None:
    deep = "<a>" * 20_000 + "</a>" * 20_000
    assert (
        parse_domain(
            f"<domain><description>{deep}</description><devices><interface>{deep}</interface></devices></domain>"
        )
        .interfaces[0]
        .kind
        == ""
    )


@given(st.text(st.characters(blacklist_categories=("Cs", "Cc")) | st.sampled_from("\n\t"), max_size=40))
def test_any_name_comes_through(name: str) -> None:
    text = (
        f"<domain id='1'><name>{escape(name)}</name><devices><interface type='bridge'>"
        f"<source bridge={quoteattr(name)}/><target dev={quoteattr(name)}/></interface></devices></domain>"
    )
    [interface] = parse_domain(text, name).interfaces
    assert interface.tap == interface.bridge == name
