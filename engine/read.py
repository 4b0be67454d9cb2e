"""A plan as it is read to what it is to be solved under: a problem for each of its laws."""

from __future__ import annotations

from collections.abc import Iterator

from runplan.dsl.dataclass import dataclass, replace
from runplan.dsl.packs.library import Library
from runplan.dsl.packs.pack import Law
from runplan.dsl.plan.ir import Plan
from runplan.dsl.text.errors import UnknownLaw
from runplan.dsl.text.finding import Finding
from runplan.dsl.text.nearest import did_you_mean
from runplan.dsl.text.source import Source
from runplan.engine.formulate.alone import objective_of
from runplan.engine.formulate.formulate import formulate
from runplan.engine.formulate.law import usual_law
from runplan.engine.formulate.regret import is_least_regret, least_worst
from runplan.engine.formulate.size import has_size_and_tokens
from runplan.engine.laws.form import is_of_settings
from runplan.engine.problem import quantities as q
from runplan.engine.problem.problem import Problem


@dataclass(frozen=True, slots=True)
class Case:
    """What a plan is solved under: a law, as it is named, and the laws of settings beside it."""

    named: str
    law: Law
    lenders: tuple[Law, ...] = ()


@dataclass(frozen=True, slots=True)
class Read:
    """A plan as it is read, before anything of it is solved.

    Attributes:
        plan: None where it cannot be solved; the findings say why.
        catalogue: What is known, with what the plan itself defines.
        cases: What it is to be solved under, in order.
    """

    source: Source
    plan: Plan | None
    catalogue: Library
    findings: tuple[Finding, ...]
    cases: tuple[Case, ...] = ()

    def error(self, of: str = "") -> str:
        """The first of what keeps a plan from being read, in a line.

        Args:
            of: What was asked for in it, by which it is read in another way than it stands.
        """
        found = next(f for f in self.findings if f.severity == "error")
        help = f"; {found.help[0]}" if found.help else ""
        return f"{f'`{of}`: ' if of else ''}{found.message}{help}"

    def problems(self) -> Iterator[Problem]:
        """The problem of the plan under each law."""
        if self.plan is None:
            return
        each = (formulate(self.plan, case.law, case.named, self.catalogue, case.lenders) for case in self.cases)
        wanted = any(is_least_regret(goal, self.plan) for goal in self.plan.goals)
        yield from least_worst(tuple(each)) if wanted else each


def own_laws(plan: Plan, catalogue: Library) -> tuple[str, ...]:
    """The plan's laws; where it names none the usual one."""
    if plan.laws:
        return tuple(dict.fromkeys(name.text for name in plan.laws))
    return (usual_law(plan, objective_of(plan), catalogue),)


def known_laws(laws: tuple[str, ...], catalogue: Library) -> tuple[str, ...]:
    """Laws that are asked for by name, each once.

    Raises:
        UnknownLaw: For a name that no law has.
    """
    for name in laws:
        if catalogue.law(name) is None:
            (help,) = did_you_mean(name, catalogue.vocabulary().laws) or ["`plan law` lists them"]
            raise UnknownLaw(f"unknown law `{name}`; {help}")
    return tuple(dict.fromkeys(laws))


def cases_of(plan: Plan, named: tuple[str, ...], catalogue: Library, *, apart: bool) -> tuple[Case, ...]:
    """A case a law; a law of settings lends them to the others, and where it stands alone to the usual one,
    but where the plan says the size and the tokens, and the law needs no loss.

    Args:
        apart: Whether a law of settings has a case of its own beside others, too.
    """
    settings = catalogue.quantities().fields.get("optimizer", {})
    laws = {name: law for name in named if (law := catalogue.law(name)) is not None}
    assert len(laws) == len(named), "lowering lets no unknown law pass"
    lenders = {name: law for name, law in laws.items() if is_of_settings(law, settings)}
    others = [Case(name, law) for name, law in laws.items() if name not in lenders]
    if others and not apart:
        return tuple(replace(case, lenders=tuple(lenders.values())) for case in others)
    if not others and has_size_and_tokens(plan):
        lenders = {name: law for name, law in lenders.items() if _reads_loss(law)}
    usual = catalogue.law(usual_law(plan, objective_of(plan), catalogue))
    base = others[0].law if others else usual
    assert base is not None, "the standard library has the usual law"
    return tuple(
        Case(name, base, (lenders[name],)) if name in lenders else Case(name, law) for name, law in laws.items()
    )


def _reads_loss(law: Law) -> bool:
    """Whether a law of settings tells them by the loss, which another law has to give."""
    return any(parameter.quantity == q.LOSS.text for function in law.functions for parameter in function.parameters)
