"""What libvirt says of the guests' memory: XML, balloons, and 200 of them in time."""

import sys
import time
from pathlib import Path
from typing import Any

import pytest

from hostagent.model.guests_memory import Backing
from hostagent.model.host import Trouble
from hostagent.sources.deadline import ReadError
from hostagent.sources.guests_memory import GuestsMemoryReader, balloon_of
from hostagent.sources.libvirt_xml import DomainXmlError
from hostagent.sources.memory_xml import parse_promise
from tests.unit.sources.fake_libvirt import Dom, fail, fake_libvirt

GIB = 1 << 30
MIB = 1 << 20
SIZES = "<memory unit='KiB'>8388608</memory><currentMemory unit='KiB'>4194304</currentMemory><vcpu>4</vcpu>"


def xml(inner: str = "", devices: str = "", sizes: str = SIZES) -> str:
    return f"<domain type='kvm' id='1'>{sizes}{inner}<devices>{devices}</devices></domain>"


def test_plain() -> None:
    found = parse_promise(xml("<iothreads>2</iothreads>", "<video><model type='vga'/></video><tpm/>"))
    assert (found.maximum, found.current, found.ceiling) == (8 * GIB, 4 * GIB, None)
    assert (found.vcpus, found.iothreads, found.video, found.tpm, found.vfio) == (4, 2, True, True, False)
    assert (found.backing, found.why, found.bound) == (Backing.ELASTIC, (), {})


def test_hotplug_and_units() -> None:
    sizes = (
        "<maxMemory slots='16' unit='GiB'>64</maxMemory><memory unit='MiB'>8192</memory>"
        "<vcpu placement='static' current='2'>8</vcpu>"
    )
    found = parse_promise(xml(sizes=sizes, devices="<video><model type='none'/></video>"))
    assert (found.maximum, found.current, found.ceiling) == (8 * GIB, 8 * GIB, 64 * GIB)
    assert (found.vcpus, found.video) == (2, False)


HOSTDEV = "<hostdev mode='subsystem' type='pci' managed='yes'><source/></hostdev>"


@pytest.mark.parametrize(
    ("inner", "devices", "why"),
    [
        ("", HOSTDEV, ("VFIO",)),
        ("", "<hostdev mode='subsystem' type='mdev' model='vfio-pci'/>", ("VFIO",)),
        ("", "<interface type='hostdev'/>", ("VFIO",)),
        ("", "<interface type='vdpa'/>", ("vDPA",)),
        ("<memoryBacking><locked/></memoryBacking>", "", ("locked",)),
        ("<memoryBacking><nosharepages/></memoryBacking>", "", ("nosharepages",)),
        ("<launchSecurity type='sev-snp'/>", "", ("sev-snp",)),
        (
            "<memoryBacking><source type='memfd'/><access mode='shared'/></memoryBacking>",
            "",
            ("memfd", "shared"),
        ),
        ("<cpu><numa><cell id='0' memory='8388608' memAccess='shared'/></numa></cpu>", "", ("shared",)),
    ],
)
def test_fixed(inner: str, devices: str, why: tuple[str, ...]) -> None:
    found = parse_promise(xml(inner, devices))
    assert (found.backing, found.why) == (Backing.FIXED, why)
    assert found.vfio is ("VFIO" in why)


@pytest.mark.parametrize(
    "devices", ["<hostdev mode='subsystem' type='usb'/>", "<interface type='bridge'/>", "<memballoon/>"]
)
def test_elastic(devices: str) -> None:
    inner = "<memoryBacking><source type='anonymous'/><access mode='private'/></memoryBacking>"
    assert parse_promise(xml(inner, devices)).backing is Backing.ELASTIC


@pytest.mark.parametrize(
    ("pages", "backing"),
    [
        ("", Backing.HUGE),
        ("<page size='1048576' unit='KiB'/>", Backing.HUGE),
        ("<page size='2' unit='MiB'/><page size='1' unit='GiB' nodeset='0'/>", Backing.HUGE),
        ("<page size='2048' unit='KiB' nodeset='0'/>", Backing.ELASTIC),  # a part: counted as none
        ("<page size='4' unit='KiB'/>", Backing.ELASTIC),  # small pages, asked for by name
    ],
)
def test_huge_pages(pages: str, backing: Backing) -> None:
    inner = f"<memoryBacking><hugepages>{pages}</hugepages></memoryBacking>"
    assert parse_promise(xml(inner, HOSTDEV.replace("pci", "usb"))).backing is backing


CELLS = (
    "<cpu><numa><cell id='0' cpus='0-1' memory='4' unit='GiB'/><cell id='1' memory='4194304'/></numa></cpu>"
)


BY_CELL = """<numatune><memory mode='strict' nodeset='0-1'/>
<memnode cellid='0' mode='strict' nodeset='0'/>
<memnode cellid='1' mode='preferred' nodeset='1'/></numatune>"""


