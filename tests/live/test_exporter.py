"""The exporter on a node: its unit, TLS, client certificates, a hostile crowd, the textfile timer."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hostagent.model.plain import plain
from tests.lab import soon
from tests.live.look import NOBODY
from tests.unit.export.data import full

if TYPE_CHECKING:
    from tests.lab import Node

pytestmark = pytest.mark.lab

UNIT = "hostagent-exporter.service"
PUBLISHED = "/run/hostagent/published.json"
PROBE = Path(__file__).with_name("exporter_probe.py")
PROMTOOL = Path(sys.executable).with_name("promtool")
URL = "http://127.0.0.1:9478"
TLS = "/etc/hostagent/tls"

ASK = """
import sys, ssl, urllib.error, urllib.request
url, ca, pair = (sys.argv[1:] + ["", ""])[:3]
context = ssl.create_default_context(cafile=ca) if ca else None
if pair:
    context.load_cert_chain(pair)
try:
    with urllib.request.urlopen(url, timeout=10, context=context) as found:
        print(found.status, found.read().decode(), end="")
except urllib.error.HTTPError as error:
    print(error.code, error.read().decode(), end="")
except OSError as error:
    print(0, error)
"""


def ask(node: Node, path: str, *arguments: str, base: str = URL) -> tuple[int, str]:
    """The status and the body, or 0 and why there is none."""
    status, _, text = node.run("python3", "-c", ASK, base + path, *arguments).stdout.partition(" ")
    return int(status), text


def publish(node: Node, **other: Any) -> None:
    """Put a document there as the agent does."""
    node.write(f"{PUBLISHED}.new", json.dumps(plain(full(time.time(), **other))), mode="640")
    node.run("chgrp", "hostagent", f"{PUBLISHED}.new")
    node.run("mv", f"{PUBLISHED}.new", PUBLISHED)


def settle(node: Node, export: str, *, reload: str = "restart") -> None:
    """Write the [export] table and have it taken up."""
    node.write("/etc/hostagent/hostagent.toml", f"[export]\n{export}\n")
    node.run("systemctl", reload, UNIT)
    assert soon(30, lambda: ask(node, "/-/healthy")[1] != "" and listening(node)), journal(node)


def listening(node: Node) -> bool:
    return ":9478 " in node.out("ss", "-Hltn")


def journal(node: Node) -> str:
    return node.out("journalctl", "-u", UNIT, "-o", "cat", "--no-pager", "-n", "50")


def clean(text: str) -> None:
    """promtool has nothing to say about it."""
    argv = [str(PROMTOOL), "check", "metrics"]
    done = subprocess.run(argv, input=text, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.fixture(scope="module", autouse=True)
def _by_hand(node: Node) -> None:
    """What is published here is written by hand; a real agent would publish over it."""
    node.run("systemctl", "stop", "hostagent.service", check=False)
    node.run("rm", "-f", PUBLISHED)
    assert soon(30, lambda: listening(node)), journal(node)


def test_it_serves_where_no_agent_publishes(node: Node) -> None:
    assert node.out("systemctl", "is-active", UNIT) == "active"
    assert ask(node, "/-/healthy") == (200, "healthy\n")
    status, text = ask(node, "/-/ready")
    assert status == 503
    assert "no such file" in text
    assert "hostagent_agent_up 0.0" in ask(node, "/metrics")[1]


def test_it_reads_what_others_may_not(node: Node) -> None:
    publish(node)
    status, text = ask(node, "/metrics")
    assert status == 200
    assert "hostagent_agent_up 1.0" in text
    assert 'hostagent_check_state{code="OVS_PORT_STALE"} 2.0' in text
    clean(text)
    denied = node.run(*NOBODY, "cat", PUBLISHED, check=False)
    assert "Permission denied" in denied.stderr
    node.run("chgrp", "root", PUBLISHED)
    node.run("touch", PUBLISHED)
    assert "can't be read: Permission denied (is this user in the group" in ask(node, "/-/ready")[1]
    node.run("rm", PUBLISHED)
    assert "hostagent_check_state{" not in ask(node, "/metrics")[1]
    assert "hostagent_agent_up 0.0" in ask(node, "/metrics")[1]


def test_it_has_no_rights(node: Node) -> None:
    for unit, most in ((UNIT, 1.5), ("hostagent-textfile.service", 2.5)):
        found = node.out("systemd-analyze", "security", "--no-pager", unit)
        exposure = re.search(r"exposure level for \S+: ([0-9.]+)", found)
        assert exposure is not None
        assert float(exposure[1]) <= most, found
    pid = node.out("systemctl", "show", "-p", "MainPID", "--value", UNIT)
    status = node.read(f"/proc/{pid}/status")
    assert re.search(r"^CapEff:\s+0+$", status, re.MULTILINE)
    assert not re.search(r"^Uid:\s+0\b", status, re.MULTILINE)
    assert node.read(f"/proc/{pid}/comm").startswith("hostagent")


def test_a_crowd_delays_no_scrape(node: Node) -> None:
    publish(node)
    found = json.loads(node.run("python3", "-c", PROBE.read_text(), f"{URL}/metrics").stdout)
    assert max(found["took"]) < 1, found
    assert len(found["took"]) > 15
    assert found["dropped"] > 200
    assert "NRestarts=0" in node.out("systemctl", "show", "-p", "NRestarts", UNIT)


def certificates(node: Node, folder: Path) -> None:
    """An authority of our own, with a certificate for the server and one for a client."""

    def openssl(*words: str) -> None:
        subprocess.run(["openssl", *words], cwd=folder, capture_output=True, check=True)

    new = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    openssl("req", "-x509", *new, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=authority")
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1\n")
    for name in ("server", "client", "renewed"):
        openssl("req", *new, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        signed = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "names"]
        openssl("x509", "-req", "-in", f"{name}.csr", *signed, "-out", f"{name}.pem")
    for file in ("ca.pem", "server.pem", "server.key"):
        node.put(folder / file, f"{TLS}/{file}", mode="640")
        node.run("chgrp", "hostagent", f"{TLS}/{file}")
    both = (folder / "client.pem").read_text() + (folder / "client.key").read_text()
    node.write("/root/client.pem", both, mode="600")


def test_tls_and_client_certificates(node: Node, tmp_path: Path) -> None:
    certificates(node, tmp_path)
    publish(node)
    pair = f'tls_certificate = "{TLS}/server.pem"\ntls_key = "{TLS}/server.key"\n'
    https, ca = URL.replace("http", "https"), f"{TLS}/ca.pem"
    settle(node, pair, reload="reload")
    assert soon(30, lambda: ask(node, "/-/ready", ca, base=https) == (200, "ready\n")), journal(node)
    assert ask(node, "/-/ready")[0] == 0  # plain HTTP is not answered
    found = json.loads(node.run("python3", "-c", PROBE.read_text(), f"{https}/metrics", ca).stdout)
    assert max(found["took"]) < 1.5, found

    # Renewed on disk, first half of it only: the old pair serves on, then the new one, without a signal.
    shown = ["python3", "-c", SHOWN]
    assert "server" in node.out(*shown)
    node.put(tmp_path / "renewed.pem", f"{TLS}/server.pem", mode="640")
    node.run("chgrp", "hostagent", f"{TLS}/server.pem")
    assert "server" in node.out(*shown)
    assert "exporter_config_problems 1.0" in ask(node, "/metrics", ca, base=https)[1]
    node.put(tmp_path / "renewed.key", f"{TLS}/server.key", mode="640")
    node.run("chgrp", "hostagent", f"{TLS}/server.key")
    assert "renewed" in node.out(*shown)
    assert "exporter_config_problems 0.0" in ask(node, "/metrics", ca, base=https)[1]

    settle(node, f'{pair}tls_client_ca = "{ca}"')
    assert ask(node, "/metrics", ca, base=https)[0] == 0
    assert ask(node, "/-/ready", ca, "/root/client.pem", base=https) == (200, "ready\n")


SHOWN = """
import socket, ssl
context = ssl.create_default_context(cafile="/etc/hostagent/tls/ca.pem")
with context.wrap_socket(socket.create_connection(("127.0.0.1", 9478)), server_hostname="127.0.0.1") as found:
    print(found.getpeercert()["subject"])
