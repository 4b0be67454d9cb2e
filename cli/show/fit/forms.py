"""Forms that were held to the same runs, side by side, as text and as JSON."""

from __future__ import annotations

import math
from collections.abc import Sequence

from runplan.cli.show.fit.content import NOTHING
from runplan.cli.show.text.figures import from_to
from runplan.cli.show.text.json_text import document_text
from runplan.cli.show.text.look import PLAIN, Look
from runplan.cli.show.text.page import columns, paragraph
from runplan.engine.fit.forms import Compared
from runplan.engine.fit_document import forms_document


def render(forms: Sequence[Compared], look: Look = PLAIN) -> str:
    """A row a form, the best forecaster first."""
    rows = [("form", "law", "constants", "residuals", "left out", "loss, 80 %")]
    for one in forms:
        if one.found is None:
            continue
        part = one.found.parts[0]
        off = NOTHING if math.isinf(one.future_error) else f"{100 * one.future_error:.3g} %"
        seen = f"{100 * part.rms:.3g} %" if part.model.log else f"{part.rms:.3g}"
        law = one.found.law.name if one.found.law.name != one.named else ""
        rows.append((one.named, law, str(len(part.constants)), seen, off, _loss(one)))
    out = "Forms, by how well they forecast the largest runs from the smaller ones\n"
    out += columns(rows, "  ", look.width)
    for one in (one for one in forms if one.found is None):
        out += paragraph(f"`{one.named}` is not told: {one.why_not}.", "  ", look.width)
    said = "Left out: how far off the largest runs were, root mean square. The loss is at the largest budget, or where "
    said += "it was asked for. A form with more constants fits better, and may forecast worse."
    return out + paragraph(said, "  ", look.width)


def _loss(one: Compared) -> str:
    told = one.forecasts.get("loss")
    return NOTHING if told is None else f"{told.value:.4g} ({from_to(f'{told.low:.4g}', f'{told.high:.4g}')})"


def render_json(forms: Sequence[Compared], look: Look = PLAIN) -> str:
    """The document as text, `plan.fits/v1`."""
    return document_text(forms_document(forms))
