"""`schedule` and `phase` to the schedule of a run: one by name, or phases by hand."""

from __future__ import annotations

from runplan.dsl.expr.text import shown
from runplan.dsl.plan.ir import Given, Hole, MixItem, Phase, Schedule
from runplan.dsl.plan.reading import Reading
from runplan.dsl.syntax.tree import Mention, Node, name_of, unquoted
from runplan.dsl.syntax.views import PhaseSpec, ScheduleSpec, spec_of
from runplan.dsl.text.finding import Label, finding
from runplan.dsl.text.fixes import respelled
from runplan.dsl.typed.fields import LENGTHS, SHARE_OR_NONE
from runplan.dsl.units.base import SEQUENCE, TOKEN
from runplan.dsl.units.dims import NONE
from runplan.dsl.units.show import said_dim

# Where in a schedule the data of high quality stand.
PLACEMENTS = ("late", "early", "throughout")


def schedule(reading: Reading, statements: list[Node]) -> Schedule | None:
    """The schedule among the statements of a plan or a stage."""
    by_hand = [node for node in statements if node.rule == "phase"]
    phases = tuple(phase for node in by_hand if (phase := _phase(reading, node)))
    named = next((node for node in statements if node.rule == "schedule"), None)
    if named is not None:
        return _named(reading, named)
    if not phases:
        return None
    _check_shares(reading, phases, len(phases) == len(by_hand) and not reading.may_miss("schedule"))
    return Schedule(name=None, quality=None, phases=phases, span=phases[0].span)


def _named(reading: Reading, node: Node) -> Schedule:
    spec = ScheduleSpec(spec_of(node))
    name, quality = spec.name, spec.quality
    mention = Mention(name.text, name.span)
    reading.must_be_known("schedule", mention, reading.vocabulary.schedules)
    if quality is not None and quality.text not in PLACEMENTS:
        message = f"unknown placement of quality `{quality.text}`"
        help = ["it is late, early or throughout"]
        fixes = respelled(quality.span, quality.text, PLACEMENTS)
        reading.findings.append(finding("N002", message, quality.span, help=help, fixes=fixes))
    placed = Mention(quality.text, quality.span) if quality is not None else None
    return Schedule(name=mention, quality=placed, phases=(), span=node.span)


def _check_shares(reading: Reading, phases: tuple[Phase, ...], all_read: bool) -> None:
    """Phases that give shares give all of the tokens, where none of them is an amount or takes the rest."""
    lengths = [phase.length for phase in phases]
    given = [length for length in lengths if isinstance(length, Given)]
    shares = [length for length in given if length.value.dim == NONE]
    total = sum(share.value.value for share in shares)
    also = [Label(share.span) for share in shares[:-1]]
    said = f"the phases share {total * 100:.4g} % of the tokens"
    takes_rest = len(given) < len(lengths)
    if total > 1 + 1e-9 or (all_read and len(shares) == len(phases) and total < 1 - 1e-9):
        more = "more" if total > 1 else "less"
        help = [] if total > 1 else ["say `rest` in place of one of the shares: it takes what the others leave"]
        reading.findings.append(finding("U004", f"{said}, {more} than 100 %", shares[-1].span, also=also, help=help))
    elif total > 1 - 1e-9 and len(shares) < len(lengths):
        what = "leave nothing for the rest" if takes_rest else "leave no room for the others"
        reading.findings.append(finding("U004", f"{said}: they {what}", shares[-1].span, also=also))
    rests = [length.span for length in lengths if isinstance(length, Hole)]
    for span in rests[1:]:
        reading.again("rest", span, rests[0], ["one phase takes what the others leave: say how long the others are"])


def _phase(reading: Reading, node: Node) -> Phase | None:
    spec = PhaseSpec(spec_of(node))
    name = name_of(node).text
    length = Hole(spec.length.span) if spec.takes_the_rest else _length(reading, spec.length)
    mix = _mix(reading, spec, name)
    if length is None:
        return None
    return Phase(name, length, Mention(spec.shape.text, spec.shape.span), mix, node.span)


def _length(reading: Reading, node: Node) -> Given | None:
    """How long a phase is: a share of the tokens, tokens, steps or epochs."""
    expr = reading.expr(node)
    dim = reading.checked(expr)
    field = LENGTHS.get(TOKEN if dim == SEQUENCE else dim or NONE)
    if dim is None or field is not None:
        return reading.given(expr, field, node.span) if dim is not None and field is not None else None
    message = f"`{shown(expr)}` is {said_dim(dim)}; a phase is a share of the tokens, or tokens, steps or epochs"
    help = ["write it like " + ", ".join(f"`{field.example}`" for field in LENGTHS.values()) + " or `rest`"]
    reading.findings.append(finding("U001", message, node.span, help=help))
    return None


def _mix(reading: Reading, spec: PhaseSpec, phase: str) -> tuple[MixItem, ...]:
    """What a phase is made of, held to sum to the whole at its start and at its end."""
    items: list[MixItem] = []
    parts = spec.mixed()
    sources = reading.words.parts.get("source")
    seen: set[str] = set()
    for part in parts:
        source = Mention(unquoted(part.source.text), part.source.span)
        start = reading.given_by(part.start, SHARE_OR_NONE)
        end = reading.given_by(part.end, SHARE_OR_NONE) if part.end is not None else start
        if sources:
            reading.must_be_known("source", source, sources)
        if source.text in seen:
            reading.again(source.text, part.span)
        seen.add(source.text)
        if start and end:
            items.append(MixItem(source, start, end))
    totals = {"start": sum(i.start.value.value for i in items), "end": sum(i.end.value.value for i in items)}
    off = [(which, total) for which, total in totals.items() if abs(total - 1) > 1e-9]
    if spec.mix is not None and len(items) == len(parts) and off:
        which, total = off[0]
        message = f"the mix of `{phase}` sums to {total * 100:.4g} % at its {which}, not 100 %"
        reading.findings.append(finding("U004", message, spec.mix.span))
    return tuple(items)
