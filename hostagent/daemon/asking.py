"""hostagent-admit: asks the agent whether the guest on stdin may start. Installed beside the agent.

It stands alone and imports only what is built into the interpreter: starting it is most of what a hook costs
a guest's start (socket and json alone would double that). It exits 77 when the agent says no, with the
reason on stderr; whatever else happens is for the wrapper to take for a yes. It never calls libvirt, which
waits for it.
"""

import _socket
import binascii
import sys
import time

REFUSED = 77
ANSWER_SECONDS = 0.15  # for each step; the wrapper kills it after 0.2 s in all
_MOST_BYTES = 65536
_REFUSAL = b'"refused": "'  # followed by the reason in hexadecimal digits: no JSON reader is needed


def main() -> int:
    """The exit status."""
    xml = binascii.b2a_base64(sys.stdin.buffer.read(), newline=False)
    request = b'{"ask": "admit", "at": %.6f, "xml": "%s"}\n' % (time.monotonic(), xml)
    agent = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    agent.settimeout(ANSWER_SECONDS)
    agent.connect(sys.argv[1])
    sent = 0
    while sent < len(request):
        sent += agent.send(request[sent:])
    answer = b""
    while not answer.endswith(b"\n") and len(answer) < _MOST_BYTES:
        piece = agent.recv(_MOST_BYTES)
        if not piece:
            return 1
        answer += piece
    _, found, rest = answer.partition(_REFUSAL)
    if not found:
        return 0
    sys.stderr.buffer.write(bytes.fromhex(rest.partition(b'"')[0].decode("ascii")) + b"\n")
    sys.stderr.buffer.flush()
    return REFUSED


if __name__ == "__main__":
    raise SystemExit(main())
