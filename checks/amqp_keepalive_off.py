"""Connections to the message broker that a firewall drops without telling anybody."""

from hostagent.decide.amqp import AmqpVerdict, judge_amqp, span
from hostagent.health.api import Check, Context, Example, ObjectResult, State, Verdict, unread
from hostagent.model.host import Unavailable


def evaluate(context: Context) -> Verdict:
    """By each connection's keepalive timer."""
    amqp = context.snapshot.amqp
    if isinstance(amqp, Unavailable):
        return unread(amqp)
    found = judge_amqp(amqp)
    objects = tuple(ObjectResult(id=each.id, detail=each.detail) for each in found.dropped)
    limit = span(amqp.limit_seconds)
    if objects:
        words = f"{_count(sum(each.count for each in found.dropped))} may be dropped after {limit} of silence"
        return Verdict(state=State.WARN, summary=words + _rest(found), objects=objects)
    if found.nameless:
        words = f"{_count(found.nameless)} of processes that this user may not see (run as root)"
        return Verdict(state=State.UNKNOWN, summary=words)
    if found.kept:
        words = f"{_count(found.kept)} with a keepalive within {limit}"
        return Verdict(state=State.OK, summary=words + _rest(found))
    if found.hidden:
        words = f"{_count(found.hidden)} with data in flight, which hides the keepalive timer (ss -tno)"
        return Verdict(state=State.UNKNOWN, summary=words)
    ports = ", ".join(map(str, amqp.ports))
    elsewhere = f": {found.local} stay on this host" if found.local else ""
    return Verdict(state=State.SKIP, summary=f"no connection to a broker on TCP port {ports}{elsewhere}")


def _count(count: int) -> str:
    return f"{count} connection{'' if count == 1 else 's'} to brokers"


def _rest(found: AmqpVerdict) -> str:
    return f", {found.hidden} not known: data is in flight" if found.hidden else ""


CHECK = Check(
    code="AMQP_KEEPALIVE_OFF",
    group="amqp",
    title="A connection to the message broker has no keepalive that a firewall would see in time",
    severity=State.WARN,
    meaning=(
        "A process of this node (nova-compute, a neutron agent, ceilometer) is connected to a TCP port in "
        "amqp.ports, and its socket has no keepalive timer, or one that sends its first probe later "
        "than amqp.firewall_idle_seconds after the last packet. Connections that stay on this host "
        "don't count. Where data is in flight the kernel shows no keepalive timer; such a connection is "
        "not accused. Keepalives that only the broker sends, and the heartbeats of AMQP itself, can't be "
        "told from here: where these are short enough, raise no alarm by naming the others in "
        "amqp.processes."
    ),
    impact=(
        "A firewall or NAT on the way forgets a connection that was silent for too long, and drops what "
        "comes later without an answer. The process waits for messages that never arrive: nova-compute "
        "shows up or down at random, starts and migrations hang until a time-out, and nothing is logged."
    ),
    evidence=(
        "ss -tnop state established '( dport = :5672 or dport = :5671 )'",
        "sysctl net.ipv4.tcp_keepalive_time",
        "journalctl -u nova-compute --grep 'missed heartbeats|Connection reset|timed out'",
    ),
    repair=(
        "Reported only. In oslo.messaging set [oslo_messaging_rabbit] heartbeat_timeout_threshold = 60 and, "
        "for a service that blocks, heartbeat_in_pthread. py-amqp (under kombu) turns SO_KEEPALIVE on, "
        "with 60 s: a connection without it is of another client or a very old one; for pika set "
        "tcp_options, for stunnel or haproxy their keepalive. net.ipv4.tcp_keepalive_time below the "
        "firewall's limit helps only sockets that have SO_KEEPALIVE and no TCP_KEEPIDLE of their own, and "
        "only new ones. Then restart the process. If the firewall is more patient than an hour, "
        "say so in amqp.firewall_idle_seconds."
    ),
    evaluate=evaluate,
    examples=(
        Example(
            title="one without, one with a keepalive",
            state=State.WARN,
            objects=("ceilometer-polling/10.0.0.9:5672",),
            host="""
[[amqp.connection]]
process = "ceilometer-polling"
peer = "10.0.0.9"
keepalive = "off"
idle_seconds = 5400
[[amqp.connection]]
peer = "10.0.0.9"
""",
        ),
        Example(
            title="the kernel's two hours",
            state=State.WARN,
            objects=("nova-compute/[2001:db8::9]:5671",),
            host="""
[[amqp.connection]]
peer = "2001:db8::9"
port = 5671
silence_seconds = 7200
""",
        ),
        Example(
            title="nobody may see whose it is",
            state=State.WARN,
            objects=("unknown process/10.0.0.9:5672",),
            host="""
[[amqp.connection]]
process = ""
peer = "10.0.0.9"
keepalive = "off"
""",
        ),
        Example(
            title="nobody may see whose it is, and only nova's are meant",
            state=State.UNKNOWN,
            host="""
[amqp]
processes = ["nova-"]
[[amqp.connection]]
process = ""
peer = "10.0.0.9"
keepalive = "off"
""",
        ),
        Example(
            title="within the limit, another with data in flight",
            state=State.OK,
            host="""
[[amqp.connection]]
peer = "10.0.0.9"
silence_seconds = 3600
[[amqp.connection]]
peer = "10.0.0.9"
keepalive = "hidden"
""",
        ),
        Example(
            title="only data in flight",
            state=State.UNKNOWN,
            host="""
[[amqp.connection]]
peer = "10.0.0.9"
keepalive = "hidden"
""",
        ),
        Example(
            title="a broker on this host",
            state=State.SKIP,
            host="""
[[amqp.connection]]
peer = "127.0.0.1"
keepalive = "off"
""",
        ),
        Example(
            title="no AMQP here",
            state=State.SKIP,
            host="",
        ),
    ),
)
