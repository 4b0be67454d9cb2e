"""`plan law`: the laws as a list, the page of one, or what it gives at some inputs."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from runplan.cli.arguments import add_output, library_here, unknown, verb, wanted
from runplan.cli.outcome import CLEAN, CannotRun
from runplan.cli.output import write
from runplan.cli.show.json_text import document_text
from runplan.cli.show.page import columns, paragraph, section
from runplan.dsl.expr.dimensions import DimensionClash, Dimensions
from runplan.dsl.expr.text import shown
from runplan.dsl.expr.tree import Num
from runplan.dsl.expr.values import compiled
from runplan.dsl.packs.library import Library
from runplan.dsl.packs.pack import Cite, Law
from runplan.dsl.syntax.grammar import parse
from runplan.dsl.text.nearest import did_you_mean
from runplan.dsl.text.source import Source, View
from runplan.dsl.text.words import enumerated
from runplan.dsl.typed.build import Builder
from runplan.dsl.units.dims import NONE, Dim
from runplan.dsl.units.show import json_unit, show, show_dim
from runplan.engine.laws.evaluate import Evaluation, Refused, accepted, evaluate, in_base, inputs_of
from runplan.engine.laws.form import functions_for
from runplan.engine.laws.steps import outputs_of, written

FORMATS = ("table", "json")
# What a reader should know of a citation, by its evidence; what is not read in the source itself is flagged.
EVIDENCE = {
    "paper": "read in the paper",
    "authors_code": "from the authors' code or data",
    "secondary": "! from notes of others, not read in the paper itself",
    "derived": "derived",
    "memory": "! from memory, not checked",
    "seed": "! from a document that quotes it, not read in the paper itself",
}


@verb("law")
def run(argv: list[str]) -> int:
    """List the laws, show one, or evaluate it; exit 2 for a name or a value that cannot be used."""
    parser = argparse.ArgumentParser(
        prog="plan law",
        description="The laws: a list, the page of one, or what it gives with --at.",
        epilog="example: plan law chinchilla --at params=70B tokens=1.4T -o json",
    )
    parser.add_argument("name", metavar="NAME", nargs="?", help="a law, such as chinchilla or kaplan.joint")
    parser.add_argument(
        "--at",
        metavar="INPUT=VALUE",
        nargs="+",
        help="inputs with or without units, such as compute=1e22; objective=MLM where a law has several",
    )
    add_output(parser, FORMATS)
    args = parser.parse_args(argv)
    [(form, file)] = wanted(args, FORMATS)
    if args.at and not args.name:
        raise CannotRun("--at needs the name of a law: plan law NAME --at params=7B")
    catalogue = library_here()
    if args.name is None:
        laws = catalogue.laws()
        text = document_text(_list_json(laws, catalogue)) if form == "json" else _list(laws)
    else:
        law = catalogue.law(args.name)
        if law is None:
            known = [name for one in catalogue.laws() for name in (one.name, *one.aliases)]
            raise unknown("law", args.name, known)
        if args.at:
            if catalogue.faults(law, catalogue.findings):
                raise CannotRun(f"`{law.name}` gives no numbers until what is wrong with it is mended")
            try:
                evaluation = evaluated(law, args.at, catalogue)
            except Refused as refused:
                raise CannotRun(str(refused)) from refused
            text = document_text(_at_json(evaluation, catalogue)) if form == "json" else _at(evaluation, catalogue)
        else:
            text = document_text(_page_json(law, catalogue)) if form == "json" else _page(law, catalogue)
    write(text, file)
    return CLEAN


# ---- inputs


def evaluated(law: Law, words: Sequence[str], catalogue: Library) -> Evaluation:
    """A law at inputs as the command line gives them: `params=70B`, `objective=MLM`.

    Raises:
        Refused: For what cannot be read, and for what the law refuses.
    """
    taken = accepted(law, catalogue)
    given: dict[str, float] = {}
    objective: str | None = None
    for word in _joined(words):
        name, equals, text = (part.strip() for part in word.partition("="))
        if not (name and equals and text):
            raise Refused(f"`{word[:60]}` is no input: write NAME=VALUE, such as params=70B")
        if name in given or (name == "objective" and objective is not None):
            raise Refused(f"`{name}` is given twice")
        if name == "params_non_embedding" and law.counts == "non_embedding" and name not in taken:
            name = "params"  # which are these, of such a law
        if name == "objective":
            objective = text
        elif name in taken:
            given[name] = in_base(name, _figure(name, text), taken[name])
        else:
            names = ", ".join(f"`{known}`" for known in inputs_of(law, catalogue))
            (help,) = did_you_mean(name, taken) or [f"it takes {names or 'nothing'}"]
            raise Refused(f"`{law.name}` does not take `{name[:60]}`; {help}")
    return evaluate(law, given, objective, catalogue=catalogue)


def _joined(words: Sequence[str]) -> list[str]:
    """The inputs, with what a shell has split off them put back: `compute=10 PF-day`."""
    out: list[str] = []
    for word in words:
        if "=" in word or not out:
            out.append(word)
        else:
            out[-1] += f" {word}"
    return out


def _figure(name: str, text: str) -> Num:
    node, findings = parse(View(text, Source("--at", text)), "goal")
    builder = Builder()
    expr = builder.expr(node) if node is not None and not findings else None
    wrong = [*findings, *builder.findings]
    if expr is None or wrong:
        help = f" ({wrong[0].help[0]})" if wrong[0].help else ""
        raise Refused(f"`{name}={text[:60]}`: {wrong[0].message}{help}")
    try:
        return Num(float(compiled(expr)({})), Dimensions({}).of(expr))
    except DimensionClash as clash:
        raise Refused(f"`{name}={text[:60]}`: {clash.message}") from clash
    except (KeyError, ArithmeticError, ValueError) as error:
        raise Refused(f"`{name}={text[:60]}`: `{shown(expr)[:60]}` is not a fixed number") from error


# ---- the list


def _cites(law: Law) -> str:
    return "; ".join(cite.text for cite in law.cites)


def _list(laws: Sequence[Law]) -> str:
    return columns([(law.name, law.title + "".join(f" (alias {a})" for a in law.aliases)) for law in laws])


def _list_json(laws: Sequence[Law], catalogue: Library) -> dict[str, object]:
    return {
        "schema": "plan.laws/v1",
        "laws": [
            {
                "name": law.name,
                "title": law.title,
                "aliases": list(law.aliases),
                "cites": _cites(law),
                "evidence": law.cites[0].evidence if law.cites else "",
                "gives": list(outputs_of(law)),
                "needs": _needs(law),
                "range": _range_json(law, catalogue),
                "counts": law.counts,
                "objectives": list(law.objectives),
            }
            for law in laws
        ],
    }


def _needs(law: Law) -> list[str]:
    inputs = [*(name for f in law.functions for name in f.needs), *(t.parameter.quantity for t in law.tables)]
    return list(dict.fromkeys(inputs))


# ---- a page


def _page(law: Law, catalogue: Library) -> str:
    head = paragraph(f"{law.name}{''.join(f' (alias {alias})' for alias in law.aliases)}") + paragraph(law.title)
    facts = [("objective", ", ".join(law.objectives)), ("counts", f"{law.counts or 'total'} params")]
    facts += [("loss on", law.corpus)] if law.corpus else []
    facts += [("extends", law.parent)] if law.parent else []
    formulas = "".join(paragraph(written(f), "  ") for f in law.functions)
    formulas += "".join(
        paragraph(f"table {t.output}({t.parameter.quantity}), {len(t.rows)} rows, read on log-log axes", "  ")
        for t in law.tables
    )
    units = [(name, f"in {show_dim(counted.dim)}") for name, counted in inputs_of(law, catalogue).items()]
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
            section("fitted on", columns([(name, _span_shown(law, name, catalogue)) for name in law.fitted], "  ")),
            section("cites", "".join(paragraph(line, "  ") for cite in law.cites for line in _cite_lines(cite))),
            section("notes", "".join(paragraph(note, "  - ") for note in law.notes)),
            section("golden values", "".join(_golden_lines(law))),
        )
    )


def _constants(law: Law) -> str:
    rows = []
    for constant in law.constants.values():
        value = "free" if constant.value is None else f"{constant.value:.10g}"
        error = "" if constant.error is None else f"± {constant.error:.6g}"
        rows.append((constant.name, value, error, show_dim(law.dims.get(constant.name, NONE))))
    return columns(rows, "  ") if rows else ""


def _dim_of(law: Law, name: str, catalogue: Library) -> Dim:
    """The dimension of a quantity that a law takes or gives."""
    quantities = catalogue.quantities()
    if name in quantities:
        return quantities[name].counted.dim
    taken = accepted(law, catalogue)
    if name in taken:
        return taken[name].dim
    return next((f.counted.dim for f in law.functions if f.output == name), NONE)


def _span_shown(law: Law, name: str, catalogue: Library) -> str:
    low, high = law.fitted[name]
    dim = _dim_of(law, name, catalogue)
    return f"{show(low, dim)} .. {show(high, dim)}"


def _cite_lines(cite: Cite) -> list[str]:
    return [cite.text, *([EVIDENCE[cite.evidence]] if cite.evidence in EVIDENCE else [])]


def _golden_lines(law: Law) -> list[str]:
    lines = []
    for golden in law.goldens:
        text = " ".join(golden.span.text.split()).partition(f'"{golden.id}"')[2].strip()
        lines.append(paragraph(golden.id, "  ") + paragraph(text, "    "))
    return lines


def _range_json(law: Law, catalogue: Library) -> dict[str, object]:
    out: dict[str, object] = {}
    for name, (low, high) in law.fitted.items():
        unit, factor = json_unit(_dim_of(law, name, catalogue))
        out[name] = {"low": low / factor, "high": high / factor, "unit": unit}
    return out


def _page_json(law: Law, catalogue: Library) -> dict[str, object]:
    constants = []
    for c in law.constants.values():
        unit, factor = json_unit(law.dims.get(c.name, NONE))
        constant: dict[str, object] = {"name": c.name, "unit": unit}
        constant |= {"free": True} if c.value is None else {"value": c.value / factor}
        constant |= {} if c.error is None else {"error": c.error / factor}
        constants.append(constant)
    return {
        "schema": "plan.law/v1",
        "law": law.name,
        "title": law.title,
        "aliases": list(law.aliases),
        "extends": law.parent,
        "objectives": list(law.objectives),
        "counts": law.counts,
        "corpus": law.corpus,
        "formulas": [
            {
                "gives": f.output,
                "unit": json_unit(f.counted.dim)[0],
                "objective": f.objective,
                "needs": list(f.needs),
                "optional": {p.quantity: p.default for p in f.parameters if p.default is not None},
                "text": written(f),
            }
            for f in law.functions
        ],
        "tables": [
            {"gives": t.output, "needs": [t.parameter.quantity], "rows": [list(row) for row in t.rows]}
            for t in law.tables
        ],
        "takes": {name: json_unit(counted.dim)[0] for name, counted in inputs_of(law, catalogue).items()},
        "constants": constants,
        "range": _range_json(law, catalogue),
        "cites": [{"text": cite.text, "evidence": cite.evidence} for cite in law.cites],
        "notes": list(law.notes),
        "goldens": [
            {"id": golden.id, "expected": {shown(e): n.value for e, n in golden.gives}, "rtol": golden.rtol}
            for golden in law.goldens
        ],
    }


# ---- a law at some inputs


def _at(found: Evaluation, catalogue: Library) -> str:
    law = found.law
    head = paragraph(f"{law.name} for {found.objective}, counting {law.counts or 'total'} params")
    given = [(n, show(v, _dim_of(law, n, catalogue), 6), "") for n, v in found.given.items()]
    rows = [(o.name, show(o.value, o.dim, 6), o.formula) for o in found.outputs.values()]
    beyond = paragraph(f"beyond the range of the fit: {', '.join(found.beyond)}") if found.beyond else ""
    outputs = columns(rows, "  ") if rows else _nothing(found)
    unused = paragraph(f"without a part in this: {', '.join(found.unused)}") if found.unused and rows else ""
    notes = "".join(f"\n{note}" for note in (beyond, unused) if note)
    return head + section("given", columns(given, "  ")) + section("gives", outputs) + notes


def _nothing(found: Evaluation) -> str:
    """What each formula still needs, or that it has no value at what it was given."""
    lines = ["nothing: the law needs other inputs, or has no value there"]
    for function in functions_for(found.law, found.objective):
        lacking = [f"`{name}`" for name in function.needs if name not in found.given]
        lines.append(f"`{function.output}` {f'needs {enumerated(lacking)}' if lacking else 'has no value there'}")
    return "".join(paragraph(line, "  ") for line in dict.fromkeys(lines))


def _at_json(found: Evaluation, catalogue: Library) -> dict[str, object]:
    given = {n: _valued(v, _dim_of(found.law, n, catalogue)) for n, v in found.given.items()}
    outputs = {
        o.name: _valued(o.value, o.dim) | {"formula": o.formula, "inputs": list(o.inputs)}
        for o in found.outputs.values()
    }
    return {
        "schema": "plan.law/v1",
        "law": found.law.name,
        "objective": found.objective,
        "counts": found.law.counts,
        "given": given,
        "outputs": outputs,
        "beyond": list(found.beyond),
        "unused": list(found.unused),
    }


def _valued(value: float, dim: Dim) -> dict[str, object]:
    unit, factor = json_unit(dim)
    return {"value": value / factor, "unit": unit}
