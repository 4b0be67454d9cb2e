"""A device and a precision to the rate that is taken where a plan states none: what published runs reached."""

from __future__ import annotations

from runplan.dsl.expr.curve import curve
from runplan.dsl.expr.tree import Expr, Num, Op, Ref
from runplan.dsl.packs.pack import Record
from runplan.dsl.plan.ir import Pool, Within
from runplan.dsl.text.finding import finding
from runplan.dsl.text.words import counted
from runplan.engine.formulate.draft import Draft
from runplan.engine.formulate.reserved import Own
from runplan.engine.formulate.said_of_stops import is_included, say_end_to_end
from runplan.engine.problem import quantities as q
from runplan.engine.problem.parts import Definition
from runplan.engine.runs.rates import HALF, Expected, Sort, rates_in, sort_of

# A hair below a bound, so that no rule finds what is at it to be above.
_BELOW = 1 - 1e-9


def add_usual_rate(draft: Draft, pool: Pool, device: Record, precision: str, own: Own) -> None:
    """The MFU that runs on devices of the generation, at the precision, reached end to end; C004 where nothing tells.

    The stops of those runs are in it. Where the plan says itself how much of the time its hardware is up, it counts
    from where theirs was down longer: nothing is taken off twice.
    """
    peak = draft.definitions.get(own(q.PEAK))
    if peak is None:  # that it has none is found already
        return
    known = _expected(draft, peak, device, precision)
    if known is None:
        message = f"nothing tells what rate {device.name} reaches in {precision}"
        help = ["state it: `at 30% MFU`, or `at 2.7k tokens/second/GPU`"]
        draft.findings.append(finding("C004", message, (pool.precision or pool).span, help=help))
        return
    sort, expected = known
    for name, runs in ((q.GENERATION_RUNS, expected.generation), (q.PRECISION_RUNS, expected.precision)):
        draft.define(own(name), Num(float(len(runs))), "derived", "runs of the library and of packs")
    mfu, said = Num(expected.mfu), _said(sort, expected)
    where = expected.own[0].record.span if expected.own else None
    if is_included(pool):
        draft.define(own(q.MFU), mfu, "assumed", said, where, spread=expected.spread)
        return
    if q.AVAILABILITY.text not in pool.figures and own(q.AVAILABILITY) not in draft.definitions:
        draft.define(own(q.MFU), mfu, "assumed", said, where, spread=expected.spread)
        within = "not given: what stops take is in the MFU, which is that of runs end to end"
        draft.define(own(q.AVAILABILITY), Num(1.0), "assumed", within)
        return
    if own(q.AVAILABILITY) in draft.definitions:  # it is what stops leave
        say_end_to_end(draft, own)
    up: Expr = Op("max", (Ref(own(q.AVAILABILITY)), Ref(q.USUAL_AVAILABILITY)))
    beside = f"{said}; while it is up, their stops being in that"
    draft.define(own(q.MFU), Op("/", (mfu, up)), "assumed", beside, where, spread=expected.spread)


def hold_size_to_throughput(draft: Draft, device: Record, precision: str, own: Own) -> None:
    """A size that is open beside a throughput is one that runs reach it at: a larger one would take no longer.

    Where the plan bounds the size itself, it may be up to an MFU that is doubted.
    """
    peak = draft.definitions.get(own(q.PEAK))
    if peak is None or own(q.THROUGHPUT) not in draft.definitions:
        return
    if draft.chosen().isdisjoint((q.PARAMS, q.LAW_PARAMS)):
        return
    most, text = Ref(own(q.PLAUSIBLE_MFU)), "the MFU above which a plan is doubted, at the throughput"
    known = _expected(draft, peak, device, precision)
    if known is not None and not (draft.plan.model and isinstance(draft.plan.model.params, Within)):
        draft.define(own(q.USUAL_MFU), Num(known[1].mfu), "assumed", _said(*known))
        most, text = Ref(own(q.USUAL_MFU)), "the MFU that runs reach, at the throughput"
    rate = Op("*", (Op("*", (Ref(own(q.PEAK)), most)), Num(_BELOW)))
    draft.constrain("throughput", Ref(own(q.RATE)), rate, "line", draft.definitions[own(q.RATE)].span, text=text)


def _expected(draft: Draft, peak: Definition, device: Record, precision: str) -> tuple[Sort, Expected] | None:
    """What runs on devices like one reached; None where none are known."""
    stated = peak.expr.value if isinstance(peak.expr, Num) else None
    sort = sort_of(device, precision, stated)
    rates = rates_in(draft.catalogue)
    for run in rates.impossible:
        message = (
            f"run `{run.name}` tells of hours in which its device does not do it: 6ND is {run.mfu:.0%} of its peak"
        )
        help = ["look at its `params`, `tokens` and `gpu_hours`", 'or say why nothing is planned by it: `aside "WHY"`']
        draft.findings.append(finding("P001", message, run.record.span, help=help))
    expected = rates.expected(sort) if sort is not None else None
    return (sort, expected) if sort is not None and expected is not None and expected.all else None


def _said(sort: Sort, expected: Expected) -> str:
    """What the rate rests on, in words."""
    alike, others = len(expected.generation), len(expected.all) - len(expected.generation)
    families = len({run.family for run in expected.generation})
    if alike:
        runs = f"{counted(alike, 'run')} on {sort.generation} ({counted(families, 'family')}), and {others} on others"
    else:
        kinds = len({run.device.text("generation") for run in expected.all if run.device})
        runs = f"no run on {sort.generation} is known: {others} runs on {kinds} other generations, so wider"
    out = f"reached end to end, stops included, in 6ND: {runs}"
    if sort.precision not in HALF:
        known = len(expected.precision)
        out += f"; {counted(known, 'run')} in {sort.precision}" if known else f"; no run in {sort.precision} is known"
    return f"{out}; moved by {counted(len(expected.own), 'run')} of your own" if expected.own else out


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
