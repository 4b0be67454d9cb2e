"""The golden values of a law to verdicts: what it gives, held against what its pack says that it must."""

from __future__ import annotations

import math
from collections.abc import Mapping

from runplan.dsl.dataclass import dataclass
from runplan.dsl.expr.text import shown
from runplan.dsl.expr.values import compiled
from runplan.dsl.packs.law_check import expanded
from runplan.dsl.packs.library import Library
from runplan.dsl.packs.pack import Golden, Law
from runplan.dsl.packs.quantity import Counted
from runplan.dsl.types import Literal
from runplan.dsl.units.dims import NONE
from runplan.engine.laws.evaluate import accepted, evaluate, in_base
from runplan.engine.laws.form import Refused
from runplan.engine.laws.steps import constants_of


@dataclass(frozen=True, slots=True)
class GoldenResult:
    """A golden value and what came of it.

    Attributes:
        expected: What each expression should be, in base units.
        got: What it is; without those that the law does not give.
        note: Why there is no value, where there is none.
    """

    id: str
    law: str
    expected: Mapping[str, float]
    got: Mapping[str, float]
    rtol: float
    verdict: Literal["pass", "fail"]
    note: str = ""


def check_goldens(law: Law, catalogue: Library) -> list[GoldenResult]:
    """Each golden value that a law declares, held against what it gives."""
    return [_checked(law, golden, catalogue) for golden in law.goldens]


def _checked(law: Law, golden: Golden, catalogue: Library) -> GoldenResult:
    quantities = catalogue.quantities()
    units = {f.output: f.counted for f in law.functions} | {t.output: t.counted for t in law.tables}
    units |= {name: q.counted for name, q in quantities.items()}
    expected: dict[str, float] = {}
    got: dict[str, float] = {}
    note = ""
    try:
        taken = accepted(law, catalogue)
        for expr, number in golden.gives:
            one = Counted(1.0, number.dim, "")
            expected[shown(expr)] = in_base(shown(expr), number, units.get(shown(expr), one))
        plain = Counted(1.0, NONE, "1")
        given = {name: in_base(name, number, taken.get(name, plain)) for name, number in golden.given}
        found = evaluate(law, given, golden.objective or None, catalogue=catalogue)
        env = constants_of(law) | given | {name: output.value for name, output in found.outputs.items()}
        for expr, _ in golden.gives:
            try:
                got[shown(expr)] = float(compiled(expanded(expr, law.lets))(env))
            except KeyError as missing:
                note = f"the law does not give `{missing.args[0]}` there"
            except (ArithmeticError, ValueError):
                note = f"`{shown(expr)}` has no value there"
    except Refused as refused:
        note = str(refused)
    right = all(name in got and math.isclose(got[name], value, rel_tol=golden.rtol) for name, value in expected.items())
    verdict: Literal["pass", "fail"] = "pass" if right and expected and not note else "fail"
    return GoldenResult(golden.id, law.name, expected, got, golden.rtol, verdict, note)
