"""One living agent for each socket, and who may connect."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest

from hostagent.daemon import listening
from hostagent.errors import HostagentError, RefusedError
from tests.unit.daemon.sockets import (
    GROUP,
    asked,
    connect,
    new_threads,
    open_descriptors,
    read_line,
    started,
    wait_for,
)


def test_close_hangs_up_and_removes_the_socket(tmp_path: Path) -> None:
    threads, descriptors = set(threading.enumerate()), open_descriptors()
    path = tmp_path / "agent.sock"
    server = started(str(path))
    with connect(str(path)) as connection:
        connection.sendall(b"{}\n")
        assert read_line(connection)["ok"]
        server.close()
        assert connection.recv(1) == b""
    assert not path.exists()
    wait_for(lambda: not new_threads(threads))
    wait_for(lambda: not open_descriptors() - descriptors)
    again = started(str(path))
    assert asked(str(path))["ok"]
    again.close()


SERVE = (
    "import sys, time; from hostagent.daemon.serve import Server;"
    "Server(sys.argv[1], answer=lambda r, p: {'ok': True}, group='no-such-group').start();"
    "print('serving', flush=True); time.sleep(60)"
)


def test_a_dead_agents_socket_is_replaced_and_a_living_agent_is_not(tmp_path: Path) -> None:
    path = str(tmp_path / "agent.sock")
    with subprocess.Popen([sys.executable, "-c", SERVE, path], stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"serving\n"
        with pytest.raises(RefusedError, match=rf"another agent serves {path} \(process {other.pid}\)"):
            started(path)
        os.kill(other.pid, signal.SIGSTOP)  # hung is not dead
        with pytest.raises(RefusedError, match="another agent"):
            started(path)
        assert Path(path).is_socket()
        other.kill()
    assert Path(path).is_socket()
    with closing(started(path)):
        assert asked(path)["ok"]


def test_the_socket_is_for_root_and_the_group(tmp_path: Path) -> None:
    path = tmp_path / "agent.sock"
    with closing(started(str(path))):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    if os.geteuid() == 0:
        with closing(started(str(path), GROUP)):
            assert stat.S_IMODE(path.stat().st_mode) == 0o660
            assert path.group() == GROUP


def test_where_nobody_can_listen_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file" / "agent.sock", tmp_path / ("x" * 120) / "agent.sock"):
        with pytest.raises(HostagentError, match="can't listen there"):
            started(str(path))


def test_a_hung_socket_of_nobody_is_no_agent(tmp_path: Path) -> None:
    path = tmp_path / "agent.sock"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    number = listening.lock(path)
    os.close(number)
    with closing(started(str(path))):
        assert asked(str(path))["ok"]
