"""`data` to the sources that there are, each with its amount, its limits and its place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from runplan.dsl.expr.text import shown
from runplan.dsl.expr.tree import Num
from runplan.dsl.plan.ir import Amount, DataSource, Given, Hole, Schedule, Within
from runplan.dsl.plan.reading import Reading
from runplan.dsl.syntax.tree import Node, Word, as_node, name_of, text_of
from runplan.dsl.syntax.views import DataOption, DataSpec, spec_of
from runplan.dsl.text.finding import Label, finding
from runplan.dsl.text.fixes import offered, respelled
from runplan.dsl.text.nearest import did_you_mean
from runplan.dsl.text.words import enumerated, listing
from runplan.dsl.typed.fields import DATA, EPOCHS, WEIGHT, Field
from runplan.dsl.units.base import TOKEN, dim_of
from runplan.dsl.units.dims import NONE, Dim, over
from runplan.dsl.units.show import said_dim

QUALITIES = ("high", "ordinary", "sft")
STAGES = ("finetune", "pretrain")
CHARACTER, BYTE = dim_of("character"), dim_of("byte")
# By less than this a sum of shares is off by rounding.
ROUNDED = 1e-9


def data(reading: Reading, nodes: list[Node]) -> tuple[DataSource, ...]:
    """The sources of a plan or a stage."""
    sources = [source for node in nodes if (source := _source(reading, node))]
    all_read = len(sources) == len(nodes) and not reading.may_miss("data")
    # A source is for the target's stage unless it says otherwise, and each stage has a mix of its own.
    # A run from a checkpoint has one, of new data and of what came before.
    for group in _mixes(sources, reading.from_weights):
        _check_weights(reading, group, all_read)
    return tuple(sources)


def _mixes(sources: list[DataSource], together: bool) -> list[list[DataSource]]:
    """The sources whose weights are shares of one whole."""
    before = [source for source in sources if source.stage == "pretrain"]
    return [sources] if together else [before, [source for source in sources if source not in before]]


def _check_weights(reading: Reading, sources: list[DataSource], all_read: bool) -> None:
    """The weights of one stage's sources are shares of one whole."""
    weights = [source.weight for source in sources if source.weight]
    least, most = (sum(_end(source.weight, high) for source in sources) for high in (False, True))
    without = [source for source in sources if not source.weight]
    if weights and without and abs(least - 1) <= ROUNDED:
        message = f"the weights sum to 100 %, and leave nothing for {enumerated([f'`{s.name}`' for s in without])}"
        help = ["lower them, or give each source a weight, or none"]
        also = [Label(source.span) for source in without]
        reading.findings.append(finding("U004", message, weights[0].span, also=also, help=help))
    if not weights or not (least > 1 + ROUNDED or (all_read and most < 1 - ROUNDED)):
        return
    stages = {source.stage for source in sources if source.weight}
    whose = f"`for {sources[0].stage}`" if len(stages) == 1 and sources[0].stage else "of the sources"
    given = all(isinstance(weight, Given) for weight in weights)
    total, bound = (least, "at least ") if least > 1 else (most, "at most ")
    said = f"{'' if given else bound}{total * 100:.4g} %"
    message = f"the weights {whose} sum to {said}, {'more' if total > 1 else 'less'} than 100 %"
    also = [Label(weight.span) for weight in weights[1:]]
    help = [*_help_with_weights(sources, total, given)]
    reading.findings.append(finding("U004", message, weights[0].span, also=also, help=help))


def _help_with_weights(sources: Sequence[DataSource], total: float, given: bool) -> Iterator[str]:
    """How the weights of one stage come to 100 %.

    Args:
        total: What they come to now, as a share.
        given: Whether each that is said is one figure.
    """
    without = [source for source in sources if not source.weight]
    staged = any(source.stage for source in sources if source.weight)
    if staged:
        yield "each stage has a mix of its own: the amounts say what goes into which"
    elif len(sources) == 1:
        yield "leave the weight out"
        return
    if given and not without:
        yield "write " + " with ".join(f"`data {s.name} weight {part}`" for s, part in _scaled(sources, total))
    elif staged:
        return
    elif without:
        yield f"lower them: what they leave is for {enumerated([f'`{s.name}`' for s in without])}"
    else:
        yield "say `weight ?` of a source that takes what the others leave"


def _end(weight: Amount | None, high: bool) -> float:
    """The least, or the most, that a weight may be."""
    end = (weight.high if high else weight.low) if isinstance(weight, Within) else weight
    return end.value.value if isinstance(end, Given) else float(high)


def _scaled(sources: Sequence[DataSource], total: float) -> list[tuple[DataSource, str]]:
    """The weights as they keep to each other and sum to 100 %: to a hundredth, and the largest takes what is left."""
    parts = {s.name: round(_end(s.weight, False) / total * 100, 2) for s in sources if s.weight}
    largest = max(parts, key=lambda name: parts[name])
    parts[largest] = 100 - sum(part for name, part in parts.items() if name != largest)
    return [(s, f"{parts[s.name]:.6g}%") for s in sources]


