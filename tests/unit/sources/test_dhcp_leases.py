"""Lease files: whole, torn, and hostile."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostagent.model.dhcp import Lease
from hostagent.sources.dhcp.leases import parse_leases, parse_status

LINE = "1700000000 52:54:00:aa:bb:cc 10.0.0.5 web 01:52:54:00:aa:bb:cc\n"
LEASE = Lease(address="10.0.0.5", mac="52:54:00:aa:bb:cc", expires=1700000000.0, pid=7)


@pytest.mark.parametrize(
    ("text", "count", "torn"),
    [
        ("", 0, 0),
        (LINE, 1, 0),
        (LINE * 3, 3, 0),
        (LINE + "duid 00:01:00:01\n1700000000 1234 fd00::5 * 00:01\n", 1, 0),
        (LINE.replace("52:54", "06-52:54", 1), 1, 0),
        (LINE.replace("web", "*"), 1, 0),
        (LINE[:-1], 0, 1),  # a line without its end may be cut anywhere
        (LINE + LINE[:40], 1, 1),
        ("\0" * 100 + "\n" + LINE, 1, 1),
        (LINE.replace("1700000000", "-1"), 0, 1),
        (LINE.replace("1700000000", "9" * 400), 0, 1),
        (LINE.replace("1700000000", "\u0661\u0667"), 0, 1),
        (LINE.replace("10.0.0.5", "10.0.0.500"), 0, 1),
        (LINE.replace("52:54:00:aa:bb:cc 1", "52:54 1"), 0, 1),
        (LINE.replace("web", "we b"), 0, 1),
    ],
)
def test_dnsmasq(text: str, count: int, torn: int) -> None:
    assert parse_leases(text, 7) == ([LEASE] * count, torn)


def test_for_ever() -> None:
    (lease,), _ = parse_leases(LINE.replace("1700000000", "0"))
    assert lease.expires is None


ENTRY = {
    "ip-address": "10.0.0.5",
    "mac-address": "52:54:00:AA:bb:cc",
    "expiry-time": 1700000000,
    "hostname": "web",
}


@pytest.mark.parametrize(
    ("text", "count", "torn"),
    [
        ("", 0, 0),
        ("\n", 0, 0),
        ("[]", 0, 0),
        (json.dumps([ENTRY]), 1, 0),
        (json.dumps([ENTRY, {"ip-address": "fd00::5", "expiry-time": 1, "iaid": "1"}]), 1, 0),
        (json.dumps([ENTRY, {}, 5, None]), 1, 3),
        (json.dumps([ENTRY | {"expiry-time": True}]), 0, 1),
        (json.dumps([ENTRY])[:-5], 0, 1),
        ("{}", 0, 1),
        ("[" * 100_000, 0, 1),
        ('[{"expiry-time": ' + "9" * 5000 + "}]", 0, 1),
    ],
)
def test_libvirt(text: str, count: int, torn: int) -> None:
    assert parse_status(text, 7) == ([LEASE] * count, torn)


@given(st.text())
def test_any_text_is_read(text: str) -> None:
    parse_leases(text)
    parse_status(text)
    parse_status(json.dumps([text, {"ip-address": text, "mac-address": text, "expiry-time": text}]))
