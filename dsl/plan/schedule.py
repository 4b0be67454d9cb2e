"""`schedule` and `phase` to the schedule of a run: one by name, or phases by hand."""

from __future__ import annotations

from runplan.dsl.plan.ir import MixItem, Phase, Schedule
from runplan.dsl.plan.reading import Reading
from runplan.dsl.syntax.tree import Mention, Node, name_of, unquoted
from runplan.dsl.syntax.views import PhaseSpec, ScheduleSpec, spec_of
from runplan.dsl.text.finding import Label, finding
from runplan.dsl.typed.fields import SHARE, SHARE_OR_NONE, TOKENS
from runplan.dsl.units.base import TOKEN
from runplan.dsl.units.dims import NONE

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
    _check_shares(reading, phases, len(phases) == len(by_hand) and not reading.file.broken)
    return Schedule(name=None, quality=None, phases=phases, span=phases[0].span)


def _named(reading: Reading, node: Node) -> Schedule:
    spec = ScheduleSpec(spec_of(node))
    name, quality = spec.name, spec.quality
    mention = Mention(name.text, name.span)
    reading.must_be_known("schedule", mention, reading.vocabulary.schedules)
    if quality is not None and quality.text not in PLACEMENTS:
        message = f"unknown placement of quality `{quality.text}`"
        help = ["it is late, early or throughout"]
        reading.findings.append(finding("N002", message, quality.span, help=help))
    placed = Mention(quality.text, quality.span) if quality is not None else None
    return Schedule(name=mention, quality=placed, phases=(), span=node.span)


def _check_shares(reading: Reading, phases: tuple[Phase, ...], all_read: bool) -> None:
    """Phases that give shares give all of the tokens, where none of them is in tokens."""
    shares = [phase.share for phase in phases if phase.share.value.dim == NONE]
    total = sum(share.value.value for share in shares)
    if total > 1 + 1e-9 or (all_read and len(shares) == len(phases) and total < 1 - 1e-9):
        more = "more" if total > 1 else "less"
        message = f"the phases share {total * 100:.4g} % of the tokens, {more} than 100 %"
        also = [Label(share.span) for share in shares[:-1]]
        reading.findings.append(finding("U004", message, shares[-1].span, also=also))


def _phase(reading: Reading, node: Node) -> Phase | None:
    spec = PhaseSpec(spec_of(node))
    name = name_of(node).text
    expr = reading.expr(spec.share)
    dim = reading.checked(expr)
    share = reading.given(expr, TOKENS if dim == TOKEN else SHARE, spec.share.span) if dim is not None else None
    mix = _mix(reading, spec, name)
    if share is None:
        return None
    return Phase(name, share, Mention(spec.shape.text, spec.shape.span), mix, node.span)


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
