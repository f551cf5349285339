"""The process as a shell sees it: pipes, terminals, signals, broken settings; no node is needed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

MAIN = [sys.executable, "-c", "from hostagent.cli import main; main()"]


def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, **variables}
    return subprocess.run(
        [*MAIN, *arguments], capture_output=True, text=True, env=env, timeout=60, check=False
    )


def test_version() -> None:
    assert run("--version").stdout == "hostagent 0.1.0\n"


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ([], "Usage"),
        (["--bogus"], "No such option"),
        (["bogus"], "No such command"),
        (["explain"], "Missing argument"),
        (["explain", "BOGUS"], "no check is called BOGUS"),
        (["check", "--timeout"], "requires an argument"),
        (["--config", "/nonexistent", "config", "validate"], "no such file"),
    ],
)
def test_every_usage_error_exits_3_and_says_why_on_stderr(arguments: list[str], word: str) -> None:
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (3, "")
    assert word in done.stderr
    assert "Traceback" not in done.stderr


def test_every_fault_of_a_settings_file(tmp_path: Path) -> None:
    file = tmp_path / "h.toml"
    file.write_text('[looks]\ngrace_second = 1\n[paths]\nrun_dir = "x\\u001b[31m"\n')
    done = run("--config", str(file), "config", "validate")
    assert done.returncode == 3
    assert done.stderr.splitlines() == [
        f"hostagent: {file}:looks.grace_second: unknown key (did you mean grace_seconds?)",
        f"hostagent: {file}:paths.run_dir: must be an absolute path, not 'x\\x1b[31m'",
    ]
    assert run("--config", str(file), "explain", "OVS_PORT_STALE").returncode == 0


def test_config_show_is_a_settings_file(tmp_path: Path) -> None:
    file = tmp_path / "h.toml"
    file.write_text('[sources]\nlibvirt_uri = "qemu+unix:///é\\"\\\\?x\\t"\n[looks]\ngrace_seconds = 0\n')
    shown = run("--config", str(file), "config", "show").stdout
    again = tmp_path / "again.toml"
    again.write_text(shown)
    assert run("--config", str(again), "config", "show").stdout == shown
    assert "\t" not in shown


def test_a_closed_pipe_is_no_error() -> None:
    script = (
        f"set -o pipefail; {sys.executable} -c 'from hostagent.cli import main; main()' config show | true"
    )
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr == ""
    assert done.returncode in {0, 141}


def test_a_full_disk_is_said() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*MAIN, "config"], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False
        )
    assert done.returncode == 3
    assert done.stderr == "hostagent: the output can't be written: No space left on device\n"


def test_closed_standard_streams() -> None:
    for closed in ("<&-", ">&-", "2>&-", "<&- >&- 2>&-"):
        script = f"exec {closed}; {sys.executable} -c 'from hostagent.cli import main; main()' config show"
        done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0
        assert "Traceback" not in done.stderr


def test_a_poor_locale_prints_what_it_can() -> None:
    done = run("config", "show", LC_ALL="POSIX", PYTHONIOENCODING="ascii", PYTHONCOERCECLOCALE="0")
    assert done.returncode == 0


HANGS = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in what a shell runs in the background
from hostagent.cli import app, session
import hostagent.cli.check_live as check_live

class Stuck:
    def __init__(self, settings): pass
    def look(self, **_):
        print("looking", file=sys.stderr, flush=True)
        {how}

check_live.Gatherer = Stuck
from hostagent.cli import main
sys.argv = ["hostagent", *{arguments!r}]
main()
"""


def hanging(how: str, *arguments: str) -> subprocess.Popen[str]:
    script = HANGS.format(how=how, arguments=list(arguments))
    pipe = subprocess.PIPE
    return subprocess.Popen([sys.executable, "-c", script], stdout=pipe, stderr=pipe, text=True)


@pytest.mark.parametrize("form", ["text", "nagios"])
def test_it_ends_in_time_whatever_hangs(form: str) -> None:
    begin = time.monotonic()
    process = hanging("time.sleep(60)", "check", "--live", "--timeout", "2s", "--format", form)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 3
    assert time.monotonic() - begin < 20
    assert "timed out after 2 s (--timeout gives it longer)" in (out if form == "nagios" else err)
    assert "Traceback" not in err


def test_ctrl_c_is_clean() -> None:
    process = hanging("time.sleep(60)", "check", "--live", "--timeout", "60s")
    assert process.stderr is not None
    assert process.stderr.readline() == "looking\n"
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (130, "")
    assert err.strip() == "hostagent: interrupted"


def test_an_internal_error_is_one_line_and_exits_3() -> None:
    process = hanging("raise ZeroDivisionError('x')", "check", "--live")
    _, err = process.communicate(timeout=30)
    assert process.returncode == 3
    assert err.splitlines()[1:] == [
        "hostagent: internal error: ZeroDivisionError: x (HOSTAGENT_DEBUG=1 shows where)"
    ]
    process = hanging("raise ZeroDivisionError('x')", "check", "--live", "-vv")
    assert "Traceback" in process.communicate(timeout=30)[1]


def test_help_and_usage_load_no_reader_of_the_host() -> None:
    script = (
        "import sys; from hostagent.cli import app; app.run(['explain', 'OVS_PORT_STALE'], started=0.0)\n"
        "heavy = {'libvirt', 'ovs', 'pyroute2', 'psutil', 'prometheus_client'} & sys.modules.keys()\n"
        "sys.exit(f'loaded {heavy}' if heavy else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
