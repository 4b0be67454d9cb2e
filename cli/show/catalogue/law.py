"""Laws as text: the list, the page of one, and what one gives at some inputs."""

from __future__ import annotations

from collections.abc import Iterator

from runplan.cli.show.catalogue.pages import NO_RANGE
from runplan.cli.show.catalogue.subjects import LawAt, LawPage, dim_of
from runplan.cli.show.text.figures import apart, from_to
from runplan.cli.show.text.look import PLAIN, Look
from runplan.cli.show.text.page import columns, paragraph, section
from runplan.dsl.packs.library import Library
from runplan.dsl.packs.pack import Cite, Law
from runplan.dsl.text.words import enumerated
from runplan.dsl.types import TYPE_CHECKING
from runplan.dsl.units.dims import NONE
from runplan.dsl.units.show import show, show_dim
from runplan.engine.laws.evaluate import Evaluation, Output, inputs_of
from runplan.engine.laws.form import free_in, functions_for
from runplan.engine.laws.steps import written

if TYPE_CHECKING:
    from runplan.engine.laws.uncertain import Sure  # only where a law is evaluated is anything drawn

# Of a law that has no golden value.
NO_NUMBER = "none: a form gives no number until a law that extends it sets its free constants"
# What a reader should know of a citation, by its evidence; what is not read in the source itself is flagged.
EVIDENCE = {
    "paper": "read in the paper",
    "authors_code": "from the authors' code or data",
    "secondary": "! secondary: from notes of others, not read in the paper itself",
    "derived": "derived",
    "memory": "! from memory, not checked",
    "seed": "! from a document that quotes it, not read in the paper itself",
}


def listed(catalogue: Library, look: Look = PLAIN) -> str:
    """A line a law."""
    return columns([(law.name, law.title + "".join(f" (alias {a})" for a in law.aliases)) for law in catalogue.laws()])


def page(shown: LawPage, look: Look = PLAIN) -> str:
    """All that is known of a law."""
    law, catalogue = shown.law, shown.catalogue
    head = paragraph(f"{law.name}{''.join(f' (alias {alias})' for alias in law.aliases)}") + paragraph(law.title)
    facts = [("objective", ", ".join(law.objectives)), ("counts", f"{law.counts or 'total'} params")]
    facts += [("of runs from", "a checkpoint")] if law.from_weights else []
    facts += [("loss on", law.corpus)] if law.corpus else []
    facts += [("extends", law.parent)] if law.parent else []
    facts += [("set aside", law.aside)] if law.aside else []
    formulas = "".join(paragraph(written(f), "  ") for f in law.functions)
    formulas += "".join(
        paragraph(f"table {t.output}({t.parameter.quantity}), {len(t.rows)} rows, read on log-log axes", "  ")
        for t in law.tables
    )
    units = [(name, f"in {show_dim(counted.dim)}") for name, counted in inputs_of(law, catalogue).items()]
    fitted = [(name, _span_shown(law, name, catalogue)) for name in law.fitted]
    gives = {f.output: f.counted.dim for f in law.functions} | {t.output: t.counted.dim for t in law.tables}
    return "".join(
        (
            head,
            "\n",
            columns(facts),
            section("formulas", formulas),
            section("takes", columns(units, "  ") if units else ""),
            section("gives", columns([(name, f"in {show_dim(dim)}") for name, dim in gives.items()], "  ")),
            section("constants", _constants(law)),
            section("fitted on", columns(fitted, "  ") if fitted else paragraph(NO_RANGE, "  ")),
            section("drifts", "".join(paragraph(line, "  ") for line in _drift_lines(law))),
            section("cites", "".join(paragraph(line, "  ") for cite in law.cites for line in _cite_lines(cite))),
            section("notes", "".join(paragraph(note, "  - ") for note in law.notes)),
            section("golden values", "".join(_golden_lines(law)) or paragraph(NO_NUMBER, "  ")),
        )
    )


