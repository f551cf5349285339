"""A libvirt module in which every call can be made to misbehave."""

from collections.abc import Callable
from types import ModuleType
from typing import Any

LIST_AUTOSTART = 1 << 10


class LibvirtError(Exception):
    def __init__(self, code: int, message: str = "broken", int1: int = 0) -> None:
        super().__init__(message)
        self._values = (code, message, int1)

    def get_error_code(self) -> int:
        return self._values[0]

    def get_error_message(self) -> str:
        return self._values[1]

    def get_int1(self) -> int:
        return self._values[2]


NAMES = {
    "UUIDString": "uuid_string",
    "XMLDesc": "xml_desc",
    "controlInfo": "control_info",
    "jobStats": "job_stats",
    "isAlive": "is_alive",
    "listAllDomains": "list_all_domains",
    "getAllDomainStats": "get_all_domain_stats",
    "isPersistent": "is_persistent",
    "lookupByUUIDString": "lookup_by_uuid_string",
    "domainListGetStats": "domain_list_get_stats",
}


class LibvirtNames:
    """Its methods can be called by libvirt's names."""

    def __getattr__(self, name: str) -> Any:
        if name not in NAMES:
            raise AttributeError(name)
        return getattr(self, NAMES[name])


class Dom(LibvirtNames):
    """A domain; every attribute may be replaced by what a test wants to happen."""

    def __init__(self, name: str, *, state: tuple[int, int] = (1, 1), live: bool = True) -> None:
        self._name = name
        self.stats: tuple[int, int] | None = state
        self.live = live
        self.now = state
        self.control = 0
        self.balloon: dict[str, int] = {}
        self.starts_itself = False
        self.connection: Connection | None = None
        self.job: Callable[[], dict[str, int]] = lambda: {"type": 0}
        self.xml: Callable[[int], str] = self._xml

    def _xml(self, flags: int) -> str:
        live = self.live and not flags & 2
        target = "<target dev='vnet0'/>" if live else ""
        interface = f"<interface type='bridge'>{target}</interface>"
        start = "<domain id='1'>" if live else "<domain>"
        return f"{start}<devices>{interface}</devices></domain>"

    def connect(self) -> "Connection | None":
        return self.connection

    def is_persistent(self) -> int:
        return int(not self._name.startswith("transient"))

    def autostart(self) -> int:
        return int(self.starts_itself)

    def uuid_string(self) -> str:
        return f"uuid-{self._name}"

    def name(self) -> str:
        return self._name

    def xml_desc(self, flags: int) -> str:
        return self.xml(flags)

    def state(self) -> list[int]:
        return list(self.now)

    def control_info(self) -> list[int]:
        return [self.control, 0, 0]

    def job_stats(self) -> dict[str, int]:
        return self.job()


class Connection(LibvirtNames):
    def __init__(self, domains: list[Dom]) -> None:
        self.domains = domains
        self.error: LibvirtError | None = None
        self.stats_error: LibvirtError | None = None
        self.alive = 1

    def is_alive(self) -> int:
        return self.alive

    def list_all_domains(self, flags: int) -> list[Dom]:
        if self.error:
            raise self.error
        for each in self.domains:
            each.connection = self
        if flags & LIST_AUTOSTART:
            return [each for each in self.domains if each.starts_itself]
        return [each for each in self.domains if not flags or not each.name().startswith("transient")]

    def lookup_by_uuid_string(self, uuid: str) -> Dom:
        for each in self.list_all_domains(0):
            if each.uuid_string() == uuid:
                return each
        raise LibvirtError(42)

    def domain_list_get_stats(
        self, only: list[Dom], stats: int, flags: int
    ) -> list[tuple[Dom, dict[str, int]]]:
        return [found for found in self.get_all_domain_stats(stats, flags) if found[0] in only]

    def get_all_domain_stats(self, _stats: int, _flags: int) -> list[tuple[Dom, dict[str, int]]]:
        if self.stats_error:
            raise self.stats_error
        return [
            (each, {"state.state": each.stats[0], "state.reason": each.stats[1], **each.balloon})
            for each in self.domains
            if each.stats
        ]


def fake_libvirt(found: list[Dom]) -> Any:
    """The module; ``opened`` lists the connections, which all show the domains of ``found``."""
    fake: Any = ModuleType("libvirt")
    fake.libvirtError = LibvirtError
    fake.registerErrorHandler = lambda *_: None
    fake.opened = []

    def open_read_only(_uri: str) -> Connection:
        connection = Connection(found)
        fake.opened.append(connection)
        return connection

    fake.openReadOnly = open_read_only
    numbers = {
        "VIR_CONNECT_LIST_DOMAINS_ACTIVE": 1,
        "VIR_CONNECT_LIST_DOMAINS_PERSISTENT": 4,
        "VIR_CONNECT_LIST_DOMAINS_AUTOSTART": LIST_AUTOSTART,
        "VIR_CONNECT_GET_ALL_DOMAINS_STATS_ACTIVE": 1,
        "VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT": 1 << 29,
        "VIR_DOMAIN_STATS_STATE": 1,
        "VIR_DOMAIN_STATS_BALLOON": 4,
        "VIR_DOMAIN_STATS_VCPU": 8,
        "VIR_DOMAIN_STATS_BLOCK": 32,
        "VIR_DOMAIN_XML_INACTIVE": 2,
        "VIR_DOMAIN_CONTROL_OK": 0,
        "VIR_ERR_NO_SUPPORT": 3,
        "VIR_ERR_INVALID_ARG": 8,
        "VIR_ERR_NO_DOMAIN": 42,
        "VIR_ERR_OPERATION_INVALID": 55,
        "VIR_ERR_OPERATION_UNSUPPORTED": 84,
        "VIR_ERR_OPERATION_TIMEOUT": 68,
    }
    for name, number in numbers.items():
        setattr(fake, name, number)
    return fake


def fail(code: int) -> Callable[..., Any]:
    def call(*_: object) -> Any:
        raise LibvirtError(code)

    return call
