"""ovs-vswitchd, asked over its control socket, which its main loop answers: an answer proves it alive.

Connecting proves nothing, since the kernel accepts for a hung process. The pid file alone proves nothing
either: it outlives a crash, and in a container it holds the container's number. The kernel knows who listens.
"""

from __future__ import annotations

import errno
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hostagent.errors import DeadlineError
from hostagent.model.host import Trouble
from hostagent.model.ports import Flows, Vswitchd
from hostagent.sources.deadline import ReadError
from hostagent.sources.installed import ovs_installed
from hostagent.sources.unixrpc import RpcClient, RpcError
from hostagent.sources.vswitchd_text import TextError, parse_dpif_show, parse_in_ports, parse_version

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    T = TypeVar("T")

_NEXT_STEP = "systemctl status ovs-vswitchd"


@dataclass(frozen=True, slots=True, kw_only=True)
class VswitchdReader:
    """Where vswitchd keeps its pid file and control socket; ``root`` is the host's root folder."""

    run_dir: str = "/run/openvswitch"
    root: str = "/"

    def read(self, until: float) -> Vswitchd:
        """Version and datapath ports, by ``until`` in seconds of time.monotonic().

        Raises:
            ReadError: with its trouble.
        """

        def ask(client: RpcClient) -> Vswitchd:
            version = parse_version(_text(client.ask("version")))
            datapath = parse_dpif_show(_text(client.ask("dpif/show")))
            return Vswitchd(pid=client.peer_pid(), version=version, datapath=datapath)

        return self._with_client(until, ask)

    def read_flows(self, until: float) -> Flows:
        """The in_port numbers that OpenFlow rules match on. Costs vswitchd a dump of all its rules.

        Raises:
            ReadError: with its trouble.
        """

        def ask(client: RpcClient) -> Flows:
            bridges = parse_dpif_show(_text(client.ask("dpif/show")))
            return Flows(
                in_ports={
                    name: parse_in_ports(_text(client.ask("bridge/dump-flows", name))) for name in bridges
                }
            )

        return self._with_client(until, ask)

    def pulse(self, until: float) -> None:
        """Return when its main loop has answered the smallest question.

        Raises:
            ReadError: with its trouble.
        """
        self._with_client(until, lambda client: client.ask("version"))

    def pid(self, until: float) -> int:
        """vswitchd's process id, which may be hung. 0 if it is outside this PID namespace.

        Raises:
            ReadError: with its trouble.
        """
        return self._with_client(until, RpcClient.peer_pid)

    def _with_client(self, until: float, ask: Callable[[RpcClient], T]) -> T:
        control = self._control_socket()
        try:
            with RpcClient(control, until) as client:
                return ask(client)
        except (DeadlineError, TimeoutError) as error:
            raise ReadError(
                Trouble.UNRESPONSIVE,
                f"vswitchd at {control} does not answer: {error} (is it hung? {_NEXT_STEP})",
            ) from error
        except (RpcError, TextError) as error:
            raise ReadError(Trouble.INVALID, f"vswitchd at {control}: {error} ({_NEXT_STEP})") from error
        except OSError as error:
            words = (error.strerror or str(error)).lower()
            if error.errno in {errno.EACCES, errno.EPERM}:
                raise ReadError(Trouble.DENIED, f"vswitchd at {control}: {words} (run as root)") from error
            raise ReadError(
                Trouble.UNREACHABLE,
                f"vswitchd unreachable at {control}: {words} (is it running? {_NEXT_STEP})",
            ) from error

    def _control_socket(self) -> str:
        pid_file = Path(self.run_dir, "ovs-vswitchd.pid")
        try:
            pid = int(pid_file.read_text(encoding="ascii").strip())
        except FileNotFoundError as error:
            if not ovs_installed(self.root):
                raise ReadError(
                    Trouble.ABSENT,
                    "Open vSwitch is not installed on this host (no ovs-vswitchd, database or socket)",
                ) from error
            raise ReadError(
                Trouble.UNREACHABLE, f"vswitchd is not running: no {pid_file} ({_NEXT_STEP})"
            ) from error
        except PermissionError as error:
            raise ReadError(
                Trouble.DENIED, f"vswitchd's {pid_file}: permission denied (run as root)"
            ) from error
        except (OSError, ValueError) as error:
            raise ReadError(Trouble.INVALID, f"vswitchd's {pid_file}: {error} ({_NEXT_STEP})") from error
        return f"{self.run_dir}/ovs-vswitchd.{pid}.ctl"


def _text(answer: object) -> str:
    if not isinstance(answer, str):
        raise TextError(f"it answered {type(answer).__name__} instead of text")
    return answer
