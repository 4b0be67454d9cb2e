"""A plan at the optimum of one law to what laws of other corpora would choose: the optimum goes with the data."""

from __future__ import annotations

from collections.abc import Iterator

from runplan.dsl.dataclass import dataclass
from runplan.dsl.packs.library import Library
from runplan.dsl.packs.pack import Law
from runplan.dsl.units.base import FLOP
from runplan.dsl.units.show import show
from runplan.engine.laws.evaluate import inputs_of
from runplan.engine.laws.form import Refused, functions_for, without_variants
from runplan.engine.laws.steps import outputs_of
from runplan.engine.laws.totals import in_totals
from runplan.engine.problem import quantities as q
from runplan.engine.problem.solution import Note, Solution

# A plan so near to the optimum of its law rests on it.
NEAR = 0.005
# How many times beyond its runs a law is asked, in size and in tokens; in compute the square of that.
FAR = 30.0
# What a law may call the size and the tokens of its optimum. A token costs 6 FLOP a param.
SIZES = ("params", "active_params", "flops_per_token")
TOKENS = ("tokens", "optimal_tokens")
EACH = {"flops_per_token": 6.0}
# A dense model is a mixture of one expert.
DENSE = {"experts": 1.0}


@dataclass(frozen=True, slots=True)
class Choice:
    """What a law would choose at a compute: tokens a param."""

    law: str
    ratio: float


def corpora_of(solution: Solution, catalogue: Library) -> Note | None:
    """What other laws would choose at the compute of a plan that rests on the optimum of its own; None for others."""
    off, compute = solution.get(q.TOKENS_TO_LAW.text), solution.get(q.COMPUTE.text)
    own = solution.get(q.LAW_TOKENS_PER_PARAM.text)
    if off is None or own is None or compute is None or solution.status != "solved":
        return None
    active = solution.get(q.ACTIVE_PARAMS.text)
    if abs(off - 1.0) > NEAR or (active is not None and active != solution.get(q.PARAMS.text)):
        return None
    choices = sorted(_choices(solution, compute, catalogue), key=lambda choice: choice.ratio)
    if len(choices) < 2:
        return None
    least, most = choices[0], choices[-1]
    text = (
        f"At {show(compute, FLOP)} it is {own:.3g} tokens a param. {len(choices)} laws fitted on other corpora choose "
        f"{least.ratio:.2g} (`{least.law}`) to {most.ratio:.3g} (`{most.law}`): the optimum goes with the data"
    )
    return Note(text, solution.resolved)


def _choices(solution: Solution, compute: float, catalogue: Library) -> Iterator[Choice]:
    """The optima of the laws that name another corpus, of each family the plain law, as far as their runs reach."""
    own, objective = solution.problem.law, str(solution.problem.objective)
    known = [law for law in catalogue.laws() if objective in law.objectives and not law.aside]
    for law in without_variants([law for law in known if _has_optimum(law, objective)]):
        other = law.corpus not in ("", own.corpus)
        ratio = _ratio(law, compute, objective, catalogue) if other else None
        if ratio is not None:
            yield Choice(law.name, ratio)


def _has_optimum(law: Law, objective: str) -> bool:
    """Whether a law says of a budget how it is spent: by a line, or by a loss over size and tokens."""
    for function in functions_for(law, objective):
        needs = set(function.needs)
        # What else the loss needs the law must tell itself.
        surface = needs & set(SIZES) and q.TOKENS.text in needs <= {q.TOKENS.text, *SIZES, *outputs_of(law)}
        line = needs == {q.COMPUTE.text} and function.output in (*SIZES, *TOKENS)
        if line or (function.output == q.LOSS.text and surface):
            return True
    return False


def _ratio(law: Law, compute: float, objective: str, catalogue: Library) -> float | None:
    """Tokens a param of a law's optimum; None where it has none, or none near its runs."""
    given = {name: value for name, value in DENSE.items() if name in inputs_of(law, catalogue)}
    if law.counts == "active" and not given:
        return None  # of mixtures alone
    try:
        found = in_totals(law, {q.COMPUTE.text: compute, **given}, objective, catalogue=catalogue)
    except Refused:
        return None
    values = {**found.given, **{name: output.value for name, output in found.outputs.items()}}
    sizes = [values[name] / EACH.get(name, 1.0) for name in SIZES if name in values]
    tokens = [values[name] for name in TOKENS if name in values]
    for name in found.beyond:
        far = FAR**2 if name == q.COMPUTE.text else FAR
        low, high = law.fitted.get(name) or law.fitted[q.PARAMS.text]
        if not low / far <= values[name] <= high * far:
            return None
    return tokens[0] / sizes[0] if sizes and tokens else None