def check_weights_are_used(reading: Reading, sources: Sequence[DataSource], schedule: Schedule | None) -> None:
    """A weight is for phases without a mix: where each has one, it is used by none, whatever it says."""
    weights = [source.weight for source in sources if source.weight]
    phases = schedule.phases if schedule else ()
    if weights and phases and all(phase.mix for phase in phases) and not reading.may_miss("schedule"):
        message = "the weights are used by no phase: each has a mix of its own, which says the shares"
        also = [*(Label(weight.span) for weight in weights[1:]), Label(phases[-1].mix[0].source.span, "a mix")]
        help = ["leave out the weights, or the `mix` of a phase that is to keep to them"]
        reading.findings.append(finding("C001", message, weights[0].span, also=also, help=help))


def _source(reading: Reading, node: Node) -> DataSource | None:
    spec = DataSpec(spec_of(node))
    options: dict[str, DataOption] = {}
    for option in spec.options():
        if option.node.rule in options:
            reading.again(option.node.rule.replace("_", " "), option.span, options[option.node.rule].span)
        options[option.node.rule] = option
    density: Given | None = None
    field = DATA
    if "at_density" in options:
        counted = _counted_in(reading, options["at_density"])
        if counted is None:
            return None
        per_token = Field("density", over(counted, TOKEN), "4.2 characters/token")
        density = _figure(reading, options, "at_density", per_token)
        if not _in_tokens(reading, spec.amount):
            field = Field("data", counted, "300 GB" if counted == BYTE else "3e12 characters")
    amount = _amount(reading, spec.amount, field, density)
    if amount is None:
        return None
    return DataSource(
        name=name_of(node).text if node.rule == "data_named" else "",
        amount=amount,
        density=density,
        epochs=_passes(reading, options),
        weight=_weight(reading, options),
        quality=_word(reading, options, "quality", QUALITIES),
        domain=_word(reading, options, "domain"),
        stage=_word(reading, options, "for_stage", STAGES),
        span=node.span,
    )


def _figure(reading: Reading, options: Mapping[str, DataOption], rule: str, field: Field) -> Given | None:
    option = options.get(rule)
    return reading.given_by(option.value, field) if option and isinstance(option.value, Node) else None


def _passes(reading: Reading, options: Mapping[str, DataOption]) -> Given | Hole | None:
    option = options.get("up_to")
    if option is not None and isinstance(option.value, Node) and option.value.rule == "hole":
        amount = reading.amount(option.value, EPOCHS)
        return amount if isinstance(amount, Hole) else None
    return _figure(reading, options, "up_to", EPOCHS)


def _weight(reading: Reading, options: Mapping[str, DataOption]) -> Amount | None:
    option = options.get("weight")
    return reading.amount(option.value, WEIGHT) if option and isinstance(option.value, Node) else None


def _word(reading: Reading, options: Mapping[str, DataOption], rule: str, allowed: tuple[str, ...] = ()) -> str | None:
    option = options.get(rule)
    if option is None or not isinstance(option.value, Word):
        return None
    said = option.value.text
    if allowed and said not in allowed:
        help = did_you_mean(said, allowed) or [f"it is one of {listing(allowed)}"]
        what = rule.removesuffix("_stage")
        fixes = respelled(option.value.span, said, allowed)
        reading.findings.append(finding("N002", f"unknown {what} `{said}`", option.value.span, help=help, fixes=fixes))
    return text_of(option.value)


def _counted_in(reading: Reading, option: DataOption) -> Dim | None:
    """Whether a density is that of characters or of bytes; None, with a finding, where it is neither."""
    expr = reading.expr(as_node(option.value))
    dim = reading.checked(expr)
    if dim is None:
        return None
    for counted in (CHARACTER, BYTE):
        if dim == over(counted, TOKEN):
            return counted
    message = f"`{shown(expr)}` is {said_dim(dim)}; here are characters or bytes a token"
    help = ["write `at 4.2 characters/token` or `at 4.2 bytes/token`"]
    reading.findings.append(finding("U001", message, option.value.span, help=help))
    return None


def _in_tokens(reading: Reading, node: Node) -> bool:
    """Whether an amount of data is in tokens: then its density only says what they are to a law of characters."""
    if node.rule == "hole":
        return False
    figure = next(node.nodes()) if node.rule in ("between", "at_least", "at_most") else node
    return reading.checked(reading.expr(figure)) == TOKEN


def _amount(reading: Reading, node: Node, field: Field, density: Given | None) -> Amount | None:
    if node.rule in ("hole", "between", "at_least", "at_most"):
        return reading.amount(node, field)
    expr = reading.expr(node)
    dim = reading.checked(expr, field)
    if dim is None:
        return None
    if density is None and dim in (CHARACTER, BYTE):
        unit = "characters" if dim == CHARACTER else "bytes"
        message = f"`{shown(expr)}` is in {unit}; how many {unit} a token has is not said"
        help = [f"add `at 4.2 {unit}/token` with the figure of your tokenizer"]
        reading.findings.append(finding("C004", message, node.span, help=help))
        return None
    if dim == NONE:
        message = f"`{shown(expr)}` has no unit; data are in tokens, characters or bytes"
        help = [f"write `{shown(expr)} tokens`"]
        if "%" in shown(expr):
            help = [f"write the amount before the share, such as `10T tokens weight {shown(expr)}`"]
        fixes = offered(node.span, shown(expr), help[0]) if "%" not in shown(expr) and isinstance(expr, Num) else ()
        reading.findings.append(finding("U003", message, node.span, help=help, fixes=fixes))
        return None
    return reading.amount(node, field)
