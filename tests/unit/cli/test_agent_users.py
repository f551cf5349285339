"""Who may ask the agent, as the kernel decides it: real users, a real socket, the command as a process."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.unit.cli.agents import Agent
from tests.unit.daemon.data import FINE, QOS

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="becomes other users, which needs root")

MAIN = "from hostagent.cli import main; main()"
NOBODY, NOGROUP = 65534, 65534
OTHER_GROUP = 65533


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that other users can reach, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp(prefix="hostagent-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def agent(folder: Path) -> Iterator[Agent]:
    (folder / "hostagent.toml").write_text(
        f'[paths]\nrun_dir = "{folder}/run"\nstate_dir = "{folder}/state"\nchecks_dir = "{folder}/checks.d"\n'
    )
    agent = Agent(folder, group="nogroup")
    with closing(agent.server):
        agent.tell(QOS, FINE)
        yield agent


def run(folder: Path, *arguments: str, user: int, group: int) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-c", MAIN, "--config", str(folder / "hostagent.toml"), *arguments]
    return subprocess.run(
        argv, capture_output=True, text=True, timeout=60, check=False, user=user, group=group, extra_groups=[]
    )


CHANGES = [
    ["mute", "OVS_QOS_ORPHAN", "1h", "--reason", "x"],
    ["unmute", "OVS_QOS_ORPHAN"],
    ["pause", "--reason", "x"],
    ["resume"],
]


def test_root_reads_and_changes(agent: Agent, folder: Path) -> None:
    assert run(folder, "check", user=0, group=0).returncode == 1
    for arguments in CHANGES:
        done = run(folder, *arguments, user=0, group=0)
        assert (done.returncode, done.stderr) == (0, "")
    assert agent.controls.resumed_at() > 0


def test_a_member_of_the_group_reads_and_changes_nothing(agent: Agent, folder: Path) -> None:
    done = run(folder, "check", user=NOBODY, group=NOGROUP)
    assert (done.returncode, done.stderr) == (1, "")
    assert "OVS_QOS_ORPHAN" in done.stdout
    assert run(folder, "status", user=NOBODY, group=NOGROUP).returncode == 0
    for arguments in CHANGES:
        done = run(folder, *arguments, user=NOBODY, group=NOGROUP)
        assert (done.returncode, done.stdout) == (3, "")
        assert done.stderr == f"hostagent: {arguments[0]} needs root (run it with sudo)\n"
    assert (agent.controls.mutes(), agent.controls.holds(0), agent.controls.resumed_at()) == ((), (), 0.0)


CROWD = """
import socket, sys
connections = [socket.socket(socket.AF_UNIX) for _ in range(40)]
for each in connections:
    each.connect(sys.argv[1])
print("connected", flush=True)
sys.stdin.read()
"""


def test_the_group_does_not_crowd_root_out(agent: Agent, folder: Path) -> None:
    assert agent.told
    path = f"{folder}/run/agent.sock"
    argv = [sys.executable, "-c", CROWD, path]
    pipe = subprocess.PIPE
    with socket.socket(socket.AF_UNIX) as ours, ours.makefile("rw") as file:
        ours.settimeout(20)
        ours.connect(path)
        with subprocess.Popen(
            argv, stdin=pipe, stdout=pipe, user=NOBODY, group=NOGROUP, extra_groups=[]
        ) as crowd:
            assert crowd.stdout is not None
            assert crowd.stdout.readline() == b"connected\n"
            assert run(folder, "check", user=0, group=0).returncode == 1
            file.write('{"ask": "published"}\n')
            file.flush()
            assert '"ok": true' in file.readline()
            crowd.communicate()


def test_anybody_else_may_do_neither(agent: Agent, folder: Path) -> None:
    for arguments in [["check"], ["status"], ["mutes"], *CHANGES]:
        done = run(folder, *arguments, user=NOBODY, group=OTHER_GROUP)
        assert (done.returncode, done.stdout) == (3, "")
        words = "no permission to ask the agent: run it as root, or as a member of group hostagent"
        assert done.stderr == f"hostagent: {folder}/run/agent.sock: {words}\n"
    assert agent.controls.mutes() == ()
