"""A document as JSON text that is safe to print."""

from __future__ import annotations

import json
import re

from runplan.cli.show.text.plain import REPLACED

# JSON allows these unescaped, but a terminal acts on them, or a reader of lines breaks at them.
# So do they at what has no width; and GitHub runs `##[...]` wherever it stands.
_TO_ESCAPE = re.compile(
    "[\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0001-\U000e007f]"
    "|(?<=##)\\["
)
_SURROGATES = re.compile("[\ud800-\udfff]")


def document_text(document: object, indent: int | None = 2) -> str:
    """A document as text that ends with a line end; a NaN or an infinity in it is a bug and raises."""
    text = json.dumps(document, allow_nan=False, ensure_ascii=False, indent=indent)
    # Both are only ever found inside strings. A lone surrogate has no UTF-8.
    text = _SURROGATES.sub(REPLACED, text)
    return _TO_ESCAPE.sub(lambda match: _escaped(match[0]), text) + "\n"


def _escaped(character: str) -> str:
    """A character as JSON writes it in ASCII."""
    return f"\\u{ord(character):04x}" if character.isascii() else json.dumps(character)[1:-1]
