"""What probes mean together, and what is said where none was made."""

from typing import Any

import pytest

from hostagent.decide.dhcp import judge
from hostagent.model.dhcp import Layer, Outcome, ProbeReport
from tests.unit.decide.dhcp_data import GONE, NOW, codes, dhcp


def report(layer: str, outcome: str, at: float = NOW, **fields: Any) -> ProbeReport:
    known: dict[str, Any] = {"network": "br1", "server": "10.77.1.1", "at": at}
    return ProbeReport(layer=Layer(layer), outcome=Outcome(outcome), **known | fields)


@pytest.mark.parametrize(
    ("probes", "queue", "expected"),
    [
        ([("unicast", "ok")], 0, {}),
        ([("unicast", "dead")], 0, {"RENEWAL_DEAD": "crit"}),
        ([("unicast", "split")], 0, {"RENEWAL_SPLIT": "crit"}),
        ([("unicast", "dead")], 500, {"SERVER_STUCK": "crit"}),
        ([("unicast", "ok")], 500, {}),
        ([("unicast", "dead"), ("renew", "rebind_only")], 0, {"RENEWAL_DEAD": "crit"}),
        ([("unicast", "dead"), ("renew", "reply_path")], 0, {"REPLY_PATH_BROKEN": "crit"}),
        ([("unicast", "dead"), ("renew", "reply_path")], 500, {"SERVER_STUCK": "crit"}),
        ([("unicast", "dead"), ("renew", "nak")], 0, {"LEASES_LOST": "crit"}),
        ([("unicast", "ok"), ("renew", "nak")], 0, {"LEASES_LOST": "crit"}),
        ([("unicast", "dead"), ("renew", "no_offer")], 0, {"SERVER_MISSING": "warn"}),
        ([("unicast", "dead"), ("renew", "ok")], 0, {}),
        ([("unicast", "split"), ("renew", "ok")], 0, {"RENEWAL_SPLIT": "crit"}),
        ([("unicast", "split"), ("renew", "rebind_only")], 0, {"RENEWAL_SPLIT": "crit"}),
        ([("renew", "rebind_only", NOW - 2000), ("unicast", "ok")], 0, {}),
        ([("renew", "rebind_only", NOW - 100), ("unicast", "ok")], 0, {}),
        ([("renew", "rebind_only"), ("unicast", "ok", NOW - 100)], 0, {"RENEWAL_DEAD": "crit"}),
        ([("renew", "ok", NOW - 2000), ("unicast", "dead")], 0, {"RENEWAL_DEAD": "crit"}),
        ([("renew", "ok", NOW - 100), ("unicast", "dead")], 0, {"RENEWAL_DEAD": "crit"}),
        ([("renew", "reply_path", NOW - 100), ("unicast", "dead")], 0, {"REPLY_PATH_BROKEN": "crit"}),
        ([("renew", "nak", NOW - 100), ("unicast", "ok")], 0, {"LEASES_LOST": "crit"}),
        ([("passive", "dead")], 0, {"RENEWAL_DEAD": "crit"}),
        ([("passive", "nak"), ("unicast", "ok")], 0, {"LEASES_LOST": "crit"}),
        ([("unicast", "dead", NOW - 50), ("unicast", "ok")], 0, {}),
        ([("unicast", "dead"), ("unicast", "skipped", NOW + 1)], 0, {"RENEWAL_DEAD": "crit"}),
    ],
)
def test_probes(probes: list[tuple[Any, ...]], queue: int, expected: dict[str, str]) -> None:
    assert codes(dhcp(queue=queue, probes=tuple(report(*each) for each in probes))) == expected


def test_probes_of_others_say_nothing() -> None:
    others = (
        report("unicast", "dead", network="br2"),
        report("unicast", "dead", server="10.77.1.2"),
        report("unicast", "dead", server_pid=99),
    )
    seen = dhcp(probes=others)
    assert codes(seen) == {}
    assert set(judge(seen, GONE, NOW).skipped) == {
        "DHCP_RENEWAL_DEAD",
        "DHCP_RENEWAL_SPLIT",
        "DHCP_REPLY_PATH_BROKEN",
        "DHCP_LEASES_LOST",
        "DHCP_LEASE_OVERDUE",
    }


def test_why_nothing_was_probed() -> None:
    seen = dhcp(probes=(report("unicast", "skipped", detail="no free address"),))
    assert judge(seen, GONE, NOW).skipped["DHCP_RENEWAL_DEAD"] == "br1: no free address"
    assert "dhcp probe NETWORK" in judge(dhcp(), GONE, NOW).skipped["DHCP_RENEWAL_DEAD"]
