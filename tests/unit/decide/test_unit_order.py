"""Orders of units: paths, gaps, units of other names and the drop-ins that put them right."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hostagent.decide.unit_dropins import HEADER, Named, dropins
from hostagent.decide.unit_order import orderings
from hostagent.model.units import Unit, Units

UP = Unit(name="", active="active", ran=True, file_state="enabled")
OVS, LIBVIRT = "ovs-vswitchd.service", "libvirtd.service"


def units(**after: str) -> Units:
    """Running units by their names without ".service" (- as _), each with its After=."""
    named = {
        name.replace("_", "-") + ("" if "." in name else ".service"): text for name, text in after.items()
    }
    return Units(by_name={n: replace(UP, name=n, after=frozenset(text.split())) for n, text in named.items()})


def one(found: Units) -> tuple[tuple[str, ...], tuple[str, ...]]:
    (ordering,) = orderings(found)
    return ordering.start, ordering.stop


def test_a_direct_edge() -> None:
    assert one(units(ovs_vswitchd="", libvirtd=OVS)) == ((LIBVIRT, OVS), (LIBVIRT, OVS))


def test_no_edge_is_named() -> None:
    (ordering,) = orderings(units(ovs_vswitchd="", libvirtd="network.target"))
    assert not ordering.right
    assert (
        ordering.words
        == "nothing orders them at start and stop: libvirtd.service lacks After=ovs-vswitchd.service"
    )


@pytest.mark.parametrize(
    ("middle", "wished"),
    [
        (replace(UP, name="m.service"), (True, True)),
        (replace(UP, name="m.service", active="inactive"), (True, False)),  # a oneshot that has ended
        (replace(UP, name="m.service", active="inactive", ran=False), (False, False)),
        (replace(UP, name="m.service", load="masked"), (False, False)),
    ],
)
def test_a_unit_in_the_middle_counts_while_it_has_a_job(middle: Unit, wished: tuple[bool, bool]) -> None:
    found = units(ovs_vswitchd="", libvirtd="m.service")
    by_name = {**found.by_name, "m.service": replace(middle, after=frozenset({OVS}))}
    paths = one(replace(found, by_name=by_name))
    assert tuple(map(bool, paths)) == wished


def test_circles_end() -> None:
    assert one(
        units(ovs_vswitchd="", libvirtd="a.service", a="b.service", b="a.service libvirtd.service")
    ) == ((), ())


def test_an_alias_is_the_unit() -> None:
    found = units(ovs_vswitchd="", libvirt_bin=OVS)
    found = replace(found, aliases={LIBVIRT: "libvirt-bin.service"})
    assert one(found) == (("libvirt-bin.service", OVS),) * 2


def test_a_scope_must_end_before_open_vswitch() -> None:
    found = units(ovs_vswitchd="", **{"machine-qemu-1.scope": "machine.slice"})
    (ordering,) = orderings(found)
    assert (ordering.code, ordering.right) == ("UNIT_GUESTS_ORDER", False)


def test_containers_units_have_their_roles() -> None:
    found = Units(
        by_name={
            name: replace(UP, name=name)
            for name in (
                "kolla-openvswitch_vswitchd-container.service",
                "kolla-nova_libvirt-container.service",
            )
        }
    )
    (ordering,) = orderings(found)
    assert ordering.later == "kolla-nova_libvirt-container.service"


def test_dropins_never_bind() -> None:
    named = Named(vswitchd=("v.service",), ovsdb=("d.service",), libvirt=("l.service",), nova=("n.service",))
    files = dropins(named)
    text = "".join(files.values())
    assert not {"Requires=", "BindsTo=", "PartOf="} & {line.split("=")[0] + "=" for line in text.splitlines()}
    assert all(each.startswith(f"{HEADER}[Unit]\n") for each in files.values())
    assert "machine.slice" not in "".join(files)
    assert files["v.service.d/hostagent-order.conf"].splitlines()[2:] == [
        "Wants=hostagent-purge.service",
        "After=hostagent-purge.service",
    ]
    assert "After=d.service v.service" in files["libvirtd.service.d/hostagent-order.conf"]
    assert "After=libvirt-guests.service" in files["n.service.d/hostagent-order.conf"]


@pytest.mark.parametrize("name", ["x", "../x.service", "a b.service", "x.service\n", "-.mount", ""])
def test_names_that_are_none(name: str) -> None:
    with pytest.raises(ValueError, match="no name"):
        Named(vswitchd=(name,))
