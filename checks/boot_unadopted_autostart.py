"""Guests that libvirt starts at the node's boot, before anybody can pace them."""

from hostagent.decide.boot.judging import why_not_paced
from hostagent.decide.boot.wishes import paced, unadopted
from hostagent.health.api import Check, Context, Example, ObjectResult, State, Verdict, unread
from hostagent.model.host import Unavailable


def evaluate(context: Context) -> Verdict:
    """By libvirt's flag: as many as may boot at once anyway do no harm."""
    pacing, domains = context.settings.boot, context.snapshot.domains
    if why := why_not_paced(context.boots, pacing):
        return Verdict(state=State.SKIP, summary=why)
    if isinstance(domains, Unavailable):
        return unread(domains)
    found = unadopted(paced(domains.by_uuid.values(), pacing.managed))
    count = f"{len(found) or 'no'} {'guest' if len(found) == 1 else 'guests'} with libvirt's autostart"
    few = f"{pacing.first_limit} may boot at once"
    if len(found) <= pacing.first_limit:
        return Verdict(state=State.OK, summary=f"{count}, {few}" if found else count)
    objects = tuple(
        ObjectResult(id=each.name, detail="libvirt starts it at the node's boot") for each in found
    )
    return Verdict(state=State.WARN, summary=f"{count}, only {few}", objects=objects)


def _host(count: int, more: str = "") -> str:
    names = [f'[[domain]]\nname = "guest{number}"\nautostart = true\n' for number in range(1, count + 1)]
    return f"boots = {{}}\n{more}{''.join(names)}"


CHECK = Check(
    code="BOOT_UNADOPTED_AUTOSTART",
    group="boot",
    title="More guests than may boot at once have libvirt's autostart flag",
    severity=State.WARN,
    meaning=(
        "More guests than boot.first_limit have libvirt's autostart flag. At the node's boot libvirt starts "
        "them one right after the other, in no order of yours, and before it lets anybody in who could hold "
        "them. Guests that a manager runs (nova, oVirt, OpenNebula, and whatever boot.managed names), exempt "
        "ones and transient ones do not count."
    ),
    impact=(
        "After a power cut all of them boot at the same time: the storage answers ten times slower, each "
        "boot takes far longer than it would in turn, and what starts after a database starts before it."
    ),
    evidence=(
        "virsh list --all --autostart",
        "hostagent boot status",
    ),
    repair=(
        "`hostagent boot adopt --all` moves the flags into the domains' metadata; from then on the agent "
        "starts these guests at the node's boot, as many at once as the storage bears, by their priority and "
        "after what they need (`hostagent boot set NAME --priority N --after NAME`). `hostagent boot release "
        "--all` gives the flags back. Without the agent hostagent-release.service starts them, slowly."
    ),
    evaluate=evaluate,
    examples=(
        Example(
            title="nine, and eight may boot at once",
            state=State.WARN,
            objects=tuple(f"guest{number}" for number in range(1, 10)),
            host=_host(9),
        ),
        Example(title="eight", state=State.OK, host=_host(8)),
        Example(
            title="eight, one of nova's and an exempt one",
            state=State.OK,
            host=_host(8)
            + """
[[domain]]
name = "instance-1"
autostart = true
managers = ["nova"]
[[domain]]
name = "router"
autostart = true
boot = { exempt = true }
""",
        ),
        Example(title="a fresh node", state=State.OK, host="boots = {}"),
        Example(
            title="libvirt can't be reached",
            state=State.UNKNOWN,
            host='boots = {}\nunavailable = { domains = "unreachable: libvirt does not answer" }',
        ),
        Example(title="a look without an agent", state=State.SKIP, host=_host(9).partition("\n")[2]),
    ),
)
