"""A syntax tree to the plan: every figure typed, every name bound, every constraint checked for dimensions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType

from runplan.dsl.dataclass import replace
from runplan.dsl.expr.name import Words, let
from runplan.dsl.packs.model_names import folded
from runplan.dsl.packs.pack import Entry, Pack, figures_of
from runplan.dsl.packs.vocabulary import Vocabulary
from runplan.dsl.plan.constraints import constraints, goals
from runplan.dsl.plan.data import check_weights_are_used, data
from runplan.dsl.plan.hardware import hardware, reserve
from runplan.dsl.plan.ir import Amount, Given, Let, Lowered, Plan, Requirement, Stage
from runplan.dsl.plan.layout import layout
from runplan.dsl.plan.length import unfounded
from runplan.dsl.plan.lets import read_lets
from runplan.dsl.plan.model import model, optimizer, with_context
from runplan.dsl.plan.money import read_money_and_month
from runplan.dsl.plan.objective import objective
from runplan.dsl.plan.reading import Reading
from runplan.dsl.plan.schedule import schedule
from runplan.dsl.plan.start import of_checkpoint, start
from runplan.dsl.syntax.statements import ASIDES, BY_RULE, DEFINITIONS
from runplan.dsl.syntax.tree import File, Mention, Node, leaves, name_of, unquoted
from runplan.dsl.syntax.views import pools_of, spec_of
from runplan.dsl.text.finding import Finding, Label, finding, in_order
from runplan.dsl.text.fixes import instead
from runplan.dsl.text.limits import MAX_POOLS, MAX_STAGES, MAX_STATEMENTS
from runplan.dsl.text.pattern import pattern
from runplan.dsl.text.source import Span
from runplan.dsl.typed.fields import COMPUTE, CONTEXT, RUN, SERVED, Field
from runplan.dsl.types import TypeVar
from runplan.dsl.units.dims import NONE
from runplan.dsl.units.show import show

T = TypeVar("T")
# The stages that a transfer is, where the plan has none.
OF_TRANSFER = ("pretrain", "finetune")
# A name before its colon, in either spelling.
_NAMING = pattern(r"(?<![\w.-])(\w[\w.-]*+)[\"']?[ \t]*+:")
# The parts of a run that have quantities of their own, by the rule of the statement that names one.
_PARTS = {"data_named": "source", "phase": "phase"}


def lower(file: File, vocabulary: Vocabulary, results: Mapping[str, Let] = MappingProxyType({})) -> Lowered:
    """The plan of a resolved file, and all that is wrong with it before it stops.

    The plan is None where anything is an error, or where the file only defines things.

    Args:
        results: What the plans that it imports come to, as far as it mentions that, by name.
    """
    statements = file.statements
    if not statements:
        help = ["the smallest plan is one line: `hardware: 1000 x H100 for 6 months`"]
        empty = finding("S006", "the plan is empty", Span(file.source, 0, 0), help=help)
        return Lowered(None, Pack(), (empty,))
    reading, pack = begun(file, vocabulary, results)
    for rule in pack.rules:
        from runplan.dsl.packs.rule_check import checked

        if not rule.span.begins_in(file.broken):
            reading.findings.extend(checked(rule, reading.known()))
    own = [node for node in statements if node.rule not in DEFINITIONS]
    plan = _plan(reading, own, pack) if any(node.rule not in ASIDES for node in own) else None
    _say_binary_prefixes(reading, statements)
    findings = in_order(reading.findings)
    wrong = any(f.severity == "error" for f in findings)
    return Lowered(None if wrong else plan, pack, findings)


def begun(
    file: File, vocabulary: Vocabulary, results: Mapping[str, Let] = MappingProxyType({})
) -> tuple[Reading, Pack]:
    """What the statements of a resolved file are read by: its names, its money, its `let`s; and what it defines.

    Args:
        results: See `lower`.
    """
    reading = Reading(file, vocabulary)
    _collect_names(reading, file.statements)
    reading.findings += _too_many(file.statements)
    read_money_and_month(reading, file.statements)
    pack = _definitions(reading, file.statements)
    figures = figures_of(pack.records)
    reading.vocabulary = _with_own(vocabulary, pack, figures)
    read_lets(reading, file.statements, figures, results)
    return reading, pack


def _collect_names(reading: Reading, statements: Sequence[Node]) -> None:
    """The names of stages and other parts: an expression may mention them before they are read."""
    stages = [node for node in statements if node.rule == "stage"]
    if len(stages) > MAX_STAGES:
        message = f"the plan has {len(stages):,} stages; at most {MAX_STAGES} are read"
        reading.findings.append(finding("S004", message, stages[MAX_STAGES].span))
    places = [(("stage", name_of(node).text), node.span) for node in stages[:MAX_STAGES]]
    if not stages:  # a transfer is two
        transfers = [node for node in statements if node.rule == "objective" and spec_of(node).rule == "transfer"]
        places += [(("stage", name), node.span) for node in transfers for name in OF_TRANSFER]
    for node in [item for outer in statements for item in (outer, *_inside(outer))]:
        if node.rule in _PARTS:
            places.append(((_PARTS[node.rule], name_of(node).text), node.span))
        elif node.rule == "hardware":
            pools = pools_of(spec_of(node))
            places += [(("pool", str(i + 1)), pool.span) for i, pool in enumerate(pools) if len(pools) > 1]
    if reading.may_miss("data"):  # what is said of a source that could not be read has its dimension all the same
        places += [(("source", name), span) for span in reading.file.lost for name in _NAMING.findall(span.text)]
    for part, span in places:
        reading.places.setdefault(part, span)
    parts: dict[str, list[str]] = {}
    for kind, name in reading.places:
        parts.setdefault(kind, []).append(name)
    lets = frozenset(spec_of(node).word(0).text for node in statements if node.rule == "let")
    reading.words = Words(reading.vocabulary.parts, parts, lets)


def _too_many(statements: Sequence[Node]) -> Iterator[Finding]:
    """What a plan has more of than are read."""
    every = [item for outer in statements for item in (outer, *_inside(outer))]
    for rule, most in MAX_STATEMENTS.items():
        of_rule = [node for node in every if node.rule == rule]
        if len(of_rule) > most:
            message = f"the plan has {len(of_rule):,} statements `{rule}`; at most {most:,} are read"
            yield finding("S004", message, of_rule[most].span)
            continue
        # Comparisons that `and` or `or` joins are solved for as statements of their own are.
        joined = [part for node in of_rule for part in _compared(node)]
        if len(joined) > most:
            message = f"the plan has {len(joined):,} comparisons in `{rule}`; at most {most:,} are read"
            yield finding("S004", message, joined[most].span)
    for node in every:
        if node.rule == "hardware" and len(pools := pools_of(spec_of(node))) > MAX_POOLS:
            message = f"the hardware has {len(pools):,} pools; at most {MAX_POOLS} are read"
            yield finding("S004", message, pools[MAX_POOLS].span)


def _bound(reading: Reading, one: Let) -> Let:
    """A `let` with its words as the names that they mean, and its dimension."""
    return replace(one, expr=reading.bound(one.expr), dim=reading.let_dims.get(one.name, NONE))


def _definitions(reading: Reading, statements: Iterable[Node]) -> Pack:
    """What the file and its imports define."""
    defining = [node for node in statements if node.rule in DEFINITIONS]
    if not defining:
        return Pack()
    # What most plans do not do: docs/design/0004-what-check-does-not-import.md.
    from runplan.dsl.packs.reader import PackReader

    reader = PackReader(reading.quantities(), reading.vocabulary.fields)
    pack = reader.pack(defining, reading.file.broken)
    for known in pack.quantities:
        message = f"a quantity such as `{known.name}` stands in a pack's `quantities.plan`, not in a plan"
        help = ["move it there, or write a `let`"]
        reading.findings.append(finding("N001", message, known.span, help=help))
    reading.findings.extend(reader.findings)
    return pack


def _with_own(vocabulary: Vocabulary, pack: Pack, figures: Mapping[str, Entry]) -> Vocabulary:
    """The vocabulary with what the file itself defines."""
    devices = {n: r.name for r in pack.records if r.kind == "device" for n in (r.name, *r.aliases)}
    laws = {n for law in pack.laws for n in (law.name, *law.aliases)}
    own = {folded(n): r for r in pack.records if r.kind == "model" for n in (r.name, *r.aliases)}
    return replace(
        vocabulary,
        models=vocabulary.models | {n for r in own.values() for n in (r.name, *r.aliases)},
        model=lambda name: own.get(folded(name)) or vocabulary.model(name),
        devices={**vocabulary.devices, **devices},
        laws=vocabulary.laws | laws,
        schedules=vocabulary.schedules | {s.name for s in pack.schedules},
        figures={**vocabulary.figures, **figures},
        regimes=vocabulary.regimes | {n for r in pack.records if r.kind == "regime" for n in (r.name, *r.aliases)},
    )


# ---- the plan and its stages


def _plan(reading: Reading, statements: list[Node], pack: Pack) -> Plan:
    first = _once(reading, statements)
    start_ = _read(start, reading, first.get("start"))
    reading.from_weights = start_ is not None and start_.from_weights
    model_ = of_checkpoint(reading, start_, _read(model, reading, first.get("model")))
    context = model_.architecture.get("context") if model_ else None
    if isinstance(context, Given):
        reading.sizes["sequence"] = context
    stages, requires, prefers = _stages(reading, statements)
    outer = stages[0]
    _check_lengths(reading, statements, stages)
    return Plan(
        title=_title(reading, first.get("plan")),
        source=reading.file.source,
        laws=tuple(_laws(reading, first.get("use"))),
        lets={let(name): _bound(reading, one) for name, one in reading.lets.items()},
        currency=reading.currency,
        stages=stages,
        model=model_ if outer.context is None else with_context(reading, model_, outer.context),
        requires=requires,
        prefers=prefers,
        goals=tuple(goals(reading, statements)),
        definitions=pack,
        start=start_,
        layout=_read(layout, reading, first.get("layout")),
        rates=reading.rates,
        words=reading.words,
    )


def _check_lengths(reading: Reading, statements: Sequence[Node], stages: Sequence[Stage]) -> None:
    """A length in steps has a batch, and one in epochs has data, whether or not those can be read."""
    has_data = any(item.rule in ("data", "data_named") for node in statements for item in (node, *_inside(node)))
    has_batch = any(leaf.text == "batch" for node in statements if node.rule == "optimizer" for leaf in leaves(node))
    has_data, has_batch = has_data or reading.may_miss("data"), has_batch or reading.may_miss("optimizer")
    reading.findings += filter(None, (unfounded(stage, has_data, has_batch) for stage in stages))


def _read(statement: Callable[[Reading, Node], T], reading: Reading, node: Node | None) -> T | None:
    """What a statement says; None where it is not there."""
    return None if node is None else statement(reading, node)


def _title(reading: Reading, node: Node | None) -> str:
    """The title of a plan, else the name of its file."""
    return unquoted(spec_of(node).word(0).text) if node else reading.file.source.path.rsplit("/", 1)[-1]


def _laws(reading: Reading, node: Node | None) -> Iterator[Mention]:
    for word in spec_of(node).words() if node else ():
        law = Mention(word.text, word.span)
        reading.must_be_known("law", law, reading.vocabulary.laws)
        yield law


Requirements = tuple[Requirement, ...]


def _stages(reading: Reading, statements: list[Node]) -> tuple[tuple[Stage, ...], Requirements, Requirements]:
    """What stands outside of the stages and those with a name, and what is required and preferred, in either."""
    outside = [_stage(reading, "", None, statements)]
    required, preferred = (list(constraints(reading, statements, rule)) for rule in ("require", "prefer"))
    for node in [node for node in statements if node.rule == "stage"][:MAX_STAGES]:
        with reading.inside(name_of(node).text):
            inner = _allowed(reading, node)
            outside.append(_stage(reading, name_of(node).text, node.span, inner))
            required += constraints(reading, inner, "require")
            preferred += constraints(reading, inner, "prefer")
    return tuple(outside), tuple(required), tuple(preferred)


def _allowed(reading: Reading, node: Node) -> list[Node]:
    """The statements of a stage; a finding for each that does not stand in one."""
    statements = list(_inside(node))
    for item in statements:
        row = BY_RULE.get(item.rule)
        if row is None or not row.in_stage:
            message = f"`{item.rule}` does not stand inside a stage"
            reading.findings.append(finding("N001", message, item.span, help=["write it outside the stages"]))
    _once(reading, statements)
    return statements


def _stage(reading: Reading, name: str, span: Span | None, statements: list[Node]) -> Stage:
    first: dict[str, Node] = {}
    for node in statements:
        first.setdefault(node.rule, node)

    def amount(rule: str, field: Field) -> Amount | None:
        return reading.amount(spec_of(first[rule]), field) if rule in first else None

    context = amount("context", CONTEXT)
    if context is not None and not isinstance(context, Given):
        message = "`context` is one length"
        reading.findings.append(finding("C009", message, context.span, help=["give one value: `context: 32k tokens`"]))
    elif context is not None:
        reading.sizes["sequence"] = context
    sources = data(reading, [node for node in statements if node.rule in ("data", "data_named")])
    phases = schedule(reading, statements)
    check_weights_are_used(reading, sources, phases)
    return Stage(
        name=name,
        hardware=_read(hardware, reading, first.get("hardware")) or (),
        compute=amount("compute", COMPUTE),
        data=sources,
        tokens=amount("tokens", RUN),
        objective=_read(objective, reading, first.get("objective")),
        schedule=phases,
        inference=amount("inference", SERVED),
        context=context if isinstance(context, Given) else None,
        reserve=_read(reserve, reading, first.get("reserve")),
        optimizer=_read(optimizer, reading, first.get("optimizer")),
        span=span,
    )


def _compared(node: Node) -> Iterator[Node]:
    """The comparisons of a condition."""
    for part in node.nodes():
        if part.rule == "compare":
            yield part
        else:
            yield from _compared(part)


def _inside(node: Node) -> Iterator[Node]:
    """The statements inside a stage."""
    block = node.node("plan_block") if node.rule == "stage" else None
    return block.nodes() if block else iter(())


# ---- how often a statement stands


def _once(reading: Reading, statements: Iterable[Node]) -> dict[str, Node]:
    """The first statement of each rule; a finding for each that fills what is filled already."""
    first: dict[str, Node] = {}
    filled: dict[str, Span] = {}
    for node in statements:
        first.setdefault(node.rule, node)
        row = BY_RULE.get(node.rule)
        if row is None or row.times == "likes":
            continue
        filled_by = f"{row.keyword} {name_of(node).text}" if row.times == "name" else row.fills
        if filled_by in filled:
            reading.again(filled_by, node.span, filled[filled_by], [row.again] if row.again else [])
        filled.setdefault(filled_by, node.span)
    _check_alone(reading, first)
    return first


def _check_alone(reading: Reading, first: Mapping[str, Node]) -> None:
    """What is given without a name is not given by names too."""
    if "data" in first and "data_named" in first:
        bare = first["data"]
        also = [Label(first["data_named"].span, "this has a name")]
        message = "sources of data are named, all or none"
        help = [f"give it a name: `data main: {spec_of(bare).span.said}`"]
        reading.findings.append(finding("N005", message, bare.span, also=also, help=help))
    if "phase" in first and "schedule" in first:
        also = [Label(first["phase"].span, "a phase by hand")]
        message = "the schedule is given by name and by phases"
        help = ["leave the name out, or the phases"]
        reading.findings.append(finding("N005", message, first["schedule"].span, also=also, help=help))


# ---- binary prefixes


def _say_binary_prefixes(reading: Reading, statements: Iterable[Node]) -> None:
    """A note on each number such as `85Mi`, which is not the decimal one."""
    for leaf in (leaf for node in statements for leaf in leaves(node)):
        if leaf.type != "NUMBER" or not leaf.text.endswith("i"):
            continue
        rest = leaf.span.source.text[leaf.span.end : leaf.span.end + 6].strip()
        if not rest.startswith("B"):
            plain = leaf.text[:-1].replace("G", "B")  # a decimal giga is a billion here
            message = f"`{leaf.text}` is binary: {show(reading.number(leaf), NONE, 6)}, not {plain}"
            help = [f"counts are decimal: write `{plain}` if that is what is meant"]
            fixes = instead(leaf.span, leaf.text, plain, safe=False)
            reading.findings.append(finding("D009", message, leaf.span, help=help, fixes=fixes))