"""


def test_faults_in_the_settings(node: Node) -> None:
    node.run("chmod", "600", f"{TLS}/server.key")
    node.run("chown", "root:root", f"{TLS}/server.key")
    node.run("systemctl", "restart", UNIT)
    assert soon(30, lambda: node.out("systemctl", "show", "-p", "ExecMainStatus", "--value", UNIT) == "78")
    assert soon(30, lambda: node.run("systemctl", "is-failed", UNIT, check=False).stdout == "failed\n")
    said = f"export.tls_key: {TLS}/server.key: Permission denied (chgrp hostagent and chmod 640)"
    assert said in journal(node)
    assert "Traceback" not in journal(node)
    settle(node, "")
    assert ask(node, "/-/healthy")[0] == 200


def test_textfile(node: Node) -> None:
    assert node.run("systemctl", "is-enabled", "hostagent-textfile.timer", check=False).stdout == "disabled\n"
    publish(node)
    folder = "/var/lib/prometheus/node-exporter"
    node.run(
        "systemctl", "start", "hostagent-textfile.service"
    )  # without the collector: a condition, no fault
    assert node.run("test", "-e", folder, check=False).returncode == 1
    node.run("mkdir", "-p", folder)
    node.run("systemctl", "start", "hostagent-textfile.service")
    assert "hostagent_agent_up 1.0" in node.read(f"{folder}/hostagent.prom")
    assert node.out("stat", "-c", "%a", f"{folder}/hostagent.prom") == "644"
    node.run("rm", f"{folder}/hostagent.prom")
    node.run("systemctl", "start", "hostagent-textfile.timer")
    assert soon(30, lambda: node.run("test", "-e", f"{folder}/hostagent.prom", check=False).returncode == 0)
    node.run("systemctl", "stop", "hostagent-textfile.timer")


def test_what_the_agent_itself_publishes(node: Node) -> None:
    node.run("systemctl", "start", "hostagent.service")
    assert soon(30, lambda: ask(node, "/-/ready") == (200, "ready\n")), ask(node, "/-/ready")
    status, text = ask(node, "/metrics")
    assert status == 200
    clean(text)
    assert "hostagent_agent_up 1.0" in text
    assert "hostagent_status 0.0" in text
    assert 'hostagent_check_state{code="OVS_PORT_STALE"} 0.0' in text
    for source in ("domains", "ovs", "links", "vswitchd"):
        assert f'hostagent_source_up{{source="{source}"}} 1.0' in text
    node.run("systemctl", "stop", "hostagent.service")


def test_it_ends_at_once(node: Node) -> None:
    began = time.monotonic()
    node.run("systemctl", "stop", UNIT)
    assert time.monotonic() - began < 5
    assert node.out("systemctl", "show", "-p", "Result", "--value", UNIT) == "success"
