"""The shapes of a family into sizes, and a size and its tokens into the settings of a run, by the library's laws."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from runplan.dsl.dataclass import dataclass
from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import Num, Ref, names
from runplan.dsl.expr.values import compiled
from runplan.dsl.packs.library import Library
from runplan.dsl.text.reader import Buffer, Reader
from runplan.dsl.text.words import counted
from runplan.engine.fit.table import Floats
from runplan.engine.ladder.family import Family, Shape
from runplan.engine.ladder.flagship import Flagship
from runplan.engine.ladder.refused import NoLadder
from runplan.engine.ladder.written import Said, text_of
from runplan.engine.pipeline import plan_at, report_of
from runplan.engine.problem import quantities as q
from runplan.engine.problem.derived import derive
from runplan.engine.problem.expanded import expand
from runplan.engine.problem.problem import Problem
from runplan.engine.read import Read
from runplan.engine.report import Report

# A run of fewer steps is no run, and no setting of it says anything.
FEWEST_STEPS = 100
# Digits of a learning rate that is told.
DIGITS = 3


@dataclass(frozen=True, slots=True)
class Settings:
    """How a run is trained: whole steps of a batch of whole sequences.

    Attributes:
        tokens, batch: In tokens.
        learning_rate: Its peak; None where no law gives it.
    """

    tokens: int
    batch: int
    learning_rate: float | None

    @property
    def steps(self) -> int:
        """Of the optimizer."""
        return self.tokens // self.batch


@dataclass(frozen=True, slots=True)
class Sizes:
    """The exact architectures of a family, each with its count by the formulas that count any plan's.

    Attributes:
        template: The problem of a small run: what a shape and its tokens lead to.
        shapes: From small to large, n of them.
        params, law: (n) counts: all, and as the law counts.
        sequence: Tokens of a sequence.
    """

    family: Family
    template: Problem
    shapes: tuple[Shape, ...]
    params: Floats
    law: Floats
    sequence: float

    def nearest(self, size: float, among: Sequence[int] | None = None) -> int:
        """The place of the shape nearest to a size as the law counts it; of those as near, in proportion."""
        places = np.arange(len(self.shapes)) if among is None else np.asarray(among)
        off = np.array([self.shapes[place].off for place in places])
        return int(places[np.argmin(np.abs(np.log(self.law[places] / size)) + LEANING * off)])

    def settings(self, place: int, tokens: float) -> Settings:
        """The settings of a run of a shape on about so many tokens."""
        given = {Name(text): float(value) for text, value in self.shapes[place].fields.items()}
        problem = self.template.at({**given, q.TOKENS: tokens})
        env: dict[Name, float] = {}
        derive(problem, env, [Ref(q.BATCH), Ref(q.LEARNING_RATE)])
        # A power of two of sequences, and of steps enough that the settings mean something.
        asked = env.get(q.BATCH, tokens / FEWEST_STEPS)
        most = max(1.0, tokens / FEWEST_STEPS / self.sequence)
        sequences = 2 ** max(0, min(round(math.log2(max(asked / self.sequence, 1.0))), math.floor(math.log2(most))))
        batch = round(sequences * self.sequence)
        rate = env.get(q.LEARNING_RATE)
        return Settings(
            max(1, math.floor(tokens / batch)) * batch, batch, None if rate is None else float(f"{rate:.{DIGITS - 1}e}")
        )

    def work(self, place: int, tokens: float) -> float:
        """FLOP of the model in a run, attention counted where its context is known."""
        given = {Name(text): float(value) for text, value in self.shapes[place].fields.items()}
        env: dict[Name, float] = {}
        derive(self.template.at({**given, q.TOKENS: tokens}), env, [Ref(q.MODEL_COMPUTE)])
        return env[q.MODEL_COMPUTE]


# How much of its distance to a size a shape may make up for by the family's proportions.
LEANING = 0.15


@dataclass(frozen=True, slots=True)
class Writer:
    """What writes and reads the plans of small runs.

    Attributes:
        folder: Where they are to lie.
        laws: What each is planned by: the law of the loss, and those of settings.
        mfu: What the flagship states that its devices reach; None where it does not.
    """

    flagship: Flagship
    family: Family
    reader: Reader
    catalogue: Library
    folder: str
    laws: tuple[str, ...]
    mfu: float | None

    def text(self, name: str, comment: str, shape: Shape, gpus: int, settings: Settings | None = None) -> str:
        """The text of a run's plan; without settings one that asks the laws for them."""
        made = settings or Settings(10**9, 0, None)
        rate = "" if made.learning_rate is None else f"{made.learning_rate:.{DIGITS - 1}e}"
        said = Said(
            title=f"{self.flagship.plan.title}: {name}",
            comment=comment,
            laws=self.laws,
            gpus=gpus,
            mfu=self.mfu,
            model={**{text: str(value) for text, value in shape.fields.items()}, **self.family.rest},
            tokens=f"{made.tokens} tokens",
            batch=f"{made.batch} tokens" if made.batch else "",
            learning_rate=rate,
        )
        return text_of(self.flagship.file, said, self.folder)

    def path(self, name: str) -> str:
        """Where the plan of a run is to lie."""
        return f"{self.folder}/{name}.plan" if self.folder else f"{name}.plan"

    def read(self, name: str, text: str) -> Read:
        """A run's plan as it is read.

        Raises:
            NoLadder: Where it cannot be: a mistake of what was written.
        """
        path = self.path(name)
        read = plan_at(path, Buffer(path, text.encode(), self.reader), catalogue=self.catalogue, intervals=False)
        if read.plan is None:
            wrong = next(f.message for f in read.findings if f.severity == "error")
            raise NoLadder("plan", f"the plan of a small run cannot be read: {wrong}")
        return read

    def report(self, name: str, text: str) -> Report:
        """What is known of a run's plan: its solution, and all findings."""
        path = self.path(name)
        return report_of(path, Buffer(path, text.encode(), self.reader), catalogue=self.catalogue, intervals=False)


