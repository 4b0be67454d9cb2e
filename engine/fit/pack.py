"""A fit to the text of a pack: an ordinary law, with its errors, its range, its source, and values to hold it to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from runplan.dsl.dataclass import dataclass
from runplan.dsl.expr.text import shown
from runplan.dsl.expr.tree import words
from runplan.dsl.packs.law_check import expanded
from runplan.dsl.packs.library import Library
from runplan.dsl.packs.pack import Function, Law
from runplan.dsl.syntax.imports import syntax_of
from runplan.dsl.syntax.layout import laid_out
from runplan.dsl.text.source import Source
from runplan.dsl.units.show import show_dim
from runplan.engine.fit.fitting import LawFit, Part
from runplan.engine.laws.evaluate import accepted
from runplan.engine.laws.steps import written

# The first line of a pack that `plan fit` wrote, and may write again.
MARK = "# Written by `plan fit`; it writes this file anew."
# Figures that ranges are told of, beside the inputs of the formulas.
RANGED = ("params", "tokens", "compute", "tokens_per_param")
DIGITS = 10
WITHIN = "1e-6"
# A label, what is given and what comes of it, in base units.
At = tuple[str, Mapping[str, float], Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class Origin:
    """What a pack says of where it is from.

    Attributes:
        name: Of the law.
        command: The command line that made it.
        corpus: What the losses are of; what is said of the file where nothing is.
        objective: What was trained for; what the runs say, or else the form's own, where nothing is said.
        date: As 2026-01-31.
    """

    name: str
    command: str
    version: str
    date: str
    corpus: str = ""
    tokenizer: str = ""
    objective: str = ""


def pack_text(found: LawFit, origin: Origin, goldens: Sequence[str] = ()) -> str:
    """The pack of a fit, laid out.

    Args:
        goldens: Lines of values to hold it to.
    """
    text = "\n".join(
        [MARK, "", f'law {origin.name} "{_plain(_title(found))}" {{', *_block(found, origin, goldens), "}", ""]
    )
    file, wrong = syntax_of(Source(f"{origin.name}.plan", text))
    assert not wrong, f"{wrong[0]!r} in {text}"
    return laid_out(text, file.statements)


def _title(found: LawFit) -> str:
    form = found.law.title.partition(":")[0] or found.law.name
    return f"the form of {form}, fitted to {len(found.runs)} runs"


def _block(found: LawFit, origin: Origin, goldens: Sequence[str]) -> Iterator[str]:
    law = found.law
    corpus = origin.corpus or f"that of {found.table.path}"
    yield f"  objective {origin.objective or found.runs.objective or ', '.join(law.objectives)}"
    yield f"  counts {found.counts} params"
    yield f'  corpus "{_plain(corpus)}{", tokenizer " + _plain(origin.tokenizer) if origin.tokenizer else ""}"'
    if law.start:
        yield f"  start {law.start}"
    yield from _constants(found)
    yield from _jointly(found)
    own = _functions(found)
    used = frozenset().union(*(words(expanded(f.body, law.lets)) | _lets_in(f, law) for f in own))
    for name, expr in law.lets.items():
        if name in used:
            yield f"  let {name} = {shown(expr)}"
    for function in own:
        yield f"  {_function(function, found)}"
    ranges = list(_ranges(found))
    if ranges:
        yield f"  fitted {', '.join(ranges)}"
    cite = (
        f"{found.table.path}, SHA-256 {found.table.digest}; `{origin.command}`; runplan {origin.version}, {origin.date}"
    )
    yield f'  cites "{_plain(cite)}" evidence derived'
    for note in notes(found):
        yield f'  note "{_plain(note)}"'
    yield from (f"  {golden}" for golden in goldens)


def misfit_name(part: Part, found: LawFit) -> str:
    """The constant of a pack that says how far runs are from the form."""
    return "misfit" if len(found.parts) == 1 else f"misfit_{part.form.output}"


def drift_name(part: Part, found: LawFit) -> str:
    """The constant of a pack that says how much further off the form may be beyond the runs."""
    return "drift" if len(found.parts) == 1 else f"drift_{part.form.output}"


def _constants(found: LawFit) -> Iterator[str]:
    yield "  constants {"
    errors = {name: error for part in found.parts for name, error in part.errors.items()}
    for name, value in found.constants.items():
        dim = found.law.constants[name].dim
        unit = f" {show_dim(dim)}" if dim else ""
        error = errors.get(name, 0.0)
        known = f" +- {error:.3g}" if 0.0 < error < np.inf else ""
        yield f"    {name} = {value:.{DIGITS}g}{unit}{known}"
    yield "    # How far a run is from the form, as a share."
    for part in found.parts:
        yield f"    {misfit_name(part, found)} = 1 +- {part.misfit:.3g}"
    drifting = [part for part in found.parts if part.drift]
    if drifting:
        yield "    # How much further for each e-fold beyond the largest run, by how the larger came out."
    for part in drifting:
        yield f"    {drift_name(part, found)} = 0 +- {part.drift:.3g}"
    yield "  }"


def _jointly(found: LawFit) -> Iterator[str]:
    terms: list[str] = []
    blocks = []
    for part in found.parts:
        own, covariance = part.jointly
        terms += [*own, f"ln({misfit_name(part, found)})"]
        blocks += [covariance, np.array([[part.misfit**2]])]
        if part.drift:
            terms.append(drift_name(part, found))
            blocks.append(np.array([[part.drift**2]]))
    size = sum(map(len, blocks))
    whole, at = np.zeros((size, size)), 0
    for block in blocks:
        whole[at : at + len(block), at : at + len(block)] = (block + block.T) / 2
        at += len(block)
    if not np.all(np.isfinite(whole)):
        return
    yield f"  jointly {', '.join(terms)} {{"
    for row in whole:
        yield "    " + ", ".join(f"{cell:.{DIGITS}g}" for cell in row)
    yield "  }"


def _functions(found: LawFit) -> list[Function]:
    """The formulas that all constants are known of."""
    law, known = found.law, found.constants.keys()
    return [f for f in law.functions if words(expanded(f.body, law.lets)) & law.constants.keys() <= known]


def _lets_in(function: Function, law: Law) -> frozenset[str]:
    """The `let`s that a formula rests on."""
    found, more = frozenset[str](), words(function.body) & law.lets.keys()
    while more:
        found |= more
        more = frozenset().union(*(words(law.lets[name]) & law.lets.keys() for name in more)) - found
    return found


def _function(function: Function, found: LawFit) -> str:
    """A formula, with what says how far runs are from it."""
    head = re.split(r"\)[^=]*=", written(function), maxsplit=1)[0]
    head = written(function)[: written(function).index("=", len(head))].rstrip()
    body = shown(function.body)
    part = next((part for part in found.parts if part.form.function.signature == function.signature), None)
    if part is None:
        return f"{head} = {body}"
    beyond = f" * max(1, {_size(part)})^{drift_name(part, found)}" if part.drift else ""
    return f"{head} = {misfit_name(part, found)} * ({body}){beyond}"


def _size(part: Part) -> str:
    """How large a run is, over the largest that the form was held to."""
    own = {p.quantity: p for p in part.form.function.parameters}
    taken = [own[name] for name in part.size_in]
    largest = float(np.max(np.prod([part.model.inputs[p.quantity] for p in taken], axis=0)))
    unit = "*".join(show_dim(p.counted.local) for p in taken if p.counted.local)
    return f"{' * '.join(p.local for p in taken)} / ({largest:.6g} {unit})"


def _ranges(found: LawFit) -> Iterator[str]:
    columns = {quantity: column for part in found.parts for quantity, column in part.columns.items()}
    size = columns.get("params") or columns.get("active_params")
    outputs = {part.form.output for part in found.parts} - set(RANGED)
    names = [name for name in dict.fromkeys((*RANGED, *columns)) if name not in outputs]
    for name in names:
        values = found.runs.columns.get(size if name == "params" and size else columns.get(name, name))
        if values is None or not np.all(np.isfinite(values.values)):
            continue
        unit = show_dim(values.dim) if values.dim else ""
        low, high = float(np.min(values.values)), float(np.max(values.values))
        yield f"{name} in {low:.6g} {unit} .. {high:.6g} {unit}"


def notes(found: LawFit) -> Iterator[str]:
    """What a reader of the pack is to know of the fit, a sentence each."""
    for part in found.parts:
        fit_, best = part.fitted, part.fitted.minima[0]
        of = f"`{part.form.output}`: " if len(found.parts) > 1 else ""
        minima = "one minimum" if len(fit_.minima) == 1 else f"the best of {len(fit_.minima)} minima,"
        yield f"{of}{objective_said(part)}: {best.value:.12g}; {minima} from {fit_.starts} starts."
        if fit_.future_error is not None:
            yield f"{of}The largest runs, predicted from the smaller ones, are off by {100 * fit_.future_error:.2g} %."
        if fit_.lack_of_fit is not None and fit_.noise is not None:
            ratio, p = fit_.lack_of_fit
            left = f"what the form leaves is {ratio:.3g} times that (p = {p:.2g})"
            yield f"{of}Runs that repeat differ by {100 * fit_.noise:.2g} %; {left}."
        lost = [c.constant for c, known in zip(part.model.coordinates, fit_.known, strict=True) if not known.identified]
        if lost:
            yield f"{of}The runs do not tell {', '.join(lost)}."


def objective_said(part: Part) -> str:
    """What was made small, in words."""
    objective = part.fitted.objective
    of = "the logarithm of " if part.model.log else ""
    kind = {
        "huber": f"Huber loss, delta {objective.delta:g}, of residuals of {of}`{part.form.output}`, summed",
        "squares": f"squares of residuals of {of}`{part.form.output}`, summed",
        "absolute": f"residuals of {of}`{part.form.output}` by their size, summed",
    }
    return kind[objective.kind]


def _plain(text: str) -> str:
    """A text as it may stand between quotation marks."""
    return re.sub(r"\s+", " ", text.replace('"', "'").replace("\\", "/"))


def goldens_of(law: Law, library: Library, values: Sequence[At]) -> list[str]:
    """Lines of values that a law gives, to hold it to."""
    counted = accepted(law, library)
    quantities = library.quantities()
    outputs = {f.output: f.counted for f in law.functions}

    def said(name: str, value: float) -> str:
        unit = counted.get(name) or (quantities[name].counted if name in quantities else outputs[name])
        return f"{name} = {value / unit.factor:.{DIGITS}g}"

    return [
        f'golden "{law.name}.{label}" at {", ".join(said(*item) for item in given.items())} '
        f"gives {', '.join(said(*item) for item in gives.items())} within {WITHIN}"
        for label, given, gives in values
    ]
