"""Who may bring checks, and that one bad file stops no other."""

import os
from pathlib import Path

import pytest

from hostagent.decide.drift.codes import CODES
from hostagent.health.loader import load_checks

GOOD = """
from hostagent.health.api import Check, State, Verdict

CHECK = Check(
    code="SITE_DISK_FULL", group="site", title="t", severity=State.CRIT, meaning="m", impact="i",
    evidence=("df",), repair="r", examples=(),
    evaluate=lambda context: Verdict(state=State.OK, summary="fine"),
)
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    folder = tmp_path / "checks.d"
    folder.mkdir(mode=0o755)
    return folder


def put(site: Path, name: str, text: str, mode: int = 0o644) -> Path:
    file = site / name
    file.write_text(text)
    file.chmod(mode)
    return file


def test_every_code_of_drift_has_a_check_and_a_few_more() -> None:
    found = load_checks("/nonexistent")
    assert found.refused == ()
    assert found.by_code.keys() - CODES.keys() == {
        "BOOT_DEPENDENCY_CYCLE",
        "BOOT_GUEST_TIMED_OUT",
        "BOOT_QUEUE_STUCK",
        "BOOT_UNADOPTED_AUTOSTART",
        "CPU_BUDGET_EXCEEDED",
        "DHCP_LEASES_LOST",
        "DHCP_LEASE_OVERDUE",
        "DHCP_RENEWAL_DEAD",
        "DHCP_RENEWAL_SPLIT",
        "DHCP_REPLY_PATH_BROKEN",
        "DHCP_SERVER_MISSING",
        "DHCP_SERVER_STUCK",
        "DHCP_SOCKET_STALE",
        "DHCP_SOCKET_UNBOUND",
        "AMQP_KEEPALIVE_OFF",
        "DISK_LATENCY_HIGH",
        "DOMAIN_NOT_RESTARTED",
        "KSM_OFF",
        "KSM_SCAN_SLOW",
        "KSM_UNPROFITABLE",
        "LIBVIRT_UNREACHABLE",
        "LIBVIRT_UNRESPONSIVE",
        "MEMORY_BUDGET_EXCEEDED",
        "MEMORY_OOM_KILLED",
        "MEMORY_PRESSURE",
        "MEMORY_SWAPPING",
        "MEMORY_UNMERGE_HEADROOM",
        "OVS_DB_UNREACHABLE",
        "OVS_DB_UNRESPONSIVE",
        "OVS_VSWITCHD_DOWN",
        "UNIT_GUESTS_DISABLED",
        "UNIT_GUESTS_ORDER",
        "UNIT_LIBVIRT_ORDER",
        "UNIT_NOVA_ORDER",
        "UNIT_PURGE_FAILED",
    }
    assert CODES.keys() <= found.by_code.keys()


def test_a_site_check_is_loaded(site: Path) -> None:
    put(site, "site_disk_full.py", GOOD)
    put(site, "_shared.py", "raise SystemError")  # a leading underscore: no check
    put(site, "notes.txt", "not Python")
    found = load_checks(str(site))
    assert "SITE_DISK_FULL" in found.by_code
    assert "site" in found.groups()
    assert found.refused == ()


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("syntax.py", "def broken(:", "SyntaxError"),
        ("raises.py", "1 / 0", "ZeroDivisionError: division by zero"),
        ("exits.py", "raise SystemExit(0)", "SystemExit"),
        ("empty.py", "", "has no CHECK"),
        ("wrong_name.py", GOOD, "its name must be site_disk_full.py"),
        ("null.py", "CHECK = None\0", "null bytes"),
    ],
)
def test_a_broken_file_is_refused_and_stops_no_other(site: Path, name: str, text: str, reason: str) -> None:
    put(site, name, text)
    put(site, "site_disk_full.py", GOOD)
    found = load_checks(str(site))
    assert "SITE_DISK_FULL" in found.by_code
    (refused,) = found.refused
    assert refused.code == name.removesuffix(".py").upper()
    assert reason in refused.reason
    assert str(site / name) in refused.reason


def test_a_code_that_is_taken_is_refused(site: Path) -> None:
    put(site, "ovs_port_stale.py", GOOD.replace("SITE_DISK_FULL", "OVS_PORT_STALE"))
    found = load_checks(str(site))
    assert found.by_code["OVS_PORT_STALE"].group == "ovs"
    assert [each.reason.rsplit(": ", 1)[1] for each in found.refused] == [
        "refused, the code OVS_PORT_STALE is taken"
    ]


@pytest.mark.parametrize("mode", [0o664, 0o646])
def test_a_file_that_others_may_write_is_never_run(site: Path, tmp_path: Path, mode: int) -> None:
    put(site, "site_evil.py", f"open({str(tmp_path / 'ran')!r}, 'w')", mode)
    (refused,) = load_checks(str(site)).refused
    assert "others than root may write it" in refused.reason
    assert not (tmp_path / "ran").exists()


def test_another_users_file_is_never_run(site: Path, tmp_path: Path) -> None:
    file = put(site, "site_evil.py", f"open({str(tmp_path / 'ran')!r}, 'w')")
    os.chown(file, 65534, 65534)
    (refused,) = load_checks(str(site)).refused
    assert "not owned by root" in refused.reason
    assert not (tmp_path / "ran").exists()


def test_a_symbolic_link_is_never_followed(site: Path, tmp_path: Path) -> None:
    put(tmp_path, "site_disk_full.py", GOOD)
    (site / "site_disk_full.py").symlink_to(tmp_path / "site_disk_full.py")
    found = load_checks(str(site))
    assert "SITE_DISK_FULL" not in found.by_code
    assert len(found.refused) == 1


def test_nothing_is_loaded_from_a_folder_that_others_may_write(site: Path) -> None:
    put(site, "site_disk_full.py", GOOD)
    site.chmod(0o777)
    found = load_checks(str(site))
    assert "SITE_DISK_FULL" not in found.by_code
    assert "others than root may write it" in found.refused[0].reason