def sizes_of(writer: Writer) -> Sizes:
    """All sizes of a family that are smaller than the flagship.

    Raises:
        NoLadder: Where there are fewer than three.
    """
    shapes = tuple(writer.family.shapes(writer.flagship.size))
    read = writer.read("template", writer.text("template", "A small run.", shapes[0], 1))
    template = next(read.problems())
    counts = _counts(template, shapes)
    kept = np.flatnonzero(counts[q.LAW_PARAMS] < writer.flagship.size)
    kept = kept[np.argsort(counts[q.LAW_PARAMS][kept], kind="stable")]
    if len(kept) < 3:
        said = counted(len(kept), "shape")
        raise NoLadder("budget", f"{said} of {writer.family.name} are smaller than the flagship: a ladder needs three")
    context = template.definitions.get(q.CONTEXT)
    sequence = template.quantities[q.SEQUENCE_LENGTH.text].formula
    assert isinstance(sequence, Num), "the standard library has it as a figure"
    return Sizes(
        writer.family,
        template,
        tuple(shapes[place] for place in kept),
        counts[q.PARAMS][kept],
        counts[q.LAW_PARAMS][kept],
        context.expr.value if context is not None and isinstance(context.expr, Num) else sequence.value,
    )


def _counts(template: Problem, shapes: Sequence[Shape]) -> Mapping[Name, Floats]:
    """The counts of shapes, by the template's formulas: all at once."""
    fields = [Name(text) for text in shapes[0].fields]
    open_ = {name: d for name, d in template.definitions.items() if name not in fields}
    env = {name: np.array([float(shape[name.text]) for shape in shapes]) for name in fields}
    out: dict[Name, Floats] = {}
    for name in (q.PARAMS, q.LAW_PARAMS):
        body = expand(Ref(name), open_, {})
        assert names(body) <= set(fields), "a shape tells all of a count"
        out[name] = np.broadcast_to(compiled(body, np)(env), len(shapes)).astype(float)
    return out
