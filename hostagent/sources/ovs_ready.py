"""Whether Open vSwitch forwards: vswitchd answers, and its datapath has every bridge of the database."""

from __future__ import annotations

import time

from hostagent.errors import SourceError
from hostagent.model.host import Trouble
from hostagent.sources.deadline import ReadError
from hostagent.sources.unixrpc import RpcClient, RpcError
from hostagent.sources.vswitchd import VswitchdReader

_AGAIN_SECONDS = 0.1
_ASK_SECONDS = 2.0
_SELECTS = (
    {"op": "select", "table": "Bridge", "where": [], "columns": ["name"]},
    {"op": "select", "table": "Open_vSwitch", "where": [], "columns": ["other_config"]},
)


def wait_ready(ovsdb_socket: str, run_dir: str, until: float) -> str:
    """Why Open vSwitch does not forward by ``until`` (time.monotonic()), "" as soon as it does.

    Raises:
        ReadError: it is not installed on this host.
    """
    while reason := _lacking(ovsdb_socket, run_dir, min(until, time.monotonic() + _ASK_SECONDS)):
        if time.monotonic() >= until:
            return reason
        time.sleep(_AGAIN_SECONDS)
    return ""


def _lacking(ovsdb_socket: str, run_dir: str, until: float) -> str:
    try:
        vswitchd = VswitchdReader(run_dir=run_dir).read(until)
        bridges, restoring = _database(ovsdb_socket, until)
    except ReadError as error:
        if error.trouble is Trouble.ABSENT:
            raise
        return error.reason
    except (SourceError, RpcError, OSError, TypeError, KeyError, IndexError) as error:
        return f"OVSDB at {ovsdb_socket}: {error} (systemctl status ovsdb-server)"
    if restoring:
        return "Open vSwitch restores flows (other_config:flow-restore-wait=true)"
    missing = sorted(bridges - vswitchd.datapath.keys())
    return f"vswitchd's datapath has no bridge {missing[0]} yet (ovs-vsctl show)" if missing else ""


def _database(ovsdb_socket: str, until: float) -> tuple[frozenset[str], bool]:
    """The names of all bridges, and whether flows are being restored."""
    with RpcClient(ovsdb_socket, until) as client:
        answer = client.ask("transact", "Open_vSwitch", *_SELECTS)
    if not isinstance(answer, list):
        raise RpcError("not an answer to a transaction")
    config = dict(answer[1]["rows"][0]["other_config"][1])
    return frozenset(row["name"] for row in answer[0]["rows"]), config.get("flow-restore-wait") == "true"
