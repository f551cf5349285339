"""Records frames with packet sockets. Runs alone, as a file, inside a node's network namespace (nsenter -n).

    python3 sniffer.py TAP…
Writes "ready", then a line "TAP TYPE VLAN HEX" per frame until its stdin closes. TYPE is the sll_pkttype of
packet(7); VLAN the tag the kernel took off the frame, or -1.
"""

import select
import socket
import struct
import sys
from typing import Final

ETH_P_ALL: Final = 3
SOL_PACKET: Final = 263
PACKET_AUXDATA: Final = 8
TP_STATUS_VLAN_VALID: Final = 1 << 4


def listen(tap: str) -> socket.socket:
    listener = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    listener.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
    listener.bind((tap, ETH_P_ALL))
    return listener


def line(tap: str, listener: socket.socket) -> str:
    data, ancillary, _, address = listener.recvmsg(2048, 256)
    vlan = -1
    for level, kind, raw in ancillary:
        if level == SOL_PACKET and kind == PACKET_AUXDATA:
            status, _, _, _, _, tci, _ = struct.unpack_from("=IIIHHHH", raw)
            if status & TP_STATUS_VLAN_VALID:
                vlan = tci & 0xFFF
    return f"{tap} {address[2]} {vlan} {data[:128].hex()}\n"


def main() -> None:
    try:
        listeners = {listener.fileno(): (tap, listener) for tap in sys.argv[1:] for listener in [listen(tap)]}
    except OSError as error:
        raise SystemExit(f"cannot listen on {' '.join(sys.argv[1:])}: {error}") from error
    print("ready", flush=True)
    watched = select.poll()
    watched.register(sys.stdin.fileno(), select.POLLIN | select.POLLHUP)
    for descriptor in listeners:
        watched.register(descriptor, select.POLLIN)
    while True:
        for descriptor, _ in watched.poll():
            if descriptor == sys.stdin.fileno():
                return
            tap, listener = listeners[descriptor]
            try:
                sys.stdout.write(line(tap, listener))
            except OSError:
                # ENETDOWN: the tap went down or away; a frame may still come when it comes up again.
                if not _exists(tap):
                    watched.unregister(descriptor)


def _exists(tap: str) -> bool:
    return tap in (name for _, name in socket.if_nameindex())


if __name__ == "__main__":
    main()
