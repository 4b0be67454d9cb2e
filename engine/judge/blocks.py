"""Help to add something to the hardware to help that fits the form that the hardware has: one line, or a block."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial

from runplan.dsl.dataclass import replace
from runplan.dsl.expr.text import shown
from runplan.dsl.plan.ir import Amount, Hole, Plan, Pool, Within
from runplan.dsl.text.finding import Finding
from runplan.dsl.text.later import Texts, changed
from runplan.dsl.text.pattern import pattern

_TO_ADD = pattern(r"add `(\w+: [^`]+)`(.*?) to the hardware's block(.*)")
# How a block's text begins, in either spelling.
_BLOCK = pattern(r"\{|\w+[ \t]*:")


def fitted(plan: Plan, findings: Iterable[Finding]) -> Iterator[Finding]:
    """The findings with help that can be pasted: a field that only a block has comes with all of the block."""
    pools = next((stage.hardware for stage in plan.stages if stage.hardware), ())
    if not pools:
        yield from findings
        return
    if any(_BLOCK.match(pool.span.text) for pool in pools):
        yield from (replace(item, help=changed(item.help, partial(map, _in_block))) for item in findings)
        return
    with_block = partial(_with_block, pools, plan.source.in_yaml)
    yield from (replace(item, help=changed(item.help, with_block)) for item in findings)


def _with_block(pools: tuple[Pool, ...], yaml: bool, help: Texts) -> Iterator[str]:
    """Help of which what adds a field to the block of hardware that is one line says all of that block, once."""
    added = [m for text in help if (m := _TO_ADD.fullmatch(text))]
    yield from (text for text in help if not _TO_ADD.fullmatch(text))
    if added:
        yield f"write the hardware as a block: `hardware: {_blocks(pools, [m[1] for m in added], yaml)}`{added[0][3]}"


# What is added to a line of hardware, and to a block.
_IN_BLOCK = (
    (pattern(r"`@ PRICE` to the hardware, such as `@ ([^`]+)`"), r"`price: \1` to the hardware's block"),
    (pattern(r"`in nodes of (\d+)` to the hardware"), r"`nodes_of: \1` to the hardware's block"),
    (pattern(r"`from ([\d-]+)` to the hardware"), r"`from: \1` to the hardware's block"),
)


def _in_block(help: str) -> str:
    for line, block in _IN_BLOCK:
        help = line.sub(block, help)
    return help


def _blocks(pools: tuple[Pool, ...], fields: list[str], yaml: bool) -> str:
    """Pools as blocks, each with some fields more."""
    each = [[*_fields(pool, yaml), *fields] for pool in pools]
    if yaml:
        blocks = [f"{{{', '.join(pairs)}}}" for pairs in each]
        return blocks[0] if len(blocks) == 1 else f"[{', '.join(blocks)}]"
    return " + ".join(f"{{ {'; '.join(pairs)} }}" for pairs in each)


def _fields(pool: Pool, yaml: bool) -> Iterator[str]:
    """The fields of a pool, as a block has them."""
    figures = dict(pool.figures)
    if "gpus" in figures:
        yield f"gpus: {_written(figures.pop('gpus'), yaml)}"
    if pool.device is not None:
        yield f"device: {pool.device.span.text}"
    if "time" in figures:
        yield f"time: {_written(figures.pop('time'), yaml)}"
    if pool.precision is not None:
        yield f"precision: {pool.precision.span.text}"
    if pool.paid is not None:
        yield f"paid: {pool.paid.span.text}"
    yield from (f"{name}: {_written(amount, yaml)}" for name, amount in figures.items())
    for name, date in pool.dates.items():
        yield f"{name}: {_written(date, yaml) if isinstance(date, Hole) else shown(date.expr)}"


def _written(amount: Amount, yaml: bool) -> str:
    """A figure as the plan has it; on one line `up to` stands before it."""
    text = amount.span.text
    if isinstance(amount, Within) and amount.low is None and not text.startswith(("up", "at")):
        return f"up to {text}"
    if isinstance(amount, Hole):
        return "unknown" if yaml else "?"
    return text
