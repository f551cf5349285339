"""Guests that start after each other, or after one that is not there."""

from hostagent.decide.boot.judging import why_not_paced
from hostagent.decide.boot.wishes import circles, nameless, paced, waits_after
from hostagent.decide.memory.words import span
from hostagent.health.api import Check, Context, Example, ObjectResult, State, Verdict, unread
from hostagent.model.host import Unavailable


def evaluate(context: Context) -> Verdict:
    """By the wishes in the domains' metadata."""
    pacing, domains = context.settings.boot, context.snapshot.domains
    if why := why_not_paced(context.boots, pacing):
        return Verdict(state=State.SKIP, summary=why)
    if isinstance(domains, Unavailable):
        return unread(domains)
    every = domains.by_uuid.values()
    after = waits_after(paced(every, pacing.managed))
    around, missing = circles(after), nameless(after, [each.name for each in every])
    lost = f"each waits {span(pacing.dependency_seconds)} in vain"
    objects = (
        *(ObjectResult(id="/".join(path[:-1]), detail=f"{' → '.join(path)}: {lost}") for path in around),
        *(
            ObjectResult(
                id=f"{name}/{parent}", detail=f"{name} starts after {parent}, which is no domain here"
            )
            for name, parent in missing
        ),
    )
    if not objects:
        count = f"{len(after) or 'no'} {'guest starts' if len(after) == 1 else 'guests start'} after others"
        return Verdict(state=State.OK, summary=count)
    words = [f"{len(around)} {'circle' if len(around) == 1 else 'circles'}"] if around else []
    words += [f"{len(missing)} {'name' if len(missing) == 1 else 'names'} of no domain"] if missing else []
    return Verdict(state=State.WARN, summary=" and ".join(words), objects=objects)


CHECK = Check(
    code="BOOT_DEPENDENCY_CYCLE",
    group="boot",
    title="Guests are to start after each other, or after one that does not exist",
    severity=State.WARN,
    meaning=(
        "The wishes in the domains' metadata (`hostagent boot set NAME --after NAME`) go in a circle, or "
        "name a domain that libvirt does not know. `hostagent boot set` refuses both; they come of a domain "
        "that was renamed, undefined or copied, or of an XML that was edited by hand."
    ),
    impact=(
        "Each such guest waits boot.dependency_seconds at its boot and then starts without what it needs."
    ),
    evidence=(
        "hostagent boot status",
        "virsh metadata NAME urn:hostagent:boot:1",
    ),
    repair=(
        "Break the circle at one guest, or name the domain as it is called now: `hostagent boot set NAME "
        "--after OTHER` replaces what NAME starts after, `hostagent boot set NAME --no-after` lets it start "
        "after nobody."
    ),
    evaluate=evaluate,
    examples=(
        Example(
            title="the shop after the database, and the other way round",
            state=State.WARN,
            objects=("db/shop",),
            host="""
boots = {}
[[domain]]
name = "db"
boot = { after = ["shop"] }
[[domain]]
name = "shop"
boot = { after = ["db"] }
""",
        ),
        Example(
            title="after a domain that was renamed",
            state=State.WARN,
            objects=("shop/data base",),
            host="""
boots = {}
[[domain]]
name = "database"
[[domain]]
name = "shop"
boot = { after = ["data base"] }
""",
        ),
        Example(
            title="an exempt guest waits for nobody, nor does one of nova's",
            state=State.OK,
            host="""
boots = {}
[[domain]]
name = "db"
boot = { after = ["shop", "gone"], exempt = true }
[[domain]]
name = "shop"
boot = { after = ["db"] }
[[domain]]
name = "instance-1"
boot = { after = ["instance-1"] }
managers = ["nova"]
""",
        ),
        Example(title="no wishes", state=State.OK, host="boots = {}"),
        Example(
            title="libvirt can't be reached",
            state=State.UNKNOWN,
            host='boots = {}\nunavailable = { domains = "unreachable: libvirt does not answer" }',
        ),
        Example(
            title="a look without an agent",
            state=State.SKIP,
            host="""
[[domain]]
name = "db"
boot = { after = ["db"] }
""",
        ),
    ),
)
