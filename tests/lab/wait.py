"""Waiting for what happens by itself."""

import time
from collections.abc import Callable


def soon(seconds: float, question: Callable[[], bool]) -> bool:
    """Ask again and again; return the last answer, True as early as possible."""
    deadline = time.monotonic() + seconds
    while not (answer := question()) and time.monotonic() < deadline:
        time.sleep(0.1)
    return answer
