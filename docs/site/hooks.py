"""What MkDocs needs beside its settings: links out of `docs/` lead to the repository, marks for tests go."""

from __future__ import annotations

import re
from posixpath import normpath

REPOSITORY = "https://github.com/runplan/runplan/blob/main"
_LINK = re.compile(r"(\]\()(?![a-z]+:|#|/)([^)\s]+)(\))")
# A fenced block: what is said after its language is for the tests, such as `plan error=B001`; what is in it is text.
_FENCE = re.compile(r"^```(\w+)[^\n]*(\n.*?^```)$", re.MULTILINE | re.DOTALL)
# Languages that Pygments calls otherwise.
_CALLED = {"sh": "console"}


def on_page_markdown(markdown: str, page, **_: object) -> str:
    """A page as MkDocs is to read it."""
    folder = page.file.src_uri.rpartition("/")[0]

    def outward(match: re.Match[str]) -> str:
        whole = normpath(f"docs/{folder}/{match[2]}")
        return match[0] if whole.startswith("docs/") else f"{match[1]}{REPOSITORY}/{whole}{match[3]}"

    parts, at = [], 0
    for block in _FENCE.finditer(markdown):
        parts += [_LINK.sub(outward, markdown[at : block.start()]), f"```{_CALLED.get(block[1], block[1])}{block[2]}"]
        at = block.end()
    return "".join([*parts, _LINK.sub(outward, markdown[at:])])
