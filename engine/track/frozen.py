"""What a run is held to as the text of a file, and back: what was frozen stays, whatever becomes of the plan."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from runplan.dsl.text.errors import BadConfig
from runplan.dsl.types import Any
from runplan.dsl.units.show import show, show_dim
from runplan.engine.track.expected import Expected, Figure, Limit, Stretch

SCHEMA = "plan.trajectory/v1"
ENDING = ".track.toml"
_HEAD = "# What the run of a plan is held to. `plan track --freeze` wrote it: commit it, and leave it be.\n"


def frozen_path(plan: str, stage: str = "") -> str:
    """Where the trajectory of a plan, or of a stage of it, is kept: beside it."""
    own = f".{stage}{ENDING}" if stage else ENDING
    for ending in (".plan.yaml", ".plan.yml", ".plan"):
        if plan.endswith(ending):
            return plan.removesuffix(ending) + own
    return plan + own


def text_of(expected: Expected) -> str:
    """The text of what a run is held to; each figure in base units, with how people read it behind it."""
    return _HEAD + "\n".join(_lines(expected)) + "\n"


def _lines(expected: Expected) -> Iterator[str]:
    for name, text in (
        ("schema", SCHEMA),
        ("plan", expected.plan),
        ("text", expected.digest),
        ("frozen", expected.frozen),
        ("law", expected.law),
    ):
        yield f"{name} = {json.dumps(text)}"
    if expected.stage:
        yield f"stage = {json.dumps(expected.stage)}"
    if expected.before:
        yield f"before = {expected.before!r}\nbefore_steps = {expected.before_steps!r}"
    for name, one in expected.figures.items():
        yield f"\n[figures.{name}]  # {show(one.value, one.dim)}"
        yield f"value = {one.value!r}\ngiven = {json.dumps(one.given)}"
        yield f"unit = {json.dumps(show_dim(one.dim))}"
        yield f"dim = {json.dumps([list(part) for part in one.dim])}"
        if one.low is not None and one.high is not None:
            yield f"low = {one.low!r}\nhigh = {one.high!r}"
    for stretch in expected.schedule:
        yield f"\n[[schedule]]\nname = {json.dumps(stretch.name)}\ntokens = {stretch.tokens!r}"
        yield f"start = {stretch.start!r}\nend = {stretch.end!r}\nshape = {json.dumps(stretch.shape)}"
    for limit in expected.limits:
        yield f"\n[[limits]]\ntext = {json.dumps(limit.text)}\nquantity = {json.dumps(limit.quantity)}"
        yield f"sign = {json.dumps(limit.sign)}\nbound = {limit.bound!r}"
    if expected.curve:
        yield "\n[curve]"
        yield f"tokens = {[at for at, _ in expected.curve]!r}"
        yield f"loss = {[loss for _, loss in expected.curve]!r}"


def frozen_of(content: bytes, path: str) -> Expected:
    """What was frozen.

    Raises:
        BadConfig: For a text that is none, or one of another version.
    """
    import tomllib

    try:
        found = tomllib.loads(content.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise BadConfig(f"{path}: {error}; {_AGAIN}") from None
    if found.get("schema") != SCHEMA:
        raise BadConfig(f"{path}: its schema is {str(found.get('schema'))[:40]!r} and not {SCHEMA!r}; {_AGAIN}")
    try:
        return _expected(found)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise BadConfig(f"{path}: an entry is not as `plan track --freeze` writes it ({error!r}); {_AGAIN}") from None


_AGAIN = "`plan track PLAN --freeze` writes it, once the file is out of the way"


def _expected(found: Mapping[str, Any]) -> Expected:
    curve = found.get("curve", {"tokens": [], "loss": []})
    return Expected(
        plan=str(found["plan"]),
        digest=str(found["text"]),
        law=str(found["law"]),
        figures={str(name): _figure(one) for name, one in found["figures"].items()},
        schedule=tuple(
            Stretch(str(s["name"]), float(s["tokens"]), float(s["start"]), float(s["end"]), str(s["shape"]))
            for s in found.get("schedule", [])
        ),
        limits=tuple(
            Limit(str(one["text"]), str(one["quantity"]), str(one["sign"]), float(one["bound"]))
            for one in found.get("limits", [])
        ),
        curve=tuple((float(at), float(loss)) for at, loss in zip(curve["tokens"], curve["loss"], strict=True)),
        frozen=str(found["frozen"]),
        stage=str(found.get("stage", "")),
        before=float(found.get("before", 0.0)),
        before_steps=float(found.get("before_steps", 0.0)),
    )


def _figure(one: Mapping[str, Any]) -> Figure:
    dim = tuple((str(name), float(power)) for name, power in one["dim"])
    low, high = one.get("low"), one.get("high")
    low, high = (None if end is None else float(end) for end in (low, high))
    return Figure(float(one["value"]), dim, low, high, bool(one["given"]))
