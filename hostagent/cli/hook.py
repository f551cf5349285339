"""hostagent hook: libvirt asks before a guest starts; installed, removed, and whether it is in force."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hostagent.act import hook as files
from hostagent.cli.params import json_option
from hostagent.cli.session import EXIT_OK, EXIT_REFUSED, EXIT_UNKNOWN, EXIT_WARN, Session
from hostagent.cli.words import printable, put, put_json
from hostagent.config import Admit
from hostagent.decide.hook import Force, in_force
from hostagent.errors import HostagentError
from hostagent.model.hook import Wrapper
from hostagent.sources.hook import read_hook

if TYPE_CHECKING:
    from hostagent.config import Settings
    from hostagent.model.hook import Hook

SCHEMA = "hostagent.hook/v1"


@click.group(invoke_without_command=True)
@click.pass_context
def hook(context: click.Context) -> int:
    """Ask the agent before a guest starts or migrates in; without a command, show."""
    return int(context.invoke(status)) if context.invoked_subcommand is None else EXIT_OK


@hook.command
@json_option
@click.pass_obj
def status(session: Session, *, as_json: bool = False) -> int:
    """Show whether libvirt really runs the hook. Exit 0 if so or not installed, 1 if not, 3 if unknown."""
    settings = session.settings()
    found, asked_at = _look(settings), _asked_at(settings)
    force = in_force(found, asked_at)
    if as_json:
        put_json(_as_json(found, force, asked_at, settings))
    else:
        put(_as_text(found, force, asked_at, settings))
    if found.wrapper is Wrapper.ABSENT or force.holds:
        return EXIT_OK
    return EXIT_UNKNOWN if force.holds is None else EXIT_WARN


@hook.command
@click.pass_obj
def install(session: Session) -> int:
    """Install it beside the hooks that are there. It refuses nothing while memory.policy is "observe"."""
    settings = session.settings()
    if _no_root(session):
        return EXIT_REFUSED
    try:
        changed = files.install(_wrapper(settings), _look(settings).wrapper)
    except HostagentError as error:
        session.fail(f"refused: {error}")
        return EXIT_REFUSED
    found = _look(settings)
    put(f"{'installed' if changed else 'already there:'} {printable(found.path)}\n")
    put(_as_text(found, in_force(found, _asked_at(settings)), None, settings))
    return EXIT_OK


@hook.command
@click.pass_obj
def remove(session: Session) -> int:
    """Remove it; other hooks stay."""
    settings = session.settings()
    if _no_root(session):
        return EXIT_REFUSED
    try:
        changed = files.remove(_look(settings).wrapper)
    except HostagentError as error:
        session.fail(f"refused: {error}")
        return EXIT_REFUSED
    put("removed\n" if changed else "nothing to remove\n")
    return EXIT_OK


def _no_root(session: Session) -> bool:
    if os.geteuid() == 0:
        return False
    session.fail("refused: the hook needs root (run it with sudo)")
    return True


def _wrapper(settings: Settings) -> str:
    return files.wrapper(_socket(settings))


def _socket(settings: Settings) -> str:
    return f"{settings.paths.run_dir}/agent.sock"


def _look(settings: Settings) -> Hook:
    return read_hook(_wrapper(settings), _socket(settings), proc_dir=settings.sources.proc_dir)


def _asked_at(settings: Settings) -> float | None:
    """When the hook last asked the agent, as far as the agent tells; None when it does not."""
    try:
        told = json.loads(Path(settings.paths.run_dir, "published.json").read_bytes())
        asked_at = told["admission"]["asked_at"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return float(asked_at) if isinstance(asked_at, int | float) else None


def _as_text(found: Hook, force: Force, asked_at: float | None, settings: Settings) -> str:
    word = {True: "in force", False: "not in force", None: "perhaps not in force"}[force.holds]
    lines = [f"{word}: {force.reason}", f"wrapper: {found.path}: {found.wrapper}"]
    lines += [f"beside it: {each.path}" for each in found.others]
    lines += [f"run by: {each.name}, process {each.pid}" for each in found.daemons]
    effect = "counted" if settings.memory.policy is Admit.OBSERVE else "refused"
    lines.append(f"policy: {settings.memory.policy}: starts that do not fit are {effect}")
    if asked_at is not None:
        lines.append(f"last asked: {max(0.0, time.time() - asked_at):.0f} s ago")
    return "".join(f"{printable(line)}\n" for line in lines)


def _as_json(found: Hook, force: Force, asked_at: float | None, settings: Settings) -> dict[str, object]:
    return {
        "schema": SCHEMA,
        "in_force": force.holds,
        "reason": force.reason,
        "path": found.path,
        "wrapper": found.wrapper,
        "installed_at": found.installed_at,
        "policy": settings.memory.policy,
        "asked_at": asked_at,
        "others": [each.path for each in found.others],
        "daemons": [
            {"name": each.name, "pid": each.pid, "started_at": each.started_at, "lacks": list(each.lacks)}
            for each in found.daemons
        ],
    }
