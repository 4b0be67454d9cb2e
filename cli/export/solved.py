"""A solved plan to the one type that files are made of: whole numbers, with where each is from."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterator, Mapping, Sequence

from runplan.cli.export.said import said_of
from runplan.cli.export.training import Curve, Fact, Hardware, Layout, Phase, Shape, Training
from runplan.dsl.dataclass import dataclass
from runplan.dsl.expr.name import Name, quantity
from runplan.dsl.packs.library import Library
from runplan.dsl.packs.pack import Record
from runplan.dsl.plan.ir import Given, Plan
from runplan.dsl.text.finding import Finding, finding
from runplan.dsl.text.source import Span
from runplan.dsl.types import Any
from runplan.dsl.units.base import STEP
from runplan.dsl.units.show import iso_date, show
from runplan.engine.problem import quantities as q
from runplan.engine.problem.solution import Solution, Value
from runplan.engine.report import Report

# What differs by less than this from a whole number is one: the solver's rounding.
_SAME = 1e-6
# Devices that share a node where the plan does not say it.
_NODE = 8
# Fields of the optimizer beside the learning rate and the batch.
_SETTINGS = ("weight_decay", "beta1", "beta2", "epsilon", "momentum", "clip")
_CURVES: tuple[Curve, ...] = ("constant", "linear", "cosine", "sqrt", "exponential", "step", "waves")


@dataclass(frozen=True, slots=True)
class Solved:
    """A plan, or a stage of one, with its solution under the law that decides.

    Attributes:
        stage: The stage that is told of; empty where the plan has none.
    """

    report: Report
    plan: Plan
    solution: Solution
    catalogue: Library
    stage: str = ""

    @property
    def top(self) -> Span:
        """The first line of the plan: the place of what it does not say."""
        source = self.plan.source
        return Span(source, 0, len(source.line_text(1)))

    def value(self, name: Name) -> float:
        """A quantity in base units; 0 where there is none."""
        found = self.solution.values.get(name)
        return found.value if found is not None else 0.0

    def word(self, name: str) -> tuple[str, str]:
        """What is taken where the plan does not say it, such as the optimizer, and what that rests on."""
        for one in self.report.assumptions:
            if str(one.name) == name and isinstance(one.value, str):
                return one.value, one.source
        return "", ""


def training_of(solved: Solved) -> tuple[Training, tuple[Finding, ...]]:
    """The run of a solved plan; and what contradicts whole numbers of sequences, devices and steps."""
    plan, facts = solved.plan, list[Fact]()
    layout, found = _layout(solved), list[Finding]()
    sequence = round(solved.value(q.CONTEXT))
    batch = _batch(solved, sequence, layout, facts, found)
    layout = _fitted(layout, batch)
    steps = _steps(solved, batch * sequence, facts)
    optimizer = plan.outer.optimizer
    shape = _shape(solved)
    run = Training(
        name=_name(plan.title),
        title=plan.title,
        file=plan.source.path,
        digest=hashlib.sha256(plan.source.text.encode("utf-8", "surrogatepass")).hexdigest(),
        params=round(solved.value(q.PARAMS)),
        tokens=steps * batch * sequence or round(solved.value(q.TOKENS)),
        shape=shape,
        sequence=sequence,
        batch=batch,
        steps=steps,
        learning_rate=_short(solved.value(q.LEARNING_RATE)),
        optimizer=optimizer.name.text if optimizer else solved.word("optimizer")[0],
        precision=_precision(solved),
        objective=solved.solution.problem.objective.kind,
        phases=tuple(_phases(solved, steps)),
        layout=layout,
        hardware=_hardware(solved),
        settings=dict(_settings(solved)),
        mix=dict(_mix(solved)),
        facts=(*facts, *_facts(solved)),
        said=tuple(said_of(solved.plan, solved.solution, solved.catalogue, solved.top)),
        places=dict(_places(solved)),
    )
    return run, tuple(found)


def _name(title: str) -> str:
    """What a run is called, by the title of its plan, or by its file."""
    bare = re.sub(r"\.plan(\.ya?ml)?$", "", title)
    return re.sub(r"[^A-Za-z0-9._-]+", "-", bare).strip("-.").lower() or "run"


# ---- whole numbers


def _batch(solved: Solved, sequence: int, layout: Layout | None, facts: list[Fact], found: list[Finding]) -> int:
    """Sequences of a step: as stated, or the nearest number that the copies of the model share out evenly."""
    told, unit = solved.solution.values.get(q.BATCH), layout.dp * layout.micro_batch if layout else 1
    if told is None or not sequence:
        return 0
    exact = told.value / sequence
    given = solved.plan.outer.optimizer.settings.get("batch") if solved.plan.outer.optimizer else None
    whole = round(exact)
    fits = abs(exact - whole) <= _SAME * exact and whole % unit == 0
    if isinstance(given, Given) and not fits:
        near = max(round(exact / unit), 1) * unit
        shared = f"{layout.dp} x {layout.micro_batch} sequences at once" if layout else "whole sequences"
        message = f"a batch of {exact:,.6g} sequences of {sequence:,} tokens does not go into {shared}"
        help = [f"write `batch: {near:,} sequences`".replace(",", ""), "or another `micro_batch` in the layout"]
        found.append(finding("E002", message, given.span, help=help))
    if not fits:
        whole = max(round(exact / unit), 1) * unit
        why = f"{show(told.value, told.dim)} are {exact:,.4g}, made a multiple of {unit}: {told.source}"
        facts.append(Fact("batch", f"{whole:,} sequences", "assumed" if told.kind == "law" else "derived", why))
    return whole


def _fitted(layout: Layout | None, batch: int) -> Layout | None:
    """The layout with as many micro-batches a step as the batch has."""
    if layout is None or not batch:
        return layout
    from runplan.dsl.dataclass import replace

    return replace(layout, accumulate=max(batch // (layout.dp * layout.micro_batch), 1))


def _steps(solved: Solved, batch: int, facts: list[Fact]) -> int:
    """Steps of the run: its tokens over those of a step, rounded up."""
    if not batch:
        return 0
    tokens = solved.value(q.TOKENS)
    exact = tokens / batch
    whole = round(exact) if abs(exact - round(exact)) <= _SAME * exact else math.ceil(exact)
    why = f"{show(tokens, solved.solution.values[q.TOKENS].dim)} over {batch:,} tokens a step"
    facts.append(Fact("steps", f"{whole:,}", "derived", why + ("" if whole == round(exact) else ", rounded up")))
    return whole


def _phases(solved: Solved, steps: int) -> Iterator[Phase]:
    """The phases in whole steps, which sum to those of the run: as stated, and where their tokens end."""
    values, names, peak = solved.solution.values, solved.solution.problem.phases, solved.value(q.LEARNING_RATE)
    if not steps or not names or not peak:
        return
    shapes, lengths = dict(_shapes(solved)), _lengths(solved, names, steps)
    for name in names:
        ends = (values.get(side.of("phase", name)) for side in (q.LEARNING_RATE_START, q.LEARNING_RATE_END))
        start, end = (_short(one.value / peak) if one is not None else 1.0 for one in ends)
        yield Phase(name, shapes.get(name, ""), lengths[name], start, end, dict(_phase_mix(solved, name)))


def _lengths(solved: Solved, names: Sequence[str], steps: int) -> dict[str, int]:
    """The steps of each phase: as stated, and of the others where their tokens end among what those leave."""
    stated = _stated_steps(solved.plan)
    free = [name for name in names if name not in stated] or [*names[-1:]]
    out = {name: min(count, steps) for name, count in stated.items() if name not in free}
    left, seen, done = max(steps - sum(out.values()), 0), 0.0, 0
    total = sum(solved.value(q.TOKENS.of("phase", name)) for name in free)
    for name in free:
        seen += solved.value(q.TOKENS.of("phase", name))
        out[name] = round(seen / total * left) - done if total else left
        done += out[name]
    return out


_MIXES = (q.MIX, q.MIX_START, q.MIX_END)


def _phase_mix(solved: Solved, phase: str) -> Iterator[tuple[str, tuple[float, float]]]:
    """The mix of a phase at its start and its end."""
    values, sources = solved.solution.values, solved.solution.sources
    for source in sources if len(sources) > 1 else ():
        middle, *ends = (
            values.get(q_.of("phase", phase).of("source", source)) for q_ in (q.MIX, q.MIX_START, q.MIX_END)
        )
        first, last = (end if end is not None else middle for end in ends)
        if first is not None and last is not None:
            yield source, (_short(first.value), _short(last.value))


def _stated_steps(plan: Plan) -> dict[str, int]:
    """The phases that the plan gives in steps."""
    schedule = plan.outer.schedule
    return {
        phase.name: round(phase.length.value.value)
        for phase in (schedule.phases if schedule else ())
        if isinstance(phase.length, Given) and phase.length.value.dim == STEP
    }


def _shapes(solved: Solved) -> Iterator[tuple[str, Curve]]:
    """By which curve each phase goes."""
    schedule, catalogue = solved.plan.outer.schedule, solved.catalogue
    if schedule is not None and schedule.name is None:
        named = [(phase.name, phase.shape.text) for phase in schedule.phases]
    else:
        known = catalogue.schedule(schedule.name.text if schedule and schedule.name else solved.word("schedule")[0])
        named = [(phase.name, phase.shape) for phase in known.phases] if known else []
    for phase, shape in named:
        yield phase, curve_of(catalogue.record("shape", shape))


def curve_of(shape: Record | None) -> Curve:
    """By which curve a shape goes; empty where its record does not say it."""
    text = shape.text("curve") if shape is not None and shape.entry("curve") else ""
    return next((curve for curve in _CURVES if curve == text), "")


# ---- what it is made of


def _shape(solved: Solved) -> Shape | None:
    """The model's architecture; None where its params were not counted by one."""
    at, model = solved.value, solved.plan.model
    if model is None or not model.architecture or not at(q.EMBEDDINGS):
        return None
    if not all(at(name) for name in (q.LAYERS, q.HIDDEN, q.HEADS, q.KV_HEADS, q.VOCAB, q.HEAD_DIM)):
        return None
    figures: dict[str, Any] = {}
    for name in Shape.__match_args__:
        if (value := solved.solution.values.get(quantity(name))) is not None:
            figures[name] = round(value.value)
    figures["tied"] = round(at(q.EMBEDDINGS)) == 1
    figures["embedding_dim"] = 0 if at(quantity("embedding_dim")) == at(q.HIDDEN) else figures.get("embedding_dim", 0)
    figures["v_head_dim"] = figures.get("v_head_dim", 0)
    figures["expert_ffn"] = figures.get("expert_ffn", 0) if figures.get("experts") else 0
    figures.setdefault("ffn", 0)
    switches = {name for name, kind in Shape.__annotations__.items() if kind == "bool"}
    return Shape(**{name: bool(figure) if name in switches else figure for name, figure in figures.items()})


