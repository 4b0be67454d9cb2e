"""A document as JSON text that is safe to print."""

from __future__ import annotations

import json
import re

from runplan.cli.show.text.plain import REPLACED

# JSON allows these unescaped, but a terminal acts on them, or a reader of lines breaks at them.
_TO_ESCAPE = re.compile("[\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_SURROGATES = re.compile("[\ud800-\udfff]")


def document_text(document: object, indent: int | None = 2) -> str:
    """A document as text that ends with a line end; a NaN or an infinity in it is a bug and raises."""
    text = json.dumps(document, allow_nan=False, ensure_ascii=False, indent=indent)
    # Both are only ever found inside strings. A lone surrogate has no UTF-8.
    text = _SURROGATES.sub(REPLACED, text)
    return _TO_ESCAPE.sub(lambda match: f"\\u{ord(match[0]):04x}", text) + "\n"
