"""One thread per source, one call in flight, and nobody waits longer than he wants."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from hostagent.model.host import Trouble
from hostagent.sources.deadline import ReadError, SourceThread


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


def readers(name: str) -> list[threading.Thread]:
    return [each for each in threading.enumerate() if each.name == f"read {name}"]


def test_answer_and_error() -> None:
    thread = SourceThread("answers")
    assert thread.read(lambda: 42, 30) == 42
    with pytest.raises(KeyError):
        thread.read(lambda: {"y": 1}["x"], 1.0)
    assert thread.read(lambda: "next", 30) == "next"
    thread.close()


def test_stuck_call_is_given_up_and_no_second_one_starts(gate: threading.Event) -> None:
    thread = SourceThread("stuck")
    calls = []
    began = time.monotonic()
    with pytest.raises(ReadError, match=r"stuck did not answer within 0\.1 s") as raised:
        thread.read(gate.wait, 0.1)
    assert raised.value.trouble is Trouble.UNRESPONSIVE
    with pytest.raises(ReadError, match="stuck has not answered for 0 s"):
        thread.read(lambda: calls.append(1), 5.0)
    assert time.monotonic() - began < 4
    assert not calls
    assert len(readers("stuck")) == 1


def test_recovers_when_the_stuck_call_ends(gate: threading.Event) -> None:
    thread = SourceThread("recovers")
    stuck = thread.start(gate.wait)
    assert not stuck.wait(time.monotonic() + 0.05)
    gate.set()
    assert stuck.wait(time.monotonic() + 30)
    assert thread.read(lambda: "fresh", 30) == "fresh"


def test_close_ends_the_thread_and_a_later_call_starts_another() -> None:
    thread = SourceThread("closes")
    assert thread.read(lambda: 1, 30) == 1
    [first] = readers("closes")
    thread.close()
    first.join(30)
    assert not first.is_alive()
    assert thread.read(lambda: 2, 30) == 2
    thread.close()


def test_a_reason_is_one_line() -> None:
    assert ReadError(Trouble.INVALID, "domain 'a\nb'\t  is odd").reason == "domain 'a b' is odd"


def test_a_stuck_thread_does_not_keep_the_interpreter() -> None:
    program = (
        "import time\nfrom hostagent.sources.deadline import SourceThread\n"
        "SourceThread('x').start(lambda: time.sleep(60))\nprint('ends')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=50, check=True)
    assert (done.stdout, done.stderr) == (b"ends\n", b"")
