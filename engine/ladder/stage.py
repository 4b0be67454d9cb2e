"""A plan with stages into that of the stage which is trained from scratch: what a ladder leads to."""

from __future__ import annotations

from collections.abc import Sequence

from runplan.dsl.dataclass import replace
from runplan.dsl.packs.library import Library
from runplan.dsl.plan.overrides import overridden
from runplan.dsl.syntax.tree import File
from runplan.dsl.text.finding import Finding
from runplan.dsl.text.nearest import did_you_mean
from runplan.dsl.text.reader import Reader
from runplan.engine.ladder.refused import NoLadder
from runplan.engine.pipeline import read_of
from runplan.engine.problem import quantities as q
from runplan.engine.problem.of_stage import stages_of
from runplan.engine.solutions import bare_solution

# What is required and wanted of all stages together is none of one.
_OF_ALL = frozenset(("stage", "require", "prefer", "minimize", "maximize"))
# Of these a stage has its own in the place of the plan's; a schedule may be said by phases.
_OWN = frozenset(("hardware", "compute", "tokens", "objective", "schedule", "phase", "optimizer", "reserve", "context"))


def first_stage(
    file: File, findings: Sequence[Finding], reader: Reader, catalogue: Library, asked: str | None
) -> tuple[File, str]:
    """The plan of the first stage, and its name; the plan as it is, and no name, where it has no stages.

    What the stages share out among them, tokens and the size, is as the whole plan is solved.

    Raises:
        NoLadder: Where another stage is asked for, or the whole is not solved.
    """
    blocks = [node for node in file.statements if node.rule == "stage"]
    if not blocks:
        if asked is not None:
            raise NoLadder("stages", "the plan has no stages")
        return file, ""
    names = [node.word(0).text for node in blocks]
    if asked is not None and asked not in names:
        (help,) = did_you_mean(asked, names) or [f"there are {', '.join(names)}"]
        raise NoLadder("stages", f"no stage `{asked}`; {help}")
    if asked not in (None, names[0]):
        raise NoLadder(
            "stages",
            f"`{asked}` starts from the weights of the stage before it, and no small run has those: a ladder leads to "
            f"`{names[0]}`",
        )
    inner = tuple(next(blocks[0].nodes()).nodes())
    own = {node.rule for node in inner} & _OWN
    own |= {"schedule", "phase"} if own & {"schedule", "phase"} else set()
    outer = [node for node in file.statements if node.rule not in _OF_ALL and node.rule not in own]
    said = {node.rule for node in (*outer, *inner)}
    kept = [node for node in inner if node.rule not in _OF_ALL]
    alone = replace(file, statements=(*outer, *kept))
    found, wrong = overridden(alone, _shared(file, findings, reader, catalogue, said))
    assert not wrong, "figures of a solution are settings"
    return found, names[0]


def _shared(file: File, findings: Sequence[Finding], reader: Reader, catalogue: Library, said: set[str]) -> list[str]:
    """The size and the tokens of the first stage as the whole plan is solved, where it does not state them."""
    if {"model", "tokens"} <= said:
        return []
    read = read_of(file, findings, reader, catalogue, intervals=False)
    solutions = [bare_solution(read, problem) for problem in read.problems()]
    solution = next((one for one in solutions if one.status == "solved"), None)
    if solution is None:
        raise NoLadder("plan", "the plan with all of its stages is not solved: `plan solve` says why")
    alone = stages_of(solution)[0]
    wanted = (("model", q.PARAMS, "params"), ("tokens", q.TOKENS, "tokens"))
    values = {rule: (alone.get(name), unit) for rule, name, unit in wanted if rule not in said}
    return [f"{rule}={value:.0f} {unit}" for rule, (value, unit) in values.items() if value is not None]
