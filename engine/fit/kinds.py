"""Residuals of runs of several kinds into whether the kinds lie apart: a file with two objectives has two laws."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from runplan.dsl.text.finding import Finding, finding
from runplan.dsl.text.source import Source
from runplan.dsl.text.words import cut, enumerated
from runplan.engine.fit.heads import header_named
from runplan.engine.fit.lack import ranks
from runplan.engine.fit.table import Floats, RunTable

# Kinds lie apart where they explain so much of the variance of the ranks of residuals; of few runs chance does.
APART, FEWEST = 0.5, 12


def kinds_apart(table: RunTable, residuals: Floats, source: Source) -> Iterator[Finding]:
    """That runs of one kind lie above the form and those of another below.

    Args:
        residuals: (runs), of logarithms.
    """
    if len(residuals) < FEWEST or np.ptp(residuals) == 0:
        return
    places = ranks(residuals)
    for header, words in table.kinds.items():
        groups: Mapping[str, Floats] = {word: np.array([own == word for own in words]) for word in dict.fromkeys(words)}
        means = sum(len(places[own]) * (places[own].mean() - places.mean()) ** 2 for own in groups.values())
        share = float(means / ((places - places.mean()) ** 2).sum())
        if share < APART:
            continue
        # What is measured lies above the form where the residual, the form less what is measured, is below nothing.
        said = enumerated([f"`{cut(word)}` {-100 * np.median(residuals[own]):+.2g} %" for word, own in groups.items()])
        yield finding(
            "F018",
            f"runs lie apart from the form by their `{cut(header)}`: {said}",
            header_named(header, table, source),
            help=[f"fit them apart: `--where '{header} = {next(iter(groups))}'`"],
            data={"share": share},
        )


def off_powers(inputs: Mapping[str, Floats], measured: Floats) -> Floats:
    """By how much the best product of powers of inputs lies above what was measured, in logarithms: what stands in for
    residuals where no form is told.

    Args:
        inputs: (n) each, as what was measured; nothing is returned where one is not above zero.
    """
    columns = np.stack([np.full(len(measured), np.e), *inputs.values()], axis=1)
    if not (columns > 0).all():
        return np.empty(0)
    logs, own = np.log(columns), np.log(measured)
    found: Floats = logs @ np.linalg.lstsq(logs, own, rcond=None)[0] - own
    return found
