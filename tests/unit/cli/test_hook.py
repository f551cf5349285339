"""hostagent hook: what it installs, what it leaves alone, and when it is in force."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from hostagent.act import hook as files
from hostagent.decide.hook import in_force
from hostagent.errors import RefusedError
from hostagent.model.hook import OURS, Hook, HookDaemon, OtherHook, Wrapper
from hostagent.sources.hook import read_hook

if TYPE_CHECKING:
    from pathlib import Path

TEXT = files.wrapper("/run/hostagent/agent.sock")
SOCKET = "/run/hostagent/agent.sock"


def look(folder: Path, text: str = TEXT) -> Hook:
    return read_hook(text, SOCKET, hooks=str(folder))


def test_installed_beside_others_and_removed(tmp_path: Path) -> None:
    (tmp_path / "qemu.d").mkdir()
    for name in ("qemu", "qemu.d/10-site"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    (tmp_path / "qemu.d/README").write_text("not executable: libvirt skips it")
    assert look(tmp_path).wrapper is Wrapper.ABSENT
    assert files.install(TEXT, Wrapper.ABSENT, hooks=str(tmp_path))
    found = look(tmp_path)
    assert found.wrapper is Wrapper.CURRENT
    assert [each.path for each in found.others] == [str(tmp_path / "qemu"), str(tmp_path / "qemu.d/10-site")]
    assert os.access(tmp_path / OURS, os.X_OK)
    assert not files.install(TEXT, found.wrapper, hooks=str(tmp_path))
    assert files.remove(found.wrapper, hooks=str(tmp_path))
    assert not files.remove(Wrapper.ABSENT, hooks=str(tmp_path))
    assert sorted(each.name for each in (tmp_path / "qemu.d").iterdir()) == ["10-site", "README"]
    assert sorted(each.name for each in tmp_path.iterdir()) == ["qemu", "qemu.d"]


def test_one_of_an_older_version_is_brought_up_to_date(tmp_path: Path) -> None:
    assert files.install(TEXT, Wrapper.ABSENT, hooks=str(tmp_path))
    assert look(tmp_path, files.wrapper("/run/other/agent.sock")).wrapper is Wrapper.OLDER
    (tmp_path / OURS).chmod(0o644)
    assert look(tmp_path).wrapper is Wrapper.BROKEN
    assert files.install(TEXT, Wrapper.BROKEN, hooks=str(tmp_path))
    assert look(tmp_path).wrapper is Wrapper.CURRENT


def test_a_foreign_file_stays(tmp_path: Path) -> None:
    ours = tmp_path / OURS
    ours.parent.mkdir()
    ours.write_text("#!/bin/sh\nexit 0\n")
    found = look(tmp_path).wrapper
    assert found is Wrapper.FOREIGN
    with pytest.raises(RefusedError):
        files.install(TEXT, found, hooks=str(tmp_path))
    with pytest.raises(RefusedError):
        files.remove(found, hooks=str(tmp_path))
    assert ours.read_text() == "#!/bin/sh\nexit 0\n"


def test_a_socket_of_any_name_is_one_word_of_the_wrapper() -> None:
    assert "'/run/it'\\''s $(here)/agent.sock'" in files.wrapper("/run/it's $(here)/agent.sock")


def hook(
    wrapper: Wrapper = Wrapper.CURRENT,
    *,
    other: float | None = None,
    daemon: float | None = None,
    lacks: tuple[str, ...] = (),
) -> Hook:
    """Installed at 100, with another hook and a daemon as old as given."""
    runs = HookDaemon(name="libvirtd", pid=7, started_at=daemon or 0.0, lacks=lacks)
    return Hook(
        path=OURS,
        wrapper=wrapper,
        installed_at=None if wrapper is Wrapper.ABSENT else 100.0,
        others=() if other is None else (OtherHook(path="qemu", changed_at=other),),
        daemons=() if daemon is None else (runs,),
    )


@pytest.mark.parametrize(
    ("found", "asked_at", "holds", "words"),
    [
        (hook(Wrapper.ABSENT), None, False, "hostagent hook install"),
        (hook(Wrapper.FOREIGN), None, False, "not hostagent's"),
        (hook(Wrapper.OLDER), None, False, "another version"),
        (hook(), None, True, "the next one finds it"),
        (hook(daemon=101), None, True, "before each start"),
        (hook(daemon=99), None, None, "systemctl reload libvirtd.service"),
        (hook(daemon=99, other=98), None, True, "before each start"),
        (hook(daemon=99, other=100), None, None, "started before there was a hook"),
        (hook(daemon=99), 102.0, True, "before each start"),
        (hook(daemon=99), 98.0, None, "started before"),
        (
            hook(daemon=101, lacks=("/usr/bin/python3",)),
            None,
            False,
            "/usr/bin/python3: it is in a container",
        ),
    ],
)
def test_in_force(found: Hook, asked_at: float | None, *, holds: bool | None, words: str) -> None:
    force = in_force(found, asked_at)
    assert force.holds is holds
    assert words in force.reason
