"""A `schedule` block to a named schedule: its phases as shares of the tokens, and how its batch is raised."""

from __future__ import annotations

import math
from itertools import pairwise

from runplan.dsl.packs.definitions import Definitions
from runplan.dsl.packs.pack import BatchStep, PhaseShape, ScheduleShape
from runplan.dsl.syntax.pack_views import RampStep, ScheduleHead
from runplan.dsl.syntax.tree import Node, name_of, text_of
from runplan.dsl.syntax.views import PhaseSpec, spec_of
from runplan.dsl.text.finding import finding
from runplan.dsl.typed.fields import SHARE


def schedule(reader: Definitions, node: Node) -> ScheduleShape:
    """A named schedule, its phases held to share all of the tokens."""
    head = ScheduleHead(node)
    name = head.name
    phases = tuple(_phase(reader, item) for item in head.block.nodes("phase"))
    reader.given_once((phase.name, f"phase {phase.name}", phase.span) for phase in phases)
    total = sum(phase.share for phase in phases)  # of figures that are none, nothing is said again
    if abs(total - 1.0) > 1e-9:
        message = f"the phases of `{name.text}` share {total * 100:.4g} % of the tokens, not 100 %"
        reader.findings.append(finding("P001", message, name.span))
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
    share = reader.figure(reader.expr(spec.share), SHARE, spec.share.span)
    return PhaseShape(name_of(node).text, math.nan if share is None else share, spec.shape.text, node.span)


def _batch_ramp(reader: Definitions, node: Node | None) -> tuple[BatchStep, ...]:
    """A `batch` line: shares of the run's batch, each up to a share of the tokens, the last to the end."""
    if node is None:
        return ()
    steps: list[BatchStep] = []
    for step in map(RampStep, node.nodes()):
        share, until = step.share, step.until
        of_batch = reader.figure(reader.expr(share), SHARE, share.span)
        end = reader.figure(reader.expr(until), SHARE, until.span) if until is not None else 1.0
        if of_batch is None or end is None:
            return ()
        steps.append(BatchStep(of_batch, end))
    ends = [0.0, *(step.until for step in steps)]
    if any(a >= b for a, b in pairwise(ends)) or ends[-1] != 1.0:
        help = ["write it like `batch 25% until 1%, 50% until 20%, 100%`"]
        message = "a batch ramp goes from one share of the tokens to a later one, and its last step to the end"
        reader.findings.append(finding("P001", message, node.span, help=help))
        return ()
    return tuple(steps)