def _layout(solved: Solved) -> Layout | None:
    """The layout that was found; None where there are no devices to lie on."""
    values = solved.solution.values
    figures = {
        name: round(values[quantity(name)].value)
        for name in ("tp", "pp", "cp", "ep", "etp", "dp", "micro_batch", "accumulate")
        if quantity(name) in values
    }
    if "dp" not in figures:
        return None
    regime = solved.plan.layout.regime if solved.plan.layout else None
    shard = values.get(quantity("shard")) if regime is not None else None
    again = values.get(quantity("recompute"))
    said = solved.plan.layout.figures.get("interleave") if solved.plan.layout else None
    return Layout(
        **figures,
        interleave=round(said.value.value) if isinstance(said, Given) else 1,
        recompute=again is not None and again.value == 1,
        selective=again is not None and 0 < again.value < 1,
        shard=round(shard.value) if shard is not None else None,
        regime=regime.text if regime is not None else "",
    )


def _hardware(solved: Solved) -> Hardware | None:
    """The first pool of devices; None where the plan has none whose count is known."""
    at, pools = solved.value, solved.plan.outer.hardware
    if not pools or pools[0].device is None or not at(q.GPUS):
        return None
    device = solved.catalogue.device(pools[0].device.text)
    ends = {key: one for key, one in pools[0].dates.items() if isinstance(one, Given)}
    price = solved.solution.values.get(quantity("price"))
    seconds = at(quantity("reserved_time")) or at(quantity("time"))
    return Hardware(
        device=device.name if device else pools[0].device.text,
        gpus=round(at(q.GPUS)),
        per_node=round(at(q.NODES_OF)) or _NODE,
        seconds=math.ceil(seconds - _SAME),
        begin=iso_date(ends["from"].value.value) if "from" in ends else "",
        end=iso_date(ends["until"].value.value) if "until" in ends else "",
        price=show(price.value, price.dim) if price is not None else "",
    )


