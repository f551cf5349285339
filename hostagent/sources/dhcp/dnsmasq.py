"""dnsmasq processes → the DHCP servers of the host, each with its configuration and its sockets.

A server's files are read as it sees them, through /proc/PID/root, for it may run in a container. They are
read anew at every look, and may say other than when it was started; the sockets tell what is true.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from hostagent.model.dhcp import Keeper, Server
from hostagent.sources.dhcp.dnsmasq_config import (
    Options,
    conf_dir_files,
    parse_arguments,
    parse_file,
    parse_host,
    parse_range,
)
from hostagent.sources.files import read_bounded
from hostagent.sources.pids import process_ids

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hostagent.sources.dhcp.netns import Place

_NAME = b"dnsmasq"
_DEFAULT_FILE = "/etc/dnsmasq.conf"  # without --conf-file (config.h, CONFFILE)
_DEFAULT_LEASES = "/var/lib/misc/dnsmasq.leases"
_MOST_FILES = 1000  # of configuration, for one server
_SOCKET = re.compile(r"socket:\[(\d+)\]")
_LIBVIRT = re.compile(r"/libvirt/dnsmasq/(?P<network>[^/]+)\.conf$")
_NEUTRON = re.compile(r"/dhcp/(?P<network>[0-9a-f]{8}-[0-9a-f-]{27})/")
_INCUS = re.compile(r"/(?:incus|lxd)/networks/(?P<network>[^/]+)/")
_LXC = re.compile(r"/dnsmasq\.(?P<network>lxcbr[^/]*)\.leases$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """A dnsmasq process as /proc shows it; ``state`` is proc(5)'s letter."""

    pid: int
    parent: int
    state: str
    arguments: tuple[str, ...]


def find_processes(proc_dir: str = "/proc") -> list[Process]:
    """Every dnsmasq, without the children that it forks for scripts and TCP.

    Raises:
        ReadError: /proc can't be read.
    """
    found = [process for name in process_ids(proc_dir) if (process := _process(proc_dir, name)) is not None]
    commands = {each.pid: each.arguments for each in found}
    return [each for each in found if commands.get(each.parent) != each.arguments]


def _process(proc_dir: str, name: str) -> Process | None:
    try:
        # The name in parentheses may hold anything; it is cut to 15 bytes.
        with open(f"{proc_dir}/{name}/stat", "rb", buffering=0) as file:  # noqa: PTH123  read for every process
            stat = file.read(512)
        begin, end = stat.find(b"(") + 1, stat.rfind(b")")
        if stat[begin:end] != _NAME:
            return None
        state, parent = stat[end + 2 :].split()[:2]
        words = Path(proc_dir, name, "cmdline").read_bytes()
    except (OSError, ValueError):  # it has ended
        return None
    if state == b"Z":
        return None
    arguments = tuple(os.fsdecode(word) for word in words.rstrip(b"\0").split(b"\0"))
    return Process(pid=int(name), parent=int(parent), state=state.decode(), arguments=arguments)


def read_sockets(pid: int, proc_dir: str = "/proc") -> frozenset[int]:
    """The inodes of all sockets that a process holds.

    Raises:
        OSError: it has ended, or may not be looked at.
    """
    folder = f"{proc_dir}/{pid}/fd"
    found = set()
    for name in os.listdir(folder):  # noqa: PTH208  Path objects cost more than the reading
        try:
            link = os.readlink(f"{folder}/{name}")  # noqa: PTH115  as above
        except FileNotFoundError:  # closed meanwhile
            continue
        if match := _SOCKET.fullmatch(link):
            found.add(int(match[1]))
    return frozenset(found)


