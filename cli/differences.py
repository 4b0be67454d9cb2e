"""Plans by their names in two states to what differs between them; and limits of a command line to what passes them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from runplan.cli.outcome import CannotRun
from runplan.cli.then import rests_alike, side_at
from runplan.dsl.dataclass import replace
from runplan.dsl.text.errors import BadConfig
from runplan.dsl.text.finding import Finding, at_rest
from runplan.dsl.text.nearest import did_you_mean
from runplan.dsl.types import TYPE_CHECKING
from runplan.engine.alike import known
from runplan.engine.differences.diff import Difference, difference
from runplan.engine.differences.differences import NOTHING, Exceeded, Limit, PlanDifference, State, beyond
from runplan.engine.differences.sides import alone, is_same

if TYPE_CHECKING:
    from runplan import Project
    from runplan.cli.paths import Projects

_LIMIT = re.compile(r"([\w.-]+)=(\d+(?:\.\d+)?)\s*%")
_SHARE = re.compile(r"(\d+(?:\.\d+)?)\s*%?")


def limits_of(texts: Iterable[str]) -> tuple[Limit, ...]:
    """The limits of a command line, `cost=5%` each.

    Raises:
        CannotRun: For what is none.
    """
    found = []
    for text in texts:
        said = _LIMIT.fullmatch(text.strip())
        if said is None:
            raise CannotRun(f"`--max-increase {text[:60]}`: write a quantity and a share, such as cost=5%")
        found.append(Limit(said[1], float(said[2]) / 100))
    return tuple(found)


def share_of(text: str | None) -> float:
    """The share of `--min-change 5%`; 0 where none is given.

    Raises:
        CannotRun: For what is none.
    """
    if text is None:
        return 0.0
    said = _SHARE.fullmatch(text.strip())
    if said is None:
        raise CannotRun(f"`--min-change {text[:60]}`: write a share, such as 5%")
    return float(said[1]) / 100


class Comparing:
    """Compares plans of two states, each by its name in both.

    Attributes:
        count: How many there were; files with definitions alone are none.
    """

    def __init__(self, then: Projects, now: Projects) -> None:
        self.count = 0
        self._then, self._now = then, now

    def plan(self, was: str | None, is_: str | None) -> PlanDifference | None:
        """What differs between a plan of then and one of now; None where nothing does.

        Raises:
            BadConfig: Where the configuration of now cannot be used.
            OSError: Where the plan of now cannot be read.
        """
        trouble, then, then_project = "", None, None
        now, now_project = (None, None) if is_ is None else side_at(self._now, is_)
        file = now.path if now is not None else was or ""
        renamed = was if was is not None and now is not None and was != now.path else ""
        try:
            then, then_project = (None, None) if was is None else side_at(self._then, was)
        except (BadConfig, OSError) as error:
            trouble = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        if not trouble and not any(side.is_plan for side in (then, now) if side is not None):
            return None
        self.count += 1
        alike = then is not None and now is not None and is_same(then, now)
        if alike and then_project and now_project and rests_alike(then_project, now_project):
            return PlanDifference(file, renamed, "same", then, now) if renamed else None
        state: State = "added" if was is None else "removed" if is_ is None else "changed"
        found = PlanDifference(file, renamed, state, then, now, trouble=trouble)
        return self._differing(found, then_project, now_project)

    def _differing(
        self, found: PlanDifference, then_project: Project | None, now_project: Project | None
    ) -> PlanDifference | None:
        then, now = found.then, found.now
        gates = [
            None if side is None or project is None else project.judged(side.report, pinned=False)
            for side, project in ((then, then_project), (now, now_project))
        ]
        was, is_ = (() if gate is None else at_rest(gate.findings, help=False) for gate in gates)
        name = {found.was: found.file} if found.was else {}
        back = {found.file: found.was} if found.was else {}
        how = _kinds(is_, was, name)
        # What is not told of a plan that cannot be solved may be there all the same.
        solved = now is None or now.solution is not None
        gone = tuple(
            f
            for f, still in zip(was, known(was, is_, back, grown=True), strict=True)
            if not still and (solved or not f.silenceable)
        )
        new = tuple(f for f, kind in zip(is_, how, strict=True) if kind == "new")
        grown = tuple(f for f, kind in zip(is_, how, strict=True) if kind == "grown")
        if then is not None and now is not None:
            values = difference(then, now)
        else:
            there = now or then
            values = NOTHING if there is None else Difference(alone(there, is_now=there is now), 0)
        holds = tuple(None if gate is None else gate.verdict.holds for gate in gates)
        found = replace(found, values=values, new=new, gone=gone, grown=grown, holds=(holds[0], holds[1]))
        return _told_of(found)


def _told_of(plan: PlanDifference) -> PlanDifference | None:
    """A plan where there is anything to tell of it, were it a name or a statement that moves nothing; else None."""
    told = any(one.severity != "info" for one in (*plan.new, *plan.gone, *plan.grown))
    differs = bool(plan.values.moved or told or plan.trouble) or plan.statuses[0] != plan.statuses[1]
    if plan.state == "changed" and not differs:
        return replace(plan, state="same") if plan.was or plan.values.causes else None
    return plan


def large(plan: PlanDifference, least: float) -> PlanDifference | None:
    """A plan without the values that moved by a smaller share; None where nothing is left to tell."""
    values = plan.values
    kept = tuple(one for one in values.moved if one.share is None or abs(one.share) >= least)
    causes = values.causes if kept or not values.moved else ()
    left_out = len(values.moved) - len(kept)
    return _told_of(replace(plan, values=replace(values, moved=kept, kept=values.kept + left_out, causes=causes)))


def exceeded(plans: Iterable[PlanDifference], limits: Sequence[Limit], names: Iterable[str]) -> Iterator[Exceeded]:
    """What has grown by more than it may. A plan that is new, or gone, has not grown.

    Args:
        names: Those that a quantity may have.

    Raises:
        CannotRun: For a limit of what is no quantity.
    """
    there = sorted(names)
    for limit in limits:
        if limit.quantity.partition(".")[0] not in there:
            (help,) = did_you_mean(limit.quantity, there) or ["docs/language.md lists the quantities"]
            raise CannotRun(f"`--max-increase`: no quantity `{limit.quantity[:60]}`; {help}")
    yield from (one for plan in plans for limit in limits if (one := beyond(plan, limit)) is not None)


def _kinds(found: Sequence[Finding], before: Sequence[Finding], name: Mapping[str, str]) -> list[str]:
    same = known(found, before, name)
    still = known(found, before, name, grown=True)
    return ["old" if old else "grown" if there else "new" for old, there in zip(same, still, strict=True)]
