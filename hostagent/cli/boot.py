"""hostagent boot: guests that boot, who waits and why; and a person's word on when they go on."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import click

from hostagent.cli import boot_text
from hostagent.cli.asking import ask_published, change_agent
from hostagent.cli.boot_adopt import adopt, release
from hostagent.cli.boot_set import set_wish
from hostagent.cli.boot_words import Pace, Seen, document, status_line
from hostagent.cli.check_agent import why_stale
from hostagent.cli.params import json_option, some_or_all
from hostagent.cli.repeating import Shown, repeat
from hostagent.cli.session import EXIT_OK, EXIT_UNKNOWN, Session
from hostagent.cli.words import printable, put, put_json
from hostagent.errors import SourceError

if TYPE_CHECKING:
    from hostagent.config import Settings

_SILENT = "the agent tells nothing of boots (is it of an older version? systemctl restart hostagent)"


@click.group(invoke_without_command=True)
@click.pass_context
def boot(context: click.Context) -> int:
    """Boot storms: guests that boot, the queue, its order; without a command, their status."""
    return int(context.invoke(status)) if context.invoked_subcommand is None else EXIT_OK


@boot.command
@click.option(
    "--watch", "watched", is_flag=True, help="Go on until Ctrl-C; in a pipe, a line for each change."
)
@click.option("--full", is_flag=True, help="Print every guest.")
@json_option
@click.pass_obj
def status(session: Session, *, watched: bool = False, full: bool = False, as_json: bool = False) -> int:
    """Show each pool's limit and latency, who boots, who waits and why, who timed out.

    Exit 0 when the agent answers and sees libvirt, 3 otherwise.
    """
    if watched and as_json:
        raise click.UsageError("--watch goes with text only")
    settings = session.settings_or_defaults()
    if watched:
        return repeat(session, lambda: _shown(_seen(settings), full=full))
    seen = _seen(settings)
    if as_json:
        put_json(document(seen))
        return _code(seen)
    shown = _shown(seen, full=full)
    put(shown.screen)
    return shown.code


@boot.command
@click.option("--reason", default="", metavar="TEXT", help="Why, for those who see it later.")
@click.pass_obj
def hold(session: Session, reason: str) -> int:
    """Release no guest until `resume`. Those that boot go on; new starts are held over the limit."""
    _ask(session, "hold", reason=reason)
    put("held: no guest is released until hostagent boot resume\n")
    return EXIT_OK


@boot.command
@click.pass_obj
def resume(session: Session) -> int:
    """End `hold`: the guests that wait are released in their turn."""
    _ask(session, "resume")
    put("resumed\n")
    return EXIT_OK


@boot.command
@some_or_all
@click.pass_obj
def go(session: Session, *, names: tuple[str, ...], every: bool) -> int:
    """Let guests that wait start now, whatever the limit, their order or `hold` say."""
    found = _ask(session, "go", **({"all": True} if every else {"names": list(names)}))
    put(f"let go: {printable(', '.join(found))}\n" if found else "nobody waits\n")
    return EXIT_OK


for command in (set_wish, adopt, release):
    boot.add_command(command)


def _seen(settings: Settings) -> Seen:
    published, now = ask_published(settings), time.time()
    if published.boots is None:
        raise SourceError(_SILENT)
    stale = why_stale(published, now=now)
    return Seen(told=published.boots, host=os.uname().nodename, now=now, stale=stale)


def _shown(seen: Seen, *, full: bool) -> Shown:
    return Shown(code=_code(seen), line=status_line(seen), screen=boot_text.text(seen, full=full))


def _code(seen: Seen) -> int:
    return EXIT_UNKNOWN if seen.pace is Pace.UNKNOWN else EXIT_OK


def _ask(session: Session, word: str, **more: object) -> list[str]:
    """The names in the agent's answer to one request."""
    answer = change_agent(session.settings_or_defaults(), "boot", {"do": word, **more})
    names = answer.get("names", [])
    return [str(each) for each in names] if isinstance(names, list) else []
