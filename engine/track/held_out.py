"""Losses on text that is held out, beside those of training: which a column tells, and where they end."""

from __future__ import annotations

import numpy as np

from runplan.dsl.dataclass import dataclass
from runplan.dsl.types import Literal
from runplan.engine.fit.read.words import folded
from runplan.engine.fit.table import RunTable
from runplan.engine.problem.parts import QUANTILE
from runplan.engine.track.ends import Estimate
from runplan.engine.track.expected import Expected
from runplan.engine.track.forecast import Curve
from runplan.engine.track.order import NoProgress
from runplan.engine.track.progress import Progress, progress_of
from runplan.engine.track.schedule import Path

# The words for a loss on text that is held out, those that are taken first before the others.
HELD_OUT = (
    *("val_loss", "valid_loss", "validation_loss", "eval_loss", "evaluation_loss", "heldout_loss", "held_out_loss"),
    *("test_loss", "dev_loss", "val", "eval", "loss_val", "loss_eval", "lm_loss_validation"),
)
_SAYING = frozenset(("val", "valid", "validation", "eval", "evaluation", "test", "dev", "held", "heldout"))
# Of how many of the last evaluations the gap of now is; how far off it may be at the least, as a logarithm; and how
# much of the way that it went on from the first half to the second may still come.
LAST, LEAST, ON = 5, 0.01, 0.5

Of = Literal["training", "held out"]


@dataclass(frozen=True, slots=True)
class HeldOut:
    """The losses on held-out text.

    Attributes:
        header: What the log calls them.
        progress: Of each evaluation.
        gap: The logarithm of the last of them over the curve through the losses of training.
    """

    header: str
    progress: Progress
    gap: float | None


def kind_of(table: RunTable) -> Of:
    """Of what text the losses of a log are, by the name of their column: of training unless it says otherwise."""
    header = header_of(table)
    return "held out" if _SAYING & set(folded(header).split("_")) else "training"


def says_held_out(text: str) -> bool:
    """Whether a log may tell a loss of held-out text as well: whether any word for it is in it at all."""
    lower = text.lower()
    return any(word in lower for word in _SAYING)


def header_of(table: RunTable) -> str:
    """What a log calls its losses."""
    return table.columns["loss"].header or (table.columns["perplexity"].header if "perplexity" in table.columns else "")


def held_out(
    table: RunTable, expected: Expected, curve: Curve | None, path: Path, end: Estimate | None
) -> tuple[HeldOut | None, Estimate | None]:
    """The losses of held-out text, and where they end: as far from those of training as they are by now.

    Args:
        end: The training loss at the end.
    """
    try:
        progress = progress_of(table, expected)
    except NoProgress:
        return None, None
    header = header_of(table)
    if curve is None or end is None:
        return HeldOut(header, progress, None), None
    along = np.interp(progress.tokens, path.tokens, np.log(curve.middle))
    gaps = np.log(progress.loss) - along
    known = np.isfinite(gaps)
    if not known.any():
        return HeldOut(header, progress, None), None
    gaps = gaps[known]
    last = gaps[-LAST:]
    gap = float(np.median(last))
    trend = (
        float(np.median(gaps[len(gaps) // 2 :]) - np.median(gaps[: len(gaps) // 2])) if len(gaps) >= 2 * LAST else 0.0
    )
    left = 1.0 - progress.done / max(expected.tokens, progress.done)
    more = ON * trend * left
    spread = float(np.hypot(np.hypot(LEAST, last.std()), more)) if len(last) > 1 else 3 * LEAST
    own = float(np.log(end.high / end.low)) / (2 * QUANTILE)
    middle, wide = np.log(end.value) + gap + more, QUANTILE * np.hypot(own, spread)
    value, low, high = (float(np.exp(one)) for one in (middle, middle - wide, middle + wide))
    by = f"{end.by}, and how far `{header}` lies from the loss of training"
    return HeldOut(header, progress, gap), Estimate(value, low, high, table.columns["loss"].dim, by)
