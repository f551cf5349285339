"""The wrapper that libvirt runs, as a real process among broken things: only a plain no refuses a start."""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import subprocess
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hostagent.act.hook import wrapper
from hostagent.model.hook import HELPER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ASKING = Path(__file__).parents[3] / "hostagent/daemon/asking.py"
SHELLS = [shell for shell in ("sh", "dash", "bash", "busybox") if shutil.which(shell)]
XML = b"<domain><name>a</name></domain>" * 400
LIMIT = 0.2


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path


def run(
    place: Path, *arguments: str, shell: str = "sh", python: str = "/usr/bin/python3", timeout: str = ""
) -> tuple[int, str, str, float]:
    """The wrapper's status, stdout and stderr, and how long it took."""
    helper = place / "asking.py"
    helper.write_text(
        ASKING.read_text().replace("ANSWER_SECONDS = 0.15", "ANSWER_SECONDS = 30")
        if timeout
        else ASKING.read_text()
    )
    text = wrapper(str(place / "agent.sock")).replace(HELPER, str(helper))
    text = text.replace("/usr/bin/python3", python)
    file = place / "hook"
    file.write_text(text.replace("/usr/bin/timeout", timeout) if timeout else text)
    argv = [shell, *(["sh"] if shell == "busybox" else []), str(file), *arguments]
    began = time.monotonic()
    done = subprocess.run(argv, input=XML, capture_output=True, check=False, timeout=60)
    return done.returncode, done.stdout.decode(), done.stderr.decode(), time.monotonic() - began


def program(place: Path, body: str, mode: int = 0o755) -> str:
    file = place / "python3"
    file.write_text(f"#!/bin/sh\n{body}\n")
    file.chmod(mode)
    return str(file)


def patient(place: Path) -> str:
    """In the place of timeout(1): a busy machine may take its time to start the interpreter."""
    file = place / "patient"
    file.write_text('#!/bin/sh\nshift 3\nexec "$@"\n')
    file.chmod(0o755)
    return str(file)


START = ("a", "prepare", "begin", "-")


@pytest.mark.parametrize("shell", SHELLS)
def test_77_refuses_with_the_reason(place: Path, shell: str) -> None:
    no = program(place, "echo the budget >&2; exit 77")
    told = run(place, *START, shell=shell, python=no, timeout=patient(place))
    assert told[:3] == (1, "", "the budget\n")


BROKEN = {
    "exits 0": "echo out; exit 0",
    "exits 1": "echo Traceback >&2; exit 1",
    "exits 2": "exit 2",
    "exits 126": "exit 126",
    "exits 127": "exit 127",
    "exits 76": "exit 76",
    "killed": "kill -KILL $$",
    "terminated": "kill -TERM $$",
    "aborts": "kill -ABRT $$",
    "hangs": "exec sleep 5",
    "ignores signals and hangs": "trap '' TERM INT HUP; sleep 5",
}


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN.keys())
def test_anything_else_lets_it_start(place: Path, shell: str, body: str) -> None:
    status, out, _, took = run(place, *START, shell=shell, python=program(place, body))
    assert (status, out) == (0, "")
    assert took < LIMIT + 3


@pytest.mark.parametrize("shell", SHELLS)
def test_no_interpreter_lets_it_start(place: Path, shell: str) -> None:
    assert run(place, *START, shell=shell, python=str(place / "none"))[0] == 0
    assert run(place, *START, shell=shell, python=program(place, "exit 77", mode=0o644))[0] == 0
    garbage = place / "garbage"
    garbage.write_bytes(b"\x7fELF" + bytes(64))
    garbage.chmod(0o755)
    assert run(place, *START, shell=shell, python=str(garbage))[0] == 0
    assert run(place, *START, shell=shell, timeout=str(place / "no-timeout"))[0] == 0


OTHERS = ("start", "started", "stopped", "release", "migrate", "restore", "reconnect", "attach", "")


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("operation", OTHERS)
def test_other_operations_ask_nobody(place: Path, shell: str, operation: str) -> None:
    """A refusal of reconnect would end a running guest; what migrate prints would replace its XML."""
    no = program(place, "echo no >&2; exit 77")
    assert run(place, "a", operation, "begin", "-", shell=shell, python=no)[:3] == (0, "", "")
    assert run(place, "a", "prepare", "end", "-", shell=shell, python=no)[0] == 0
    assert run(place, shell=shell, python=no)[:3] == (0, "", "")


@pytest.fixture
def listener(place: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(place / "agent.sock"))
        made.listen(0)
        made.settimeout(30)
        yield made


def answering(listener: socket.socket, answer: bytes) -> Callable[[], bytes]:
    """Answer one question; returns a function that waits for the question."""
    heard: list[bytes] = []

    def serve() -> None:
        connection, _ = listener.accept()
        with connection, connection.makefile("rb") as file:
            heard.append(file.readline())
            connection.sendall(answer)

    thread = threading.Thread(target=serve)
    thread.start()

    def question() -> bytes:
        thread.join(30)
        return heard[0]

    return question


def test_the_helper_asks_and_tells_the_reason(place: Path, listener: socket.socket) -> None:
    reason = "no room for “a”"
    answer = {"ok": True, "result": "refused", "refused": reason.encode().hex()}
    question = answering(listener, json.dumps(answer).encode() + b"\n")
    assert run(place, *START, timeout=patient(place))[:3] == (1, "", f"{reason}\n")
    asked = json.loads(question())
    assert asked["ask"] == "admit"
    assert abs(asked["at"] - time.monotonic()) < 30


@pytest.mark.parametrize(
    "answer",
    [
        b'{"ok": true, "result": "admitted"}\n',
        b'{"error": "the agent is answering too many at once"}\n',
        b"",
        b"\n",
        b"garbage without an end",
        b'{"refused": "not hexadecimal"}\n',
        b"x" * 200_000,
    ],
)
def test_no_plain_refusal_lets_it_start(place: Path, listener: socket.socket, answer: bytes) -> None:
    question = answering(listener, answer)
    assert run(place, *START, timeout=patient(place))[:2] == (0, "")
    question()


def test_nobody_there_nobody_answers_or_nobody_accepts(place: Path) -> None:
    """No socket; one that nobody serves any more; a hung agent; one with a full backlog."""
    assert run(place, *START)[0] == 0
    path = str(place / "agent.sock")
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(path)
    assert run(place, *START)[0] == 0
    Path(path).unlink()
    with socket.socket(socket.AF_UNIX) as hung, socket.socket(socket.AF_UNIX) as first:
        hung.bind(path)
        hung.listen(0)
        status, _, _, took = run(place, *START)
        assert status == 0
        assert took < LIMIT + 3
        first.settimeout(0)
        with contextlib.suppress(BlockingIOError):  # the hook before may have filled it
            first.connect(path)
        status, _, _, took = run(place, *START)
        assert status == 0
        assert took < LIMIT + 3
