"""The root command, which imports a command's file only when it is called, and what errors exit with."""

from __future__ import annotations

import os
import traceback
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from hostagent import __version__
from hostagent.cli.session import EXIT_UNKNOWN, PLUGINS, Session
from hostagent.cli.words import printable, say
from hostagent.errors import ConfigError, HostagentError

if TYPE_CHECKING:
    from collections.abc import Sequence

# The file in which each command stands, as a click command of its name ("-" read as "_").
_COMMANDS = {
    "boot": "boot",
    "check": "check",
    "checks": "checks",
    "config": "config",
    "dhcp": "dhcp",
    "explain": "explain",
    "fix": "fix",
    "history": "history",
    "hook": "hook",
    "memory": "memory",
    "mute": "mute",
    "mutes": "mute",
    "order": "order",
    "ovs-ready": "ovs_ready",
    "pause": "pause",
    "ports": "ports",
    "purge": "purge",
    "resume": "pause",
    "status": "status",
    "undo": "undo",
    "unmute": "mute",
}


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's signature
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        module = import_module(f"hostagent.cli.{_COMMANDS[cmd_name]}")
        return cast("click.Command", getattr(module, cmd_name.replace("-", "_")))


@click.group(
    cls=_Commands, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.option("--config", type=click.Path(path_type=Path), help="Settings file, TOML.")
@click.version_option(__version__, message="hostagent %(version)s")
@click.pass_context
@click.pass_obj
def root(session: Session, context: click.Context, config: Path | None) -> int:
    """Say what is wrong with this KVM node, and repair its guests' ports."""
    session.config_file = config
    if context.invoked_subcommand is None:
        say(context.get_help())
        return EXIT_UNKNOWN
    return 0


def run(arguments: Sequence[str], *, started: float) -> int:
    """Run one command line and return its exit code; no error leaves this function."""
    plugin = next((name for name in PLUGINS if any(word.endswith(name) for word in arguments)), "")
    session = Session(started=started, plugin=plugin)
    try:
        code = root.main(args=list(arguments), prog_name="hostagent", standalone_mode=False, obj=session)
    except click.Abort:
        say("hostagent: interrupted")
        return 130  # what a shell reports for SIGINT
    except (BrokenPipeError, SystemExit):
        return 141  # click turns a closed pipe into SystemExit
    except ConfigError as error:
        for problem in error.problems:
            session.fail(problem)
    except click.UsageError as error:
        command = "hostagent" if error.ctx is None else error.ctx.command_path
        session.fail(f"{error.format_message()} ({command} --help shows what is possible)")
    except (HostagentError, click.ClickException) as error:
        session.fail(error.format_message() if isinstance(error, click.ClickException) else str(error))
    except Exception as error:  # noqa: BLE001  the outermost edge: no traceback reaches an operator unasked
        session.fail(f"internal error: {type(error).__name__}: {error} (HOSTAGENT_DEBUG=1 shows where)")
        if os.environ.get("HOSTAGENT_DEBUG") or "-vv" in arguments:
            say(printable(traceback.format_exc(), keep="\n"))
    else:
        return code if isinstance(code, int) else 0
    return EXIT_UNKNOWN
