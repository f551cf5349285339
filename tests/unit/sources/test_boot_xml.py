"""Domain XML → what pacing wants of it; and <boot> as both readers see it."""

import time

import pytest

from hostagent.model.boot_wish import XMLNS, BootWish
from hostagent.model.guests import Manager
from hostagent.sources.boots.boot_xml import BootXml, Disk, parse_boot
from hostagent.sources.domain_tree import DomainXmlError
from hostagent.sources.libvirt_xml import parse_domain


def devices(inside: str) -> BootXml:
    return parse_boot(f"<domain type='kvm' id='7'><devices>{inside}</devices></domain>")


def test_a_running_guest() -> None:
    found = parse_boot(
        "<domain type='kvm' id='12'><name>a</name><memory unit='KiB'>2048</memory>"
        "<currentMemory unit='KiB'>1024</currentMemory>"
        "<metadata><nova:instance xmlns:nova='http://openstack.org/xmlns/libvirt/nova/1.1'/></metadata>"
        "<devices><disk type='file' device='disk'><source file='/a b.qcow2'/><target dev='vda'/></disk>"
        "<interface type='bridge'><mac address='52:54:00:AA:00:01'/></interface><interface type='user'/>"
        "<channel type='unix'>"
        "<target type='virtio' name='org.qemu.guest_agent.0' state='connected'/></channel>"
        "</devices></domain>"
    )
    assert found == BootXml(
        live=True,
        id=12,
        managers=frozenset({Manager.NOVA}),
        wish=BootWish(),
        disk=Disk(file="/a b.qcow2"),
        agent=True,
        macs=("52:54:00:aa:00:01",),
        memory=2 << 20,
    )


@pytest.mark.parametrize(
    "channel",
    [
        "<target type='virtio' name='org.qemu.guest_agent.0' state='disconnected'/>",
        "<target type='virtio' name='org.qemu.guest_agent.0'/>",
        "<target type='virtio' name='com.redhat.spice.0' state='connected'/>",
        "",
    ],
)
def test_no_agent(channel: str) -> None:
    assert not devices(f"<channel type='unix'>{channel}</channel>").agent


def file(path: str, *, order: str = "") -> str:
    boot = f"<boot order='{order}'/>" if order else ""
    return f"<disk type='file' device='disk'><source file='{path}'/>{boot}</disk>"


def far(source: str, host: str = "") -> str:
    return f"<disk type='network'><source {source}>{f'<host {host}/>' if host else ''}</source></disk>"


CD = "<disk type='file' device='cdrom'><source file='/cd.iso'/></disk>"


@pytest.mark.parametrize(
    ("disks", "found"),
    [
        ("", Disk()),
        (CD, Disk()),
        (CD + "<disk type='block'><source dev='/dev/vg/a'/></disk>", Disk(block="/dev/vg/a")),
        (file("/1") + file("/2", order="3") + file("/3", order="2"), Disk(file="/3")),
        (file("/1", order="x"), Disk(file="/1")),
        ("<disk type='file'/>", Disk()),
        (far("protocol='rbd' name='vms/a_disk'", "name='mon1'"), Disk(far="rbd:vms")),
        (far("protocol='gluster' name='vol/a.img'"), Disk(far="gluster:vol")),
        (far("protocol='iscsi' name='iqn.2013-07.com:a/1'", "name='10.0.0.5'"), Disk(far="iscsi:10.0.0.5")),
        (far("protocol='nbd'", "transport='unix' socket='/run/nbd'"), Disk(far="nbd:/run/nbd")),
        (far("protocol='nbd'"), Disk()),
        ("<disk type='volume'><source pool='fast' volume='a'/></disk>", Disk(far="volume:fast")),
        ("<disk type='vhostuser'><source type='unix' path='/s'/></disk>", Disk()),
        ("<disk type='nvme'><source type='pci' namespace='1'/></disk>", Disk()),
    ],
)
def test_what_it_boots_from(disks: str, found: Disk) -> None:
    assert devices(disks).disk == found


@pytest.mark.parametrize(
    ("text", "memory"),
    [
        ("<memory>8</memory>", 8192),
        ("<memory unit='KiB'>x</memory>", 0),
        ("<memory unit='GiB'>1</memory>", 0),
        ("<memory unit='KiB'/>", 0),
        ("<maxMemory unit='KiB'>64</maxMemory>", 0),
    ],
)
def test_memory(text: str, memory: int) -> None:
    assert parse_boot(f"<domain>{text}</domain>").memory == memory


AFTER = "<h:after name='my db'/><after name='dns'/>"
WISHES = [
    ("", BootWish()),
    (f"<h:boot xmlns:h='{XMLNS}'/>", BootWish()),
    (
        f"<h:boot xmlns:h='{XMLNS}' priority='5' exempt='yes'>{AFTER}</h:boot>",
        BootWish(priority=5, exempt=True, after=("my db", "dns")),
    ),
    (f"<x:boot xmlns:x='{XMLNS}' adopted='yes' after='a b'/>", BootWish(adopted=True, after=("a", "b"))),
    (f"<h:boot xmlns:h='{XMLNS}' priority='many' adopted='yes'/>", BootWish(adopted=True)),
    (f"<h:boot xmlns:h='{XMLNS}'><h:after/><h:after name='a/b'/></h:boot>", BootWish()),
    ("<boot priority='5'/>", BootWish()),
    ("<h:boot xmlns:h='urn:hostagent:boot:2' priority='5'/>", BootWish()),
    (f"<o:o xmlns:o='urn:o'><h:boot xmlns:h='{XMLNS}' priority='5'/></o:o>", BootWish()),
]


@pytest.mark.parametrize(("metadata", "wish"), WISHES)
def test_both_readers_see_the_same_wish(metadata: str, wish: BootWish) -> None:
    text = f"<domain><metadata>{metadata}</metadata></domain>"
    assert parse_boot(text).wish == parse_domain(text).wish == wish


@pytest.mark.parametrize("number", ["", "-1", "x", "9" * 400, "²"])
def test_an_id_that_is_none(number: str) -> None:
    found = parse_boot(f"<domain id='{number}'/>")
    assert (found.live, found.id) == (True, None)


@pytest.mark.parametrize("text", ["", "<domain>", "<pool/>", "<!DOCTYPE x><domain/>", "\ud800"])
def test_what_is_no_domain(text: str) -> None:
    with pytest.raises(DomainXmlError):
        parse_boot(text)


def test_opennebulas_names() -> None:
    assert parse_boot("<domain/>", "one-17").managers == {Manager.OPENNEBULA}


def test_four_megabytes_take_no_time() -> None:
    word = "<a:b c='d'>text</a:b>"
    text = f"<domain><metadata><a:a xmlns:a='urn:a'>{word * 200_000}</a:a></metadata></domain>"
    began = time.process_time()
    assert parse_boot(text).wish == BootWish()
    assert time.process_time() - began < 5
