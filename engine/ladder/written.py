"""A flagship's plan and the settings of a small run into the text of that run's own plan."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping

from runplan.dsl.dataclass import dataclass
from runplan.dsl.syntax.imports import syntax_of
from runplan.dsl.syntax.layout import laid_out
from runplan.dsl.syntax.statements import BY_RULE, DEFINITIONS
from runplan.dsl.syntax.tree import File, Node, Word, unquoted
from runplan.dsl.syntax.views import Setting, pool_fields, pools_of, spec_of
from runplan.dsl.syntax.yaml_scalars import quoted
from runplan.dsl.text.pattern import pattern
from runplan.dsl.text.source import Source
from runplan.engine.ladder.refused import NoLadder

# What a small run has of its flagship's plan as it stands: what things are called and cost, and what it is trained on.
KEPT = frozenset(("let", "rate", "calendar", "data", "data_named", "objective", "schedule", "phase"))
# Of a pool what is not the small run's: how many devices for how long, and rates that were measured at the flagship.
NOT_KEPT = frozenset(
    ("gpus", "time", "gpu_hours", "from", "until", "mfu", "rate", "throughput", "step_time", "mfu_convention", "paid")
)
_NAMED = pattern(r"[A-Za-z_][\w.-]*")


@dataclass(frozen=True, slots=True)
class Said:
    """What the plan of a small run says that its flagship's does not.

    Attributes:
        comment: What it is, in a line.
        laws: Names.
        gpus: None where the plan has no hardware.
        mfu: The share of the peak, where it is stated; None where it is left to what runs reach.
        model: Fields of the block, as texts.
        batch, learning_rate: As texts; empty where no law gives them.
    """

    title: str
    comment: str
    laws: tuple[str, ...]
    gpus: int | None
    mfu: float | None
    model: Mapping[str, str]
    tokens: str
    batch: str = ""
    learning_rate: str = ""


def text_of(flagship: File, said: Said, folder: str) -> str:
    """The text of a small run's plan, in its layout.

    Args:
        flagship: Its tree, imports not followed.
        folder: Where the plan is to lie: what it imports is named from there.

    Raises:
        NoLadder: Where a statement of the flagship's, changed by a setting, has no spelling of its own.
    """
    text = "\n".join([*_lines(flagship, said, folder), ""])
    source = Source("run.plan", text)
    file, findings = syntax_of(source)
    there = set(map(_bare, file.statements))
    lost = [node for node in flagship.statements if node.rule in KEPT and _bare(node) not in there]
    if findings or lost:
        what = lost[0].rule if lost else findings[0].message
        raise NoLadder(
            "spelling", f"`{what}` cannot be written out for a small run: say it in the plan, without `--set`"
        )
    return laid_out(text, file.statements)


def _lines(flagship: File, said: Said, folder: str) -> Iterator[str]:
    yield f"# {said.comment}"
    yield f"plan {quoted(said.title)}"
    yield f"use laws {', '.join(said.laws)}"
    yield ""
    by_rule: dict[str, Node] = {}
    for node in flagship.statements:
        by_rule.setdefault(node.rule, node)
        if node.rule == "import_":
            yield _import(node, flagship.source.path, folder)
        elif node.rule in KEPT:
            yield _kept(node)
        elif node.rule in DEFINITIONS:
            yield node.span.text
    if said.gpus is not None and "hardware" in by_rule:
        yield f"hardware {{ {'; '.join(_pool(by_rule['hardware'], said))} }}"
    yield f"model {{ {'; '.join(f'{name}: {text}' for name, text in said.model.items())} }}"
    yield f"tokens: {said.tokens}"
    if settings := list(_optimizer(by_rule.get("optimizer"), said)):
        name = spec_of(by_rule["optimizer"]).word(0).text if "optimizer" in by_rule else "AdamW"
        yield f"optimizer: {name} {{ {'; '.join(settings)} }}"


def _import(node: Node, path: str, folder: str) -> str:
    spec = spec_of(node)
    target = posixpath.join(posixpath.dirname(path), unquoted(spec.word(0).text))
    alias = spec.children[1]
    named = f" as {alias.text}" if isinstance(alias, Word) else ""
    return f"import {quoted(posixpath.relpath(target, folder or '.'))}{named}"


def _kept(node: Node) -> str:
    """A statement as it stands, in the spelling of a `.plan`."""
    row = BY_RULE[node.rule]
    if node.rule in ("data_named", "phase"):
        value = next(node.nodes())
        return f"{row.keyword} {_name(unquoted(node.word(0).text))}: {value.span.said}"
    value = next(node.nodes())
    if node.rule == "let":
        return f"let {value.word(0).text} = {next(value.nodes()).span.said}"
    lead = f"{row.keyword} " if node.rule in ("rate", "calendar") else f"{row.keyword}: "
    return lead + value.span.said


def _name(text: str) -> str:
    return text if _NAMED.fullmatch(text) else quoted(text)


def _pool(hardware: Node, said: Said) -> Iterator[str]:
    """The fields of the first pool, for so many devices and as long as it takes."""
    yield f"gpus: {said.gpus}"
    for part in pool_fields(pools_of(spec_of(hardware))[0]):
        if part.name == "device":
            yield f"device: {part.value.span.said}"
            yield "time: ?"
            if said.mfu is not None:
                yield f"mfu: {100 * said.mfu:.6g}%"
        elif part.name not in NOT_KEPT:
            yield f"{part.name}: {part.value.span.said}"


def _optimizer(node: Node | None, said: Said) -> Iterator[str]:
    own = {"batch": said.batch, "learning_rate": said.learning_rate}
    block = spec_of(node).node("opt_block") if node is not None else None
    for pair in map(Setting, block.nodes() if block else ()):
        if pair.name.text not in own:
            yield f"{pair.name.text}: {pair.value.span.said}"
    yield from (f"{name}: {text}" for name, text in own.items() if text)


def _bare(part: Node | Word | None) -> object:
    """What a part says, whatever quotes and blanks it is written with."""
    if not isinstance(part, Node):
        return unquoted(" ".join(part.text.split())) if part else None
    return (part.rule, *map(_bare, part.children))
