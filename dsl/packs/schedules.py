"""A `schedule` block to a named schedule: its phases, each with its length, and how its batch is raised."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from runplan.dsl.expr.tree import Num
from runplan.dsl.packs.definitions import Definitions
from runplan.dsl.packs.pack import BatchStep, PhaseShape, ScheduleShape
from runplan.dsl.syntax.pack_views import RampStep, ScheduleHead
from runplan.dsl.syntax.tree import Node, Word, name_of, text_of
from runplan.dsl.syntax.views import PhaseSpec, spec_of
from runplan.dsl.text.finding import finding
from runplan.dsl.typed.fields import LENGTHS, SHARE
from runplan.dsl.units.dims import NONE


def schedule(reader: Definitions, node: Node) -> ScheduleShape:
    """A named schedule, its phases held to be all of the run."""
    head = ScheduleHead(node)
    name = head.name
    phases = tuple(_phase(reader, item) for item in head.block.nodes("phase"))
    reader.given_once((phase.name, f"phase {phase.name}", phase.span) for phase in phases)
    _must_fill_the_run(reader, name, phases)
    return ScheduleShape(
        name=name.text,
        title=text_of(head.title),
        phases=phases,
        batch=_batch_ramp(reader, head.block.node("schedule_batch")),
        cites=tuple(reader.cite(item) for item in head.block.nodes("law_cites")),
        span=name.span,
    )


def _phase(reader: Definitions, node: Node) -> PhaseShape:
    spec = PhaseSpec(spec_of(node))
    length = None if spec.takes_the_rest else _length(reader, spec.length)
    return PhaseShape(name_of(node).text, length, spec.shape.text, node.span)


def _length(reader: Definitions, node: Node) -> Num:
    """A share of the tokens, or an amount; NaN, with a finding, where it is neither."""
    number = reader.fixed(reader.expr(node), node.span)
    value = reader.figure(number, LENGTHS.get(number.dim, SHARE), node.span)
    return Num(math.nan if value is None else value, number.dim, node.span.text)


def _must_fill_the_run(reader: Definitions, name: Word, phases: Sequence[PhaseShape]) -> None:
    """Phases by their shares are all of the run, or leave room for those that are amounts and for the rest."""
    shares = [phase.length.value for phase in phases if phase.length is not None and phase.length.dim == NONE]
    total, rests = sum(shares), sum(phase.length is None for phase in phases)
    message = f"the phases of `{name.text}` share {total * 100:.4g} % of the tokens"
    if rests > 1:
        reader.findings.append(finding("P001", f"{rests} phases of `{name.text}` take the rest", name.span))
    elif len(shares) == len(phases) and abs(total - 1.0) > 1e-9:  # of figures that are none, nothing is said again
        reader.findings.append(finding("P001", f"{message}, not 100 %", name.span))
    elif len(shares) < len(phases) and total > 1.0 - 1e-9:
        reader.findings.append(finding("P001", f"{message} and leave nothing for the others", name.span))


def _batch_ramp(reader: Definitions, node: Node | None) -> tuple[BatchStep, ...]:
    """A `batch` line: shares of the run's batch, each up to a share of the tokens or an amount, the last to the end."""
    if node is None:
        return ()
    steps: list[BatchStep] = []
    for step in map(RampStep, node.nodes()):
        share, until = step.share, step.until
        of_batch = reader.figure(reader.expr(share), SHARE, share.span)
        end = _length(reader, until) if until is not None else Num(1.0)
        if of_batch is None or math.isnan(end.value):
            return ()
        steps.append(BatchStep(of_batch, end))
    *before, last = (step.until for step in steps)
    in_order = all(a.dim == b.dim and a.value < b.value for a, b in pairwise(before))
    if not in_order or last != Num(1.0) or any(end == Num(1.0) for end in before):
        help = ["write it like `batch 25% until 1%, 50% until 20%, 100%`, or `batch 25% until 250B tokens, 100%`"]
        message = "a batch ramp goes from one share of the tokens to a later one, and its last step to the end"
        reader.findings.append(finding("P001", message, node.span, help=help))
        return ()
    return tuple(steps)
