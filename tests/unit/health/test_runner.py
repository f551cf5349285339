"""The overall status by UX's precedence, a check that fails itself, and the selection."""

from dataclasses import replace
from itertools import product

import pytest

from hostagent.decide.drift import find_drift
from hostagent.errors import CheckError
from hostagent.health.api import Context, State, Verdict
from hostagent.health.case import parse_host
from hostagent.health.loader import Checks, Refused, load_checks
from hostagent.health.report import Report, Result
from hostagent.health.runner import run, select

ALL = load_checks("/nonexistent")
HEALTHY = parse_host('bridges = { br-int = "netdev" }')
CONTEXT = Context(snapshot=HEALTHY, drift=find_drift(HEALTHY))


def report(*states: State, muted: frozenset[State] = frozenset()) -> Report:
    results = tuple(
        Result(code=f"C{n}", state=state, summary="", muted=state in muted) for n, state in enumerate(states)
    )
    return Report(host="h", taken_at=0.0, results=results)


def test_precedence_is_crit_unknown_warn_ok_and_skip_is_neutral() -> None:
    rank = [State.CRIT, State.UNKNOWN, State.WARN, State.OK]
    for first, second in product(rank, rank):
        assert report(first, second, State.SKIP).status is min(first, second, key=rank.index)


def test_nothing_read_never_means_ok() -> None:
    assert report().status is State.UNKNOWN
    assert report(State.SKIP, State.SKIP).status is State.UNKNOWN


def test_a_muted_problem_does_not_count() -> None:
    assert report(State.CRIT, State.OK, muted=frozenset({State.CRIT})).status is State.OK


def test_a_check_that_fails_is_unknown_and_hides_no_other() -> None:
    def fail(_: Context) -> Verdict:
        raise KeyError("vnet0")

    broken = replace(ALL.by_code["OVS_PORT_STALE"], evaluate=fail)
    checks = Checks(by_code={**ALL.by_code, "OVS_PORT_STALE": broken})
    results = {each.code: each for each in run(checks, CONTEXT, host="h").results}
    assert results.pop("OVS_PORT_STALE").summary == "the check itself failed: KeyError: 'vnet0'"
    assert {each.state for each in results.values()} == {State.OK, State.SKIP}


def test_a_refused_file_is_unknown() -> None:
    checks = Checks(by_code=ALL.by_code, refused=(Refused(code="SITE_X", reason="x.py: refused"),))
    made = run(checks, CONTEXT, host="h")
    assert made.status is State.UNKNOWN
    assert made.results[-1].code == "SITE_X"


def test_select() -> None:
    refused = Refused(code="SITE_X", reason="x.py: refused")
    checks = Checks(by_code=ALL.by_code, refused=(refused,))
    assert select(checks, ()) is checks
    assert list(select(checks, ["ovs_port_stale"]).by_code) == ["OVS_PORT_STALE"]
    assert select(checks, ["ovs_port_stale"]).refused == ()
    assert select(checks, ["SITE_X"]).refused == (refused,)
    both = select(checks, ["LIBVIRT", "neutron"]).by_code
    assert list(both) == ["LIBVIRT_UNREACHABLE", "LIBVIRT_UNRESPONSIVE", "NEUTRON_PORT_DEAD_VLAN"]
    with pytest.raises(CheckError, match="no check and no group is called ovs_prot_stale"):
        select(checks, ["ovs", "ovs_prot_stale"])


HUNG = """
[unavailable]
domains = "unresponsive: libvirt did not answer within 5 s"
"""


@pytest.mark.parametrize(
    ("host", "status", "crit"),
    [
        (HUNG, State.CRIT, ["LIBVIRT_UNRESPONSIVE"]),
        (HUNG.replace("unresponsive", "unreachable"), State.CRIT, ["LIBVIRT_UNREACHABLE"]),
        (HUNG.replace("unresponsive", "denied"), State.UNKNOWN, []),
        (HUNG.replace("unresponsive", "invalid"), State.UNKNOWN, []),
        (HUNG.replace("unresponsive", "absent"), State.OK, []),
        (HUNG.replace("domains", "ovs"), State.CRIT, ["OVS_DB_UNRESPONSIVE"]),
        (HUNG.replace("domains", "vswitchd"), State.CRIT, ["OVS_VSWITCHD_DOWN"]),
        (
            HUNG.replace("domains", "vswitchd").replace("unresponsive", "unreachable"),
            State.CRIT,
            ["OVS_VSWITCHD_DOWN"],
        ),
        (HUNG.replace("domains", "links"), State.UNKNOWN, []),
    ],
)
def test_a_missing_section_is_crit_by_its_own_code_alone(host: str, status: State, crit: list[str]) -> None:
    snapshot = parse_host(host)
    made = run(ALL, Context(snapshot=snapshot, drift=find_drift(snapshot)), host="h")
    assert made.status is status
    assert [each.code for each in made.results if each.state is State.CRIT] == crit
    assert all(each.summary for each in made.results)