def _precision(solved: Solved) -> str:
    """The number format of the products."""
    pools = solved.plan.outer.hardware
    said = pools[0].precision.text if pools and pools[0].precision else solved.word("precision")[0]
    return said or "bf16"


def _settings(solved: Solved) -> Iterator[tuple[str, float]]:
    """The optimizer's other settings, of which something is known."""
    for name in _SETTINGS:
        if (value := solved.solution.values.get(quantity(name))) is not None:
            yield name, _short(value.value)


def _mix(solved: Solved) -> Iterator[tuple[str, float]]:
    """Each source's share of the tokens; nothing where there is one source."""
    sources = solved.solution.sources
    for name in sources if len(sources) > 1 else ():
        if (share := solved.solution.values.get(q.SHARE.of("source", name))) is not None:
            yield name, _short(share.value)


# ---- where they are from

# What files say, by the quantity that it is of.
_TOLD = (
    *("params", "tokens", "context", "batch", "learning_rate", "weight_decay", "beta1", "beta2", "epsilon", "clip"),
    *("gpus", "nodes_of", "reserved_time", "tp", "pp", "cp", "ep", "etp", "dp", "micro_batch", "recompute"),
)


def _facts(solved: Solved) -> Iterator[Fact]:
    """Of every figure where it is from; and of words that the plan does not say what was taken."""
    for text in _TOLD:
        value = solved.solution.values.get(quantity(text))
        if value is not None:
            yield _fact(text, value, solved)
    for word in ("model", "optimizer", "schedule", "precision", "device", "objective"):
        taken, why = solved.word(word)
        if taken:
            yield Fact(word, taken, "stated" if word == "model" else "assumed", why)


