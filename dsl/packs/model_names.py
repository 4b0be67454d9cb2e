"""Names of models as people write them, each to the one by which a model is found."""

from __future__ import annotations

import re

from runplan.dsl.text.pattern import pattern

_BLANK = pattern(r"[\s_-]+")
# What joins two numbers tells them apart: `Qwen2-57B` is no `Qwen2.5-7B`, and `Llama 2 7B` no `Llama 27B`.
_JOINING = pattern(r"(?<!\d)-|-(?!\d)")

# What is tuned of a model, or written for another reader, has its shape: `Qwen2.5-7B-Instruct`.
_RELEASE = pattern(r"[\s_-](?:instruct|chat|base|hf|it|pt)(?=[\s_-]|\"?$)", re.I)


def released(name: str) -> str:
    """A name without the words that tell one release of the same weights' shape from another."""
    return _RELEASE.sub("", name.strip())


def folded(name: str) -> str:
    """A name without its publisher, in lower case, and however its words are joined: `meta-llama/Llama-3-8B`."""
    return _JOINING.sub("", _BLANK.sub("-", name.strip().strip('"').lower().rsplit("/", 1)[-1]))
