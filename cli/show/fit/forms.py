"""Forms that were held to the same runs, side by side, as text and as JSON."""

from __future__ import annotations

import math
from collections.abc import Sequence

from runplan.cli.show.fit.content import NOTHING, finding_rows
from runplan.cli.show.text.figures import from_to
from runplan.cli.show.text.json_text import document_text
from runplan.cli.show.text.look import PLAIN, Look
from runplan.cli.show.text.page import columns, paragraph
from runplan.dsl.text.words import enumerated
from runplan.dsl.units.show import percent
from runplan.engine.documents.fit import forms_document
from runplan.engine.fit.forms import Compared, chosen, compared, forecaster


def render(forms: Sequence[Compared], look: Look = PLAIN) -> str:
    """A row a form, the best forecaster first, which of them to plan by, and what was found of the runs under that."""
    laws = []
    rows = [("form", "constants", "residuals", "left out", "at 10 x", "loss, 80 %")]
    for one in compared(forms):
        part = one.part
        if one.found is None or part is None:
            continue
        off, ahead = (NOTHING if math.isinf(error) else percent(error) for error in (one.future_error, one.expected))
        seen = percent(part.rms) if part.model.log else f"{part.rms:.3g}"
        if one.found.law.name != one.named:
            laws.append(f"`{one.named}` is that of `{one.found.law.name}`")
        rows.append((one.named, str(len(part.constants)), seen, off, ahead, _loss(one)))
    untold = "".join(
        paragraph(f"`{one.named}` is not told: {one.why_not}.", "  ", look.width) for one in forms if one.found is None
    )
    best = chosen(forms)
    if best is None:
        return f"Forms that the runs do not tell\n{untold}"
    out = "Forms, by how well they forecast the largest runs from the smaller ones\n"
    out += columns(rows, "  ", look.width) + untold
    said = (
        "Left out: how far off the largest runs were, root mean square. At 10 x: what is expected of a forecast at ten "
        "times the largest budget, by its constants and by how the larger runs came out, or where none was held to it "
        "by how forms of its kind drift elsewhere. The loss is at the largest budget, or where it was asked for. A "
        "form with more constants fits better, and may forecast worse."
    )
    out += paragraph(said, "  ", look.width)
    out += paragraph(f"Of the forms, {enumerated(laws)}.", "  ", look.width) if laws else ""
    out += paragraph(_advice(best, forms), "  ", look.width)
    found = finding_rows(best.findings)
    return f"{out}\nFindings, under `{best.named}`\n{columns(found, '  ', look.width)}" if found else out


def _advice(best: Compared, forms: Sequence[Compared]) -> str:
    """Which form to plan by, and why."""
    if math.isinf(best.future_error):
        if all(math.isinf(other.future_error) for other in forms):
            return f"Plan by `{best.named}`: too few runs tell how well any of them forecasts, and it comes first."
        held = forecaster(forms) or best
        return (
            f"Plan by `{best.named}`: too few budgets tell how well it forecasts larger runs, and at 10 x it is no "
            f"less certain than `{held.named}`, which forecasts best."
        )
    if any(other.future_error < best.future_error for other in forms):
        return f"Plan by `{best.named}`: it forecasts about as well as any, and comes first."
    return f"Plan by `{best.named}`: it forecasts best."


def _loss(one: Compared) -> str:
    told = one.forecasts.get("loss")
    return NOTHING if told is None else f"{told.value:.4g} ({from_to(f'{told.low:.4g}', f'{told.high:.4g}')})"


def render_json(forms: Sequence[Compared], look: Look = PLAIN) -> str:
    """The document as text, `plan.fits/v1`."""
    return document_text(forms_document(forms))