@pytest.mark.parametrize(
    ("numa", "bound"),
    [
        ("<numatune><memory mode='strict' nodeset='1'/></numatune>", {1: 8 * GIB}),
        ("<numatune><memory mode='strict' nodeset='0-1'/></numatune>", {}),
        ("<numatune><memory mode='strict' nodeset='0-1,^0'/></numatune>", {1: 8 * GIB}),
        ("<numatune><memory mode='preferred' nodeset='1'/></numatune>", {}),
        ("<numatune><memory mode='strict' placement='auto'/></numatune>", {}),
        (f"{CELLS}<numatune><memory mode='strict' nodeset='1'/></numatune>", {1: 8 * GIB}),
        (CELLS + BY_CELL, {0: 4 * GIB}),
    ],
)
def test_numa(numa: str, bound: dict[int, int]) -> None:
    assert parse_promise(xml(numa)).bound == bound


@pytest.mark.parametrize(
    "text",
    [
        "<domain>",
        "<domain id='1'/>",
        xml(sizes="<memory>x</memory>"),
        xml(sizes="<memory unit='stone'>1</memory>"),
        "<!DOCTYPE d [<!ENTITY a 'b'>]><domain/>",
    ],
)
def test_xml_that_is_not_understood(text: str) -> None:
    with pytest.raises(DomainXmlError):
        parse_promise(text)


def test_balloon() -> None:
    said = {"balloon.current": 4194304, "balloon.available": 4000000, "balloon.unused": 3000000}
    said |= {"balloon.usable": 3500000, "balloon.last-update": 1000}
    fresh, stale = balloon_of(said, 1060.0), balloon_of(said, 1061.0)
    assert fresh is not None
    assert stale is not None
    assert (fresh.current, fresh.available, fresh.usable) == (4 * GIB, 4000000 << 10, 3500000 << 10)
    assert (stale.current, stale.available, stale.unused, stale.usable) == (4 * GIB, None, None, None)
    assert stale.said_at == 1000.0
    never = balloon_of({"balloon.current": 1, "balloon.last-update": 0, "balloon.available": 0}, 1.0)
    assert never is not None
    assert (never.said_at, never.available) == (None, None)
    assert balloon_of({"balloon.maximum": 5}, 0.0) is None


@pytest.fixture
def domains(monkeypatch: pytest.MonkeyPatch) -> list[Dom]:
    found: list[Dom] = []
    monkeypatch.setitem(sys.modules, "libvirt", fake_libvirt(found))
    return found


def guest(name: str, text: str = "") -> Dom:
    made = Dom(name)
    made.xml = lambda _flags: text or xml()
    return made


def test_a_guest_with_its_balloon_and_process(domains: list[Dom], tmp_path: Path) -> None:
    process = tmp_path / "77"
    process.mkdir()
    (process / "comm").write_text("qemu-system-x86\n")
    (process / "cmdline").write_text("qemu\0-uuid\0uuid-a\0")
    (process / "status").write_text("RssAnon:\t 2048 kB\n")
    domains += [guest("a"), guest("b"), guest("gone")]
    domains[0].balloon = {"balloon.current": 4194304}
    domains[2].xml = fail(42)
    found = GuestsMemoryReader("fake:///", proc_dir=str(tmp_path)).read().by_uuid
    assert found.keys() == {"uuid-a", "uuid-b"}
    a, b = found["uuid-a"], found["uuid-b"]
    assert a.balloon is not None
    assert a.process is not None
    assert (a.balloon.current, a.process.pid, a.process.anonymous) == (4 * GIB, 77, 2 * MIB)
    assert (b.name, b.promise.maximum, b.balloon, b.process) == ("b", 8 * GIB, None, None)


def test_broken_xml_names_the_domain(domains: list[Dom]) -> None:
    domains.append(guest("odd", "<domain/>"))
    with pytest.raises(ReadError, match="domain 'odd' can't be read: it says no <memory>") as raised:
        GuestsMemoryReader("fake:///").read()
    assert raised.value.trouble is Trouble.INVALID


def test_a_driver_without_bulk_statistics(domains: list[Dom], monkeypatch: pytest.MonkeyPatch) -> None:
    domains.append(guest("a"))
    reader = GuestsMemoryReader("fake:///")
    fake: Any = sys.modules["libvirt"]
    connection = fake.openReadOnly("fake:///")
    monkeypatch.setattr(type(connection), "get_all_domain_stats", fail(3))
    assert reader.read().by_uuid["uuid-a"].balloon is None


def test_two_hundred_guests_cost_little(domains: list[Dom], tmp_path: Path) -> None:
    """Reading and judging 200: libvirt's own time is not in it, which the lab measures."""
    disks = "".join(
        f"<disk type='file'><source file='/d{i}'/><target dev='vd{i}'/></disk>" for i in range(20)
    )
    for index in range(200):
        domains.append(guest(f"g{index}", xml(devices=disks)))
        process = tmp_path / str(1000 + index)
        process.mkdir()
        (process / "comm").write_text("qemu-system-x86\n")
        (process / "cmdline").write_text(f"qemu\0-uuid\0uuid-g{index}\0")
        (process / "status").write_text("RssAnon:\t 2048 kB\n")
    began = time.process_time()
    found = GuestsMemoryReader("fake:///", proc_dir=str(tmp_path)).read()
    assert time.process_time() - began < 0.4
    assert len(found.by_uuid) == 200
    assert all(each.process for each in found.all())