def _constants(law: Law) -> str:
    rows = []
    for constant in law.constants.values():
        value = "free" if constant.value is None else f"{constant.value:.10g}"
        error = "" if constant.error is None else f"± {constant.error:.6g}"
        rows.append((constant.name, value, error, show_dim(law.dims.get(constant.name, NONE))))
    return columns(rows, "  ") if rows else ""


def _drift_lines(law: Law) -> Iterator[str]:
    """How far forecasts of the form were off on published runs, and which these were."""
    for output, drifts in law.drifts.items():
        yield f"{output}: forecasts were off by {drifts.share:g} of what a larger run gains, on {drifts.cite.text}"


def _span_shown(law: Law, name: str, catalogue: Library) -> str:
    low, high = law.fitted[name]
    dim = dim_of(law, name, catalogue)
    return f"{show(low, dim)} .. {show(high, dim)}"


def _cite_lines(cite: Cite) -> list[str]:
    return [cite.text, *([EVIDENCE[cite.evidence]] if cite.evidence in EVIDENCE else [])]


def _golden_lines(law: Law) -> list[str]:
    lines = []
    for golden in law.goldens:
        text = golden.span.said.partition(f'"{golden.id}"')[2].strip()
        lines.append(paragraph(golden.id, "  ") + paragraph(text, "    "))
    return lines


def evaluated(shown: LawAt, look: Look = PLAIN) -> str:
    """What a law gives at its inputs, or why it gives nothing."""
    found, catalogue = shown.found, shown.catalogue
    law = found.law
    total = "; `params` are all of them" if "params_non_embedding" in {*found.given, *found.outputs} else ""
    head = paragraph(f"{law.name} for {found.objective}, counting {law.counts or 'total'} params{total}")
    given = [(n, show(v, dim_of(law, n, catalogue), 6), "") for n, v in found.given.items()]
    told = [(o.name, show(o.value, o.dim, 6), _ends(shown, o), o.formula) for o in found.outputs.values()]
    rows = told if shown.sure.ends else [(name, value, formula) for name, value, _, formula in told]
    beyond = paragraph(f"beyond the range of the fit: {', '.join(found.beyond)}") if found.beyond else ""
    outputs = columns(rows, "  ") if rows else _nothing(found)
    unused = paragraph(f"without a part in this: {', '.join(found.unused)}") if found.unused and rows else ""
    notes = "".join(f"\n{note}" for note in (*_sure(shown.sure), beyond, unused) if note)
    return head + section("given", columns(given, "  ")) + section("gives", outputs) + notes


def _sure(sure: Sure) -> Iterator[str]:
    """What intervals are by, and what has none since not every draw of the constants gives it."""
    if sure.ends:
        yield paragraph(f"In brackets: 80 % intervals by {sure.draws} draws of the law's constants.")
    if sure.without:
        names = enumerated([f"`{name}`" for name in sure.without])
        most = max(sure.without.values())
        yield paragraph(
            f"Without an interval: {names}. {most} of {sure.draws} draws of the law's constants, "
            f"{100 * most / sure.draws:.2g} %, give none."
        )


def _ends(shown: LawAt, output: Output) -> str:
    """The ends of an output's interval, in brackets; empty where it has none."""
    if output.name not in shown.sure.ends:
        return ""
    low, high = (show(end, output.dim, 4) for end in shown.sure.ends[output.name])
    unit = apart(show(output.value, output.dim))[1]
    return f"({from_to(low, high).removesuffix(f' {unit}')})"


def _nothing(found: Evaluation) -> str:
    """What each formula still needs, or that it has no value at what it was given."""
    lines = ["nothing: the law needs other inputs, or has no value there"]
    for function in functions_for(found.law, found.objective):
        lacking = [f"`{name}`" for name in function.needs if name not in found.given]
        free = [f"`{name}`" for name in free_in(found.law, function)]
        if free:
            lines.append(
                f"`{function.output}` rests on {enumerated(free)}, left free: set in a law that extends this one"
            )
            continue
        lines.append(f"`{function.output}` {f'needs {enumerated(lacking)}' if lacking else 'has no value there'}")
    return "".join(paragraph(line, "  ") for line in dict.fromkeys(lines))
