"""Names of models as people write them, each to the one by which a model is found."""

from __future__ import annotations

import re

_BLANK = re.compile(r"[\s_-]+")
# What joins two numbers tells them apart: `Qwen2-57B` is no `Qwen2.5-7B`, and `Llama 2 7B` no `Llama 27B`.
_JOINING = re.compile(r"(?<!\d)-|-(?!\d)")


def folded(name: str) -> str:
    """A name without its publisher, in lower case, and however its words are joined: `meta-llama/Llama-3-8B`."""
    return _JOINING.sub("", _BLANK.sub("-", name.strip().strip('"').lower().rsplit("/", 1)[-1]))
