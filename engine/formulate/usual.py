"""A device and a precision to the rate that is taken where a plan states none: what published runs reached."""

from __future__ import annotations

from runplan.dsl.expr.curve import curve
from runplan.dsl.expr.tree import Expr, Num, Op, Ref
from runplan.dsl.packs.pack import Record
from runplan.dsl.plan.ir import Pool
from runplan.dsl.text.finding import finding
from runplan.engine.formulate.draft import Draft
from runplan.engine.formulate.reserved import Own
from runplan.engine.problem import quantities as q
from runplan.engine.runs.rates import HALF, Expected, Sort, rates_in, sort_of


def add_usual_rate(draft: Draft, pool: Pool, device: Record, precision: str, own: Own) -> None:
    """The MFU that runs on devices of the generation, at the precision, reached end to end; C004 where nothing tells.

    The stops of those runs are in it. Where the plan says itself how much of the time its hardware is up, it counts
    from where theirs was down longer: nothing is taken off twice.
    """
    peak = draft.definitions.get(own(q.PEAK))
    if peak is None:  # that it has none is found already
        return
    stated = peak.expr.value if isinstance(peak.expr, Num) else None
    sort = sort_of(device, precision, stated)
    expected = rates_in(draft.catalogue).expected(sort) if sort is not None else None
    if sort is None or expected is None or not expected.all:
        message = f"nothing tells what rate {device.name} reaches in {precision}"
        help = ["state it: `at 30% MFU`, or `at 2.7k tokens/second/GPU`"]
        draft.findings.append(finding("C004", message, (pool.precision or pool).span, help=help))
        return
    for name, runs in ((q.GENERATION_RUNS, expected.generation), (q.PRECISION_RUNS, expected.precision)):
        draft.define(own(name), Num(float(len(runs))), "derived", "runs of the library and of packs")
    mfu, said = Num(expected.mfu), _said(sort, expected)
    where = expected.own[0].record.span if expected.own else None
    if q.AVAILABILITY.text not in pool.figures:
        draft.define(own(q.MFU), mfu, "assumed", said, where, spread=expected.spread)
        within = "not given: what stops take is in the MFU, which is that of runs end to end"
        draft.define(own(q.AVAILABILITY), Num(1.0), "assumed", within)
        return
    up: Expr = Op("max", (Ref(own(q.AVAILABILITY)), Ref(q.USUAL_AVAILABILITY)))
    beside = f"{said}; while it is up, their stops being in that"
    draft.define(own(q.MFU), Op("/", (mfu, up)), "assumed", beside, where, spread=expected.spread)


def _said(sort: Sort, expected: Expected) -> str:
    """What the rate rests on, in words."""
    alike, others = len(expected.generation), len(expected.all) - len(expected.generation)
    families = len({run.family for run in expected.generation})
    if alike:
        runs = f"{_counted(alike, 'run')} on {sort.generation} ({_counted(families, 'family')}), and {others} on others"
    else:
        kinds = len({run.device.text("generation") for run in expected.all if run.device})
        runs = f"no run on {sort.generation} is known: {others} runs on {kinds} other generations, so wider"
    out = f"reached end to end, stops included, in 6ND: {runs}"
    if sort.precision not in HALF:
        known = len(expected.precision)
        out += f"; {_counted(known, 'run')} in {sort.precision}" if known else f"; no run in {sort.precision} is known"
    return f"{out}; moved by {_counted(len(expected.own), 'run')} of your own" if expected.own else out


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what.removesuffix('y')}{'ies' if what[-1] == 'y' else 's'}"


def add_benchmark(draft: Draft, device: Record, precision: str, own: Own) -> None:
    """What a good stack reached on the device in a benchmark, by size: to judge by, and never to plan with."""
    table = draft.catalogue.record("mfu", device.name)
    size = q.ACTIVE_PARAMS if draft.knows(q.ACTIVE_PARAMS) else q.PARAMS
    if table is None or precision not in HALF or not draft.knows(size):
        return
    entries = [entry for entry in table.entries if entry.key == "size"]
    rows = sorted(
        ((at, mfu) for e in entries for at, mfu in [e.values] if isinstance(at, Num) and isinstance(mfu, Num)),
        key=lambda row: row[0].value,
    )
    sources = list(dict.fromkeys(entry.source.partition(",")[0] for entry in entries))
    said = f"between the sizes measured, 6ND: {'; '.join(sources)}"
    draft.define(own(q.BENCHMARK_MFU), curve(Ref(size), rows), "derived", said, table.span)
