"""hostagent ports: every Open vSwitch port of the node, whose it is, and what is wrong with it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import click

from hostagent.cli.looking import Looked, bounded, look
from hostagent.cli.params import json_option, timeout_option
from hostagent.cli.session import EXIT_OK, EXIT_UNKNOWN, Session
from hostagent.cli.words import printable, put, put_json, table
from hostagent.decide.drift.world import World, join
from hostagent.errors import SourceError
from hostagent.model.host import Unavailable
from hostagent.sources.gather import Gatherer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hostagent.model.plan import Finding
    from hostagent.model.ports import Ovs, OvsPort


@dataclass(frozen=True, slots=True, kw_only=True)
class PortLine:
    """One port as the list shows it; "" where it has none, "?" where it could not be read."""

    bridge: str
    name: str
    owner: str
    domain: str
    vlan: str
    ofport: str
    link: str
    codes: tuple[str, ...]


@click.group(invoke_without_command=True)
@click.pass_context
def ports(context: click.Context) -> int:
    """The Open vSwitch ports of this node; without a command, list them."""
    return int(context.invoke(list_ports)) if context.invoked_subcommand is None else EXIT_OK


@ports.command("list")
@timeout_option
@json_option
@click.pass_obj
def list_ports(session: Session, *, timeout: float | None = None, as_json: bool = False) -> int:
    """List every port; exit 3 if something could not be read."""
    looked = _look(session, timeout)
    lines = list(_lines(looked))
    if as_json:
        put_json({"schema": "hostagent.ports/v1", "ports": [asdict(each) for each in lines]})
    else:
        header = ("BRIDGE", "PORT", "OWNER", "DOMAIN", "VLAN", "OFPORT", "LINK", "CODES")
        put("\n".join(table([header, *(_cells(each) for each in lines)])) + "\n")
    return _complete(session, looked)


@ports.command
@click.argument("name")
@timeout_option
@json_option
@click.pass_obj
def show(session: Session, *, name: str, timeout: float | None, as_json: bool) -> int:
    """Show one port with its columns and all that is wrong with it."""
    looked = _look(session, timeout)
    line = next((each for each in _lines(looked) if name in {each.name, f"{each.bridge}/{each.name}"}), None)
    if line is None:
        raise SourceError(f"no port is called {name} (hostagent ports list shows them)")
    findings = [each for each in looked.drift.findings if each.object == f"{line.bridge}/{line.name}"]
    ovs = looked.snapshot.ovs
    port = None if isinstance(ovs, Unavailable) else ovs.ports.get(line.name)
    if as_json:
        row = None if port is None else asdict(port)
        put_json({"schema": "hostagent.port/v1", **asdict(line), "row": row, "findings": _plain(findings)})
    else:
        put("".join(f"{printable(words)}\n" for words in _describe(line, port, findings)))
    return _complete(session, looked)


def _look(session: Session, timeout: float | None) -> Looked:
    settings = session.settings()
    timeout = timeout or settings.looks.timeout_seconds
    with bounded(session, timeout):
        looked = look(Gatherer(settings), settings, until=session.started + timeout)
    if isinstance(looked.snapshot.ovs, Unavailable):
        raise SourceError(looked.snapshot.ovs.reason)
    return looked


def _complete(session: Session, looked: Looked) -> int:
    """Say what could not be read and so shows as "?"."""
    code = EXIT_OK
    for section in ("domains", "links"):
        value = getattr(looked.snapshot, section)
        if isinstance(value, Unavailable):
            session.fail(value.reason)
            code = EXIT_UNKNOWN
    return code


def _lines(looked: Looked) -> Iterator[PortLine]:
    ovs = looked.snapshot.ovs
    if isinstance(ovs, Unavailable):
        return
    world = join(looked.snapshot)
    codes: dict[str, set[str]] = defaultdict(set)
    for each in looked.drift.findings:
        codes[each.object].add(each.code)
    for port in sorted(ovs.ports.values(), key=lambda each: (each.bridge, each.name)):
        yield _line(port, world, looked, tuple(sorted(codes.pop(port.object_id, ()))))
    yield from _without_row(ovs, looked.drift.findings, codes)


def _line(port: OvsPort, world: World | None, looked: Looked, codes: tuple[str, ...]) -> PortLine:
    links = looked.snapshot.links
    link = None if isinstance(links, Unavailable) else links.by_name.get(port.name)
    claim = None if world is None else world.claims.get(port.name)
    domain = claim.domain if claim else world.domain_of(port.interfaces[0]) if world else None
    tags = [str(port.tag)] if port.tag is not None else [str(each) for each in port.trunks]
    numbers = ["-" if each.ofport is None else str(each.ofport) for each in port.interfaces]
    return PortLine(
        bridge=port.bridge,
        name=port.name,
        owner="?" if world is None else world.owners[port.name].whose,
        domain="?" if world is None else domain.name if domain else "",
        vlan=",".join(tags),
        ofport=",".join(numbers),
        link="?" if isinstance(links, Unavailable) else "none" if not link else "up" if link.up else "down",
        codes=codes,
    )


def _without_row(ovs: Ovs, findings: tuple[Finding, ...], codes: dict[str, set[str]]) -> Iterator[PortLine]:
    """What a running guest should have and OVSDB lacks."""
    for each in findings:
        bridge, _, name = each.object.partition("/")
        if each.object in codes and name == each.name and name not in ovs.ports:
            yield PortLine(
                bridge=bridge,
                name=name,
                owner="no row",
                domain="",
                vlan="",
                ofport="",
                link="",
                codes=tuple(sorted(codes.pop(each.object))),
            )


def _cells(line: PortLine) -> tuple[str, ...]:
    values = (line.bridge, line.name, line.owner, line.domain, line.vlan, line.ofport, line.link)
    return tuple(value or "-" for value in (*values, " ".join(line.codes)))


def _describe(line: PortLine, port: OvsPort | None, findings: list[Finding]) -> Iterator[str]:
    for label, value in zip(("bridge", "port", "owner", "domain"), _cells(line), strict=False):
        yield f"{label:<8} {value}"
    yield f"link     {line.link}"
    if port is not None:
        yield f"Port     {port.uuid}  tag={port.tag} trunks={list(port.trunks)} vlan_mode={port.vlan_mode}"
        yield f"         qos={port.qos} external_ids={_pairs(port.external_ids)}"
        yield f"         other_config={_pairs(port.other_config)}"
        for each in port.interfaces:
            yield f"Iface    {each.uuid}  {each.name} type={each.type or 'system'} ofport={each.ofport}"
            yield f"         ifindex={each.ifindex} ingress_policing_rate={each.ingress_policing_rate}"
            yield f"         external_ids={_pairs(each.external_ids)}"
            if each.error:
                yield f"         error: {each.error}"
    for found in findings:
        held = f" ({found.held})" if found.held else ""
        yield f"{found.severity.upper():<8} {found.code}: {found.detail}{held}"


def _pairs(values: Mapping[str, str]) -> str:
    return "{" + ", ".join(f"{key}={value}" for key, value in sorted(values.items())) + "}"


def _plain(findings: list[Finding]) -> list[dict[str, str]]:
    return [{"code": each.code, "severity": str(each.severity), "detail": each.detail} for each in findings]
