"""hostagent(1), from the click commands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click
from click.shell_completion import BashComplete

from docs.man.roff import escaped, heading, items, paragraphs, subheading, title
from hostagent import __version__
from hostagent.cli.app import root

if TYPE_CHECKING:
    from collections.abc import Iterator

_NAME: Final = "hostagent"
_CHECK_EXITS: Final = (
    ("0", "ok, or done, or nothing to do"),
    ("1", "warn: some check warns"),
    ("2", "crit: some check is critical"),
    (
        "3",
        "unknown: nothing could be read, a time-out, no permission, a usage error or an internal error",
    ),
    ("10", "fix: a plan is pending; --apply carries it out"),
    ("11", "fix, undo, boot adopt, boot release: done in part"),
    ("12", "fix, undo, boot, hook, order: refused, with the reason"),
)
_FILES: Final = (
    ("/etc/hostagent/hostagent.toml", "the settings, see hostagent.toml(5)"),
    ("/etc/hostagent/checks.d/", "the site's own checks, refused unless only root can write them"),
    ("/etc/hostagent/stop", "while this file exists nothing is changed on the host"),
    ("/var/lib/hostagent/", "the journal of repairs, mutes and pauses, the agent's record of rows"),
    ("/run/hostagent/agent.sock", "where the agent answers root and the group hostagent"),
    ("/run/hostagent/", "the lock that repairs are made under, and what the agent saw last"),
)


def page() -> str:
    """The page of the command with all its subcommands."""
    context = click.Context(root, info_name=_NAME, **root.context_settings)
    text = title(_NAME, 1, __version__, "User Commands")
    text += heading("NAME") + "hostagent \\- health and repair of a KVM node with libvirt and Open vSwitch\n"
    text += heading("SYNOPSIS") + _usage(root, context) + heading("DESCRIPTION")
    text += paragraphs(root.help or "")
    text += heading("OPTIONS") + items(_options(root, context)) + heading("COMMANDS")
    for command, inner in _commands(root, context):
        text += subheading(inner.command_path) + _usage(command, inner)
        text += paragraphs((command.help or "").replace("\b", ""))
        text += items(_options(command, inner))
    text += heading("EXIT STATUS") + items(_CHECK_EXITS)
    text += heading("ENVIRONMENT") + items(
        [
            ("NO_COLOR", "no colour, also on a terminal"),
            ("HOSTAGENT_DEBUG", "show where an internal error is"),
        ]
    )
    text += heading("FILES") + items(_FILES)
    return text + heading("SEE ALSO") + ".BR hostagent.toml (5),\n.BR hostagent\\-checks (7)\n"


def completion() -> str:
    """The completion of bash, as click makes it."""
    return BashComplete(root, {}, _NAME, f"_{_NAME.upper()}_COMPLETE").source()


def _commands(group: click.Group, context: click.Context) -> Iterator[tuple[click.Command, click.Context]]:
    """Every command that is not hidden, groups before what is in them."""
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is None or command.hidden:
            continue
        inner = click.Context(command, info_name=name, parent=context)
        yield command, inner
        if isinstance(command, click.Group):
            yield from _commands(command, inner)


def _usage(command: click.Command, context: click.Context) -> str:
    words = " ".join(command.collect_usage_pieces(context))
    return f".B {escaped(context.command_path)}\n{escaped(words)}\n.PP\n"


def _options(command: click.Command, context: click.Context) -> Iterator[tuple[str, str]]:
    records = (each.get_help_record(context) for each in command.get_params(context))
    return (record for record in records if record is not None)