def _fact(text: str, value: Value, solved: Solved) -> Fact:
    told, line = show(value.value, value.dim, 6), value.span.line if value.span is not None else 0
    if value.kind == "given" and value.span is not None and value.span.source is solved.plan.source:
        return Fact(text, told, "stated", f"line {line}")
    if value.kind == "given":
        return Fact(text, told, "stated", value.source)
    if value.kind in ("assumed", "law", "constant"):
        return Fact(text, told, "assumed", f"{value.by}: {value.source}" if value.by else value.source)
    return Fact(text, told, "derived", value.source or value.formula)


def _places(solved: Solved) -> Iterator[tuple[str, Span]]:
    """Where the plan speaks of what."""
    plan, outer = solved.plan, solved.plan.outer
    yield "", solved.top
    if outer.objective is not None and outer.objective.span is not None:
        yield "objective", outer.objective.span
    for name, said in (("schedule", outer.schedule), ("model", plan.model), ("layout", plan.layout)):
        if said is not None:
            yield name, said.span
    if outer.optimizer is not None:
        yield "optimizer", outer.optimizer.span
        yield from ((f"optimizer.{name}", one.span) for name, one in outer.optimizer.settings.items())
    for name, one in plan.model.architecture.items() if plan.model else ():
        yield f"model.{name}", one.span
    for name, one in plan.layout.figures.items() if plan.layout else ():
        yield f"layout.{name}", one.span
    for pool in outer.hardware[:1]:
        yield "hardware", pool.span
        yield "precision", pool.precision.span if pool.precision else pool.span


def _short(value: float) -> float:
    """A figure without the solver's rounding: what is written in a plan comes out as it went in."""
    return float(f"{value:.12g}")


def stages(plan: Plan) -> Mapping[str, Span]:
    """The stages of a plan by name."""
    return {stage.name: stage.span for stage in plan.stages if stage.name and stage.span is not None}
