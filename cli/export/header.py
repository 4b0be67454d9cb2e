"""What each file says of itself: what it is for, from which plan, and what of it was stated, derived or assumed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from textwrap import wrap

from runplan import __version__
from runplan.cli.export.formats import Format
from runplan.cli.export.training import Said, Training

_COLUMNS = 116
# Digits of the digest that tell one text from another for a reader; the whole of it is in no file.
_DIGEST = 16
# The figures that a job is told of.
_OF_JOBS = ("gpus", "nodes_of", "reserved_time", "device")


def lines(run: Training, form: Format, lost: Iterable[Said] = ()) -> Iterator[str]:
    """The lines of the header, without what makes them comments.

    Args:
        lost: What the format itself finds no place for.
    """
    yield f"{form.title}, for {form.tool}."
    yield f"Exported by runplan {__version__} from {run.file} (sha256 {run.digest[:_DIGEST]}): {run.title}."
    for one in (*form.unplaced(run), *lost):
        yield f"not carried: {one.told} (line {one.span.line})"
    if form.of == "job":
        yield "What is trained stands in the trainer's own configuration: `plan export --list` has them."
    if "shape" in form.needs and run.shape is not None and run.shape.experts:
        yield "not of the plan: what balances experts; without a word of it here the tool's own default holds"
    for one in run.said if form.of == "run" else ():
        if not form.concerns(one.subject):
            yield f"not of this file: {one.told} (line {one.span.line})"
    if run.hardware is not None and run.hardware.price:
        yield f"not of this file: the price, {run.hardware.price}"
    for fact in run.facts:
        if form.of == "job" and fact.name not in _OF_JOBS:
            continue
        yield f"{fact.origin}: {fact.name} {fact.told} ({' '.join(fact.source.split())})"


def comment(run: Training, form: Format, lost: Iterable[Said] = ()) -> str:
    """The header as comments, with an empty line behind it."""
    told = [part for line in lines(run, form, lost) for part in wrap(line, _COLUMNS, subsequent_indent="  ")]
    return "".join(f"# {line}\n".replace(" \n", "\n") for line in told) + "\n"