def read_server(process: Process, place: Place, proc_dir: str = "/proc") -> Server | None:
    """A process as a DHCP server; None if it only serves DNS."""
    reader = _ConfigReader(root=f"{proc_dir}/{process.pid}/root")
    options = Options()
    for name, value in reader.follow(parse_arguments(process.arguments[1:])):
        options.add(name, value)
    if not options.said("conf-file"):
        for name, value in reader.follow(parse_file(reader.read(_DEFAULT_FILE, optional=True))):
            options.add(name, value)
    ranges = tuple(found for value in options.values.get("dhcp-range", ()) if (found := parse_range(value)))
    relays = tuple(value for value in options.values.get("dhcp-relay", ()) if ":" not in value)
    if not ranges and not relays:
        return None
    hosts, seconds = _hosts(options, reader)
    keeper, network = keeper_of(process.arguments, place.name)
    binding = next((each for each in ("bind-dynamic", "bind-interfaces") if options.said(each)), "")
    return Server(
        pid=process.pid,
        namespace=place.key,
        keeper=keeper,
        network=network,
        binding=binding,
        interfaces=options.listed("interface"),
        except_interfaces=options.listed("except-interface"),
        no_dhcp_interfaces=options.listed("no-dhcp-interface"),
        listen=options.listed("listen-address"),
        ranges=ranges,
        relays=relays,
        lease_file=options.last("dhcp-leasefile") or _DEFAULT_LEASES,
        authoritative=options.said("dhcp-authoritative"),
        no_ping=options.said("no-ping"),
        ignores_unknown=any(_ignores_unknown(value) for value in options.values.get("dhcp-ignore", ())),
        port=_port(options),
        hosts=hosts,
        host_seconds=seconds,
        stopped=process.state in {"T", "t"},
        unread="; ".join(reader.troubles),
    )


def keeper_of(arguments: Iterable[str], namespace: str) -> tuple[Keeper, str]:
    """Who started a server, by the paths on its command line, and what that one calls the network."""
    words = " ".join(arguments)
    values = [word.partition("=")[2] or word for word in arguments]
    for pattern, keeper in ((_LIBVIRT, Keeper.LIBVIRT), (_INCUS, Keeper.INCUS), (_LXC, Keeper.LXC)):
        for value in values:
            if found := pattern.search(value):
                return keeper, found["network"]
    if namespace.startswith("qdhcp-"):
        return Keeper.NEUTRON, namespace.removeprefix("qdhcp-")
    if "neutron" in words and (found := _NEUTRON.search(words)):
        return Keeper.NEUTRON, found["network"]
    return Keeper.OTHER, ""


@dataclass(slots=True)
class _ConfigReader:
    """Follows conf-file and conf-dir, each file once."""

    root: str
    troubles: list[str] = field(default_factory=list)
    _read: set[str] = field(default_factory=set)

    def follow(self, options: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
        for name, value in options:
            yield name, value
            for path in self._files(name, value):
                yield from self.follow(parse_file(self.read(path)))

    def read(self, path: str, *, optional: bool = False) -> str:
        """One file's text, "" if it can't be read."""
        try:
            return read_bounded(self.root + path)
        except FileNotFoundError:
            if not optional:
                self.troubles.append(f"{path} does not exist any more")
        except (OSError, ValueError) as error:
            self.troubles.append(f"{path} can't be read: {error}")
        return ""

    def names(self, folder: str) -> list[str]:
        try:
            return sorted(os.listdir(self.root + folder))  # noqa: PTH208  names are what is wanted
        except OSError as error:
            self.troubles.append(f"{folder} can't be read: {error.strerror}")
            return []

    def _files(self, name: str, value: str) -> list[str]:
        """The files that an option names and that were not read before."""
        if name == "conf-dir" and value:
            folder, kept = conf_dir_files(value, self.names(value.split(",", maxsplit=1)[0]))
            found = [f"{folder}/{each}" for each in kept]
        else:
            given = name == "conf-file" and value.startswith("/") and value != "/dev/null"
            found = [value] if given else []
        new = [each for each in found if each not in self._read][: _MOST_FILES - len(self._read)]
        self._read.update(new)
        return new


def _hosts(options: Options, reader: _ConfigReader) -> tuple[frozenset[str], dict[str, int | None]]:
    lines = list(options.values.get("dhcp-host", ()))
    for path in options.values.get("dhcp-hostsfile", ()):
        is_folder = Path(reader.root + path).is_dir()
        for each in [f"{path}/{name}" for name in reader.names(path)] if is_folder else [path]:
            lines += [line for line in reader.read(each).splitlines() if not line.startswith("#")]
    addresses: set[str] = set()
    seconds: dict[str, int | None] = {}
    for line in lines:
        more, times = parse_host(line)
        addresses |= more
        seconds |= times
    return frozenset(addresses), seconds


def _ignores_unknown(value: str) -> bool:
    tags = {each.removeprefix("tag:").removeprefix("net:") for each in value.split(",")}
    return bool(tags & {"!known", "#known"})


def _port(options: Options) -> int:
    value = options.last("dhcp-alternate-port").split(",")[0]
    if value.isdecimal():
        return int(value)
    return 1067 if options.said("dhcp-alternate-port") else 67
