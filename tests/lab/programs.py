"""The one place of the lab that runs programs."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path


class LabError(Exception):
    """What the user is told in one line."""


class ProgramError(LabError):
    """A program failed, or took too long."""

    def __init__(self, argv: Sequence[str], why: str, stdout: str = "", stderr: str = "") -> None:
        self.argv = list(argv)
        self.stdout = stdout
        self.stderr = stderr
        said = "".join(
            f"\n--- {name}\n{text.rstrip()}"
            for name, text in (("stdout", stdout), ("stderr", stderr))
            if text.strip()
        )
        super().__init__(f"{' '.join(argv)}: {why}{said}")


def run(
    argv: Sequence[str],
    *,
    check: bool = True,
    timeout: float | None = None,
    input: str | None = None,  # noqa: A002 - subprocess.run's own name for it
    cwd: Path | None = None,
    env: dict[str, str] | None = None,
    keep_open: Sequence[int] = (),
    shown_as: Sequence[str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end and return what it said; its whole process group dies at the time-out."""
    shown = shown_as if shown_as is not None else argv
    with subprocess.Popen(
        argv,
        stdin=subprocess.DEVNULL if input is None else subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        cwd=cwd,
        env=env,
        pass_fds=tuple(keep_open),
        process_group=0,
    ) as process:
        try:
            stdout, stderr = process.communicate(input, timeout=timeout)
        except BaseException as error:
            # nsenter's child would survive its parent and hold the pipes open: kill the group.
            process_group_kill(process)
            stdout, stderr = process.communicate()
            if isinstance(error, subprocess.TimeoutExpired):
                raise ProgramError(shown, f"no end within {timeout:g} s", stdout, stderr) from None
            raise
    if check and process.returncode != 0:
        raise ProgramError(shown, f"exit status {process.returncode}", stdout, stderr)
    return subprocess.CompletedProcess(list(shown), process.returncode, stdout, stderr)


def process_group_kill(process: subprocess.Popen[str]) -> None:
    """SIGKILL the group that `process` leads, if it is still there."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
