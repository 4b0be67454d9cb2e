"""Laws as JSON text: the list, the page of one, and what one gives at some inputs."""

from __future__ import annotations

from runplan.cli.show.catalogue.subjects import LawAt, LawPage, dim_of
from runplan.cli.show.text.json_text import document_text
from runplan.cli.show.text.look import PLAIN, Look
from runplan.dsl.expr.text import shown as written_expr
from runplan.dsl.packs.library import Library
from runplan.dsl.packs.pack import Law
from runplan.dsl.units.dims import NONE, Dim
from runplan.dsl.units.show import json_unit
from runplan.engine.laws.evaluate import Output, inputs_of
from runplan.engine.laws.steps import outputs_of, written


def listed(catalogue: Library, look: Look = PLAIN) -> str:
    """Every law, `plan.laws/v1`."""
    document = {
        "schema": "plan.laws/v1",
        "laws": [
            {
                "name": law.name,
                "title": law.title,
                "aliases": list(law.aliases),
                "cites": "; ".join(cite.text for cite in law.cites),
                "evidence": law.cites[0].evidence if law.cites else "",
                "gives": list(outputs_of(law)),
                "needs": _needs(law),
                "range": _range_json(law, catalogue),
                "counts": law.counts,
                "objectives": list(law.objectives),
            }
            for law in catalogue.laws()
        ],
    }
    return document_text(document)


def _needs(law: Law) -> list[str]:
    inputs = [*(name for f in law.functions for name in f.needs), *(t.parameter.quantity for t in law.tables)]
    return list(dict.fromkeys(inputs))


def page(shown: LawPage, look: Look = PLAIN) -> str:
    """All that is known of a law, `plan.law/v1`."""
    law, catalogue = shown.law, shown.catalogue
    document = {
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
        "constants": _constants(law),
        "range": _range_json(law, catalogue),
        "drifts": {
            output: {"share": drifts.share, "text": drifts.cite.text, "evidence": drifts.cite.evidence}
            for output, drifts in law.drifts.items()
        },
        "cites": [{"text": cite.text, "evidence": cite.evidence} for cite in law.cites],
        "notes": list(law.notes),
        "start": law.start or "scratch",
        "aside": law.aside,
        "goldens": [
            {"id": golden.id, "expected": {written_expr(e): n.value for e, n in golden.gives}, "rtol": golden.rtol}
            for golden in law.goldens
        ],
    }
    return document_text(document)


def _constants(law: Law) -> list[dict[str, object]]:
    constants = []
    for c in law.constants.values():
        unit, factor = json_unit(law.dims.get(c.name, NONE))
        constant: dict[str, object] = {"name": c.name, "unit": unit}
        constant |= {"free": True} if c.value is None else {"value": c.value / factor}
        constant |= {} if c.error is None else {"error": c.error / factor}
        constants.append(constant)
    return constants


def _range_json(law: Law, catalogue: Library) -> dict[str, object]:
    out: dict[str, object] = {}
    for name, (low, high) in law.fitted.items():
        unit, factor = json_unit(dim_of(law, name, catalogue))
        out[name] = {"low": low / factor, "high": high / factor, "unit": unit}
    return out


def evaluated(shown: LawAt, look: Look = PLAIN) -> str:
    """What a law gives at its inputs, `plan.law/v1`."""
    found, catalogue = shown.found, shown.catalogue
    given = {n: _valued(v, dim_of(found.law, n, catalogue)) for n, v in found.given.items()}
    outputs = {
        o.name: _valued(o.value, o.dim) | _ends(shown, o) | {"formula": o.formula, "inputs": list(o.inputs)}
        for o in found.outputs.values()
    }
    document = {
        "schema": "plan.law/v1",
        "law": found.law.name,
        "objective": found.objective,
        "counts": found.law.counts,
        "given": given,
        "outputs": outputs,
        "beyond": list(found.beyond),
        "unused": list(found.unused),
    }
    return document_text(document)


def _ends(shown: LawAt, output: Output) -> dict[str, object]:
    """The ends of an output's interval; or the share of draws that give it, where some give none."""
    if output.name in shown.sure.without:
        return {"drawn": 1 - shown.sure.without[output.name] / shown.sure.draws}
    if output.name not in shown.sure.ends:
        return {}
    low, high = (_valued(end, output.dim)["value"] for end in shown.sure.ends[output.name])
    return {"low": low, "high": high}


def _valued(value: float, dim: Dim) -> dict[str, object]:
    unit, factor = json_unit(dim)
    return {"value": value / factor, "unit": unit}
