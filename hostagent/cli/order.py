"""hostagent order: the order of guests, libvirt and Open vSwitch as systemd has it, and drop-ins for it."""

from __future__ import annotations

import os
import time

import click

from hostagent.act import unit_files
from hostagent.cli import order_text
from hostagent.cli.params import timeout_option
from hostagent.cli.session import EXIT_OK, EXIT_REFUSED, EXIT_WARN, Session
from hostagent.cli.words import printable, put, put_json
from hostagent.decide.unit_dropins import Named, dropins
from hostagent.decide.unit_order import orderings
from hostagent.errors import ActError, HostagentError
from hostagent.sources.systemd import read_units

_NAMES = {
    "--ovs-unit": "A unit that runs ovs-vswitchd.",
    "--ovsdb-unit": "A unit that runs ovsdb-server.",
    "--libvirt-unit": "A unit that runs libvirtd or virtqemud.",
    "--nova-unit": "A unit that runs nova-compute.",
}


@click.group(invoke_without_command=True)
@click.pass_context
def order(context: click.Context) -> int:
    """Guests stop before libvirt, libvirt before Open vSwitch; without a command, show."""
    return int(context.invoke(show)) if context.invoked_subcommand is None else EXIT_OK


@order.command
@click.option("--format", "form", type=click.Choice(["text", "json", "dot"]), default="text")
@timeout_option
@click.pass_obj
def show(session: Session, *, form: str = "text", timeout: float | None = None) -> int:
    """Show the effective, transitive order, with the path or the missing edge. Exit 1 if one is missing."""
    settings = session.settings()
    seconds = timeout or settings.looks.timeout_seconds
    until = time.monotonic() + seconds
    units = read_units(settings.paths.run_dir, until, proc_dir=settings.sources.proc_dir)
    found = orderings(units)
    if form == "json":
        put_json(order_text.as_json(found))
    else:
        put(order_text.as_dot(found) if form == "dot" else order_text.as_text(found))
    return EXIT_OK if all(each.right for each in found) else EXIT_WARN


@order.command
@click.option("--ovs-unit", multiple=True, metavar="NAME", help=_NAMES["--ovs-unit"])
@click.option("--ovsdb-unit", multiple=True, metavar="NAME", help=_NAMES["--ovsdb-unit"])
@click.option("--libvirt-unit", multiple=True, metavar="NAME", help=_NAMES["--libvirt-unit"])
@click.option("--nova-unit", multiple=True, metavar="NAME", help=_NAMES["--nova-unit"])
@click.pass_obj
def install(
    session: Session,
    *,
    ovs_unit: tuple[str, ...],
    ovsdb_unit: tuple[str, ...],
    libvirt_unit: tuple[str, ...],
    nova_unit: tuple[str, ...],
) -> int:
    """Write drop-ins for units of other names than Debian's and RHEL's, such as kolla-*-container.service.

    A second time changes nothing. Each call says all names: drop-ins of names not named again go.
    """
    try:
        named = Named(
            vswitchd=_units(ovs_unit),
            ovsdb=_units(ovsdb_unit),
            libvirt=_units(libvirt_unit),
            nova=_units(nova_unit),
        )
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
    if not named.any:
        raise click.UsageError(
            "name at least one unit (the package has drop-ins for Debian's, Ubuntu's and RHEL's names)"
        )
    return _write(session, dropins(named))


@order.command
@click.pass_obj
def remove(session: Session) -> int:
    """Remove the drop-ins that install wrote."""
    return _write(session, {})


def _write(session: Session, wished: dict[str, str]) -> int:
    settings = session.settings()
    if os.geteuid() != 0:
        session.fail("refused: drop-ins need root (run it with sudo)")
        return EXIT_REFUSED
    try:
        changed = unit_files.write(wished, settings)
    except (ActError, HostagentError) as error:
        session.fail(f"refused: {error}")
        return EXIT_REFUSED
    for line in changed:
        put(f"{printable(line)}\n")
    put(f"{len(changed)} files changed{', systemd has read its units again' if changed else ''}\n")
    return EXIT_OK


def _units(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name if "." in name else f"{name}.service" for name in names)
