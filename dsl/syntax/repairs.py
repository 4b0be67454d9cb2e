"""A statement that leaves the grammar to the one that its writer may have meant, which was read before it is told."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from runplan.dsl.syntax.statements import BY_KEY

# What is written, and how the language writes it: of a whole statement, of the value of one, and of any value.
_Repairs = tuple[tuple[re.Pattern[str], str], ...]


def _patterns(*pairs: tuple[str, str]) -> _Repairs:
    return tuple((re.compile(pattern, re.IGNORECASE), template) for pattern, template in pairs)


_STATEMENTS = _patterns(
    (r"(.*?)\s*(?://|--)\s*(.*)", r"\1 # \2"),
    (r"data\s+([\w.-]+)\s+(\d.*)", r"data \1: \2"),
    (r"data\s*:\s*([a-z][\w-]*)\s+(\d.*)", r"data \1: \2"),
    (r"use\s+(?:laws?\b)?\s*(\w.*)", r"use laws \1"),
    (r"let\s+(\w+)\s*:?=?\s*(\d.*)", r"let \1 = \2"),
    (r"let\s+(\w+) (\w+)\s*=\s*(.*)", r"let \1_\2 = \3"),
    (r"plan\s*:?\s*([^\"\s].*)", r'plan "\1"'),
    (r"stage\s+([\w-]+)\s*:\s*(\S.*)", r"stage \1 { tokens: \2 }"),
    (r"objective\s*:?\s*(minimi|maximi)[sz]e\s+(.*)", r"\1ze \2"),
    (r"([a-z_]+)\s*=\s*(.*)", r"\1: \2"),
)
# Fields of hardware that only a block has.
_OF_A_BLOCK = r"(availability|hours_per_day|pue|carbon_intensity|power|memory|peak)\s*[:=]?\s*(\d\S*(?: \w\S*)?)"
_HARDWARE = _patterns(
    (
        rf"(\S+) x (\S+) for (\S+ \w+) at (\S+) MFU {_OF_A_BLOCK}",
        r"{ gpus: \1, device: \2, time: \3, mfu: \4, \5: \6 }",
    ),
    (rf"(\S+) x (\S+) for (\S+ \w+) {_OF_A_BLOCK}", r"{ gpus: \1, device: \2, time: \3, \4: \5 }"),
    (r"(\d[\d_]*)\s+([a-z]+\d\w*?)s?(\s.*)", r"\1 x \2\3"),
    (r"([a-z]+\d\w*)\s+x\s+(\d+)(.*)", r"\2 x \1\3"),
    (r"(\d[\d_]* x )([a-z]\w*(?: \w+)*? \d+ ?GB(?: \w+)*?)( for .*)", r'\1"\2"\3'),
    (r"(\d[\d_]*\s*x [^\s\",]+),?\s+(\d.*)", r"\1 for \2"),
    (r"(\d+\s*\*\s*\d+) x (.*)", r"(\1) x \2"),
    (r"(\d+) x (\d+) x (.*)", r"(\1 * \2) x \3"),
    (r"(.* x \S+)( for \S+ \w+.*?) in (bf16|fp16|fp8|fp32|tf32|int8)(.*)", r"\1 in \3\2\4"),
    (r"(.*@\s*\S+ [a-z]{3}) per (?:gpu[- ]?)?hour(.*)", r"\1/GPU/hour\2"),
    (r"(.*?),?\s+(\d\S* [a-z]{3}/gpu/\w+)(.*)", r"\1 @ \2\3"),
    (r"(.* for) an?\s+(.*)", r"\1 1 \2"),
    (r"(.* for) (\d\S*\s*[a-z]+)\s*(?:and|,)?\s*(\d\S*\s*[a-z]+)(.*)", r"\1 (\2 + \3)\4"),
    (r"(.*?)\s+(?:with\s+|at\s+)?(\d[\d.]*)\s*%\s*MFU(.*)", r"\1 at \2% MFU\3"),
    (r"(.*?)\s+(?:with\s+|at\s+)?(?:an\s+)?MFU\s*(?:=|:|of)?\s*(\d[\d.]*)\s*%(.*)", r"\1 at \2% MFU\3"),
    (r"(.*@\s*)[$]\s*(\d[\d.]*)\s*(?:(?:/|per)\s*[\w-]+\s*)*(.*)", r"\1\2 USD/GPU/hour \3"),
    (r"(.*@\s*)€\s*(\d[\d.]*)\s*(?:(?:/|per)\s*[\w-]+\s*)*(.*)", r"\1\2 EUR/GPU/hour \3"),
    (r"(.*(?:from|until) \d{4})[/.](\d\d)[/.](\d\d)(.*)", r"\1-\2-\3\4"),
)
_DATA = _patterns(
    (r"(.*\b(?:tokens|bytes|characters|GB|TB))\s+(\d[\d.]* epochs?)(.*)", r"\1 up to \2\3"),
    (r"(.*\b(?:tokens|bytes|characters|GB|TB)),?\s+(\d[\d.]*\s?%)(.*)", r"\1 weight \2\3"),
    (r"(.*),\s*(.*)", r"\1 \2"),
)
_OBJECTIVE = _patterns(
    (r".*(?:mask|denois).*", "MLM"),
    (r".*(?:causal|autoregressive|next.token|language.model).*", "CLM"),
)
_MODEL = _patterns(
    (r"(\d\S*(?: param\w*)?)\s*[,(]?\s*(?:of which\s+)?(\d\S*(?: param\w*)?) active\W*", r"\1, \2 active"),
    (r"(\d\S*)(?: param\w*)?\s*,\s*(\d+) layers?", r"{ params: \1, layers: \2 }"),
)
_VALUES: dict[str, _Repairs] = {
    "hw_spec": _HARDWARE,
    "data_spec": _DATA,
    "obj_spec": _OBJECTIVE,
    "model_spec": _MODEL,
}
_ANY = _patterns(
    (r"(.*?)\s*[,;.]+", r"\1"),
    (r"(.*\bbecause)\s+([^\"\s].*)", r'\1 "\2"'),
    (r"(.*?)=([<>])(.*)", r"\1\2=\3"),
    (r"[~≈=]\s*(.*)", r"\1"),
    (r"(.*?)[$]\s*(\d[\d._]*[kMBT]?)(.*)", r"\1\2 USD\3"),
    (r"(.*?)€\s*(\d[\d._]*[kMBT]?)(.*)", r"\1\2 EUR\3"),
    (r"(.*?)£\s*(\d[\d._]*[kMBT]?)(.*)", r"\1\2 GBP\3"),
    (r"(.*?\d) thousand(.*)", r"\1K\2"),
    (r"(.*?\d) millions?(.*)", r"\1M\2"),
    (r"(.*?\d) billions?(.*)", r"\1B\2"),
    (r"(.*?\d) trillions?(.*)", r"\1T\2"),
    (r"(.*?\d) ([kMBT]) (.*)", r"\1\2 \3"),
    (r"(.*?)\bthe\s+(.*)", r"\1\2"),
    (r"(.*\w) per (\w+?)s?( .*)", r"\1 / \2s\3"),
    (r"(.*?\w)\s+(?:is |are |stays |must be )?(?:at most|below|under|less than|no more than)\s+(.*)", r"\1 <= \2"),
    (r"(.*?\w)\s+(?:is |are |stays |must be )?(?:at least|above|over|more than|no less than)\s+(.*)", r"\1 >= \2"),
    (r"<=?\s*(.*)", r"at most \1"),
    (r">=?\s*(.*)", r"at least \1"),
    (r"(.*?\d[^\s-]*)\s*(?:to|-)\s*(\d.*)", r"\1 .. \2"),
)
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_NODES = re.compile(r"(.*?)(\d+) nodes? x (\d+) (?:x )?([A-Za-z]\S*)(.*)")
_FIGURE = re.compile(r"\d")
_HEAD = re.compile(r"[a-z_]+(?:[ \t]+[\w.-]+(?=[ \t]*:))?[ \t]*:?[ \t]*", re.IGNORECASE)
MAX_LENGTH = 200  # characters of a statement that is tried to be mended

Parses = Callable[[str, str], bool]


def mended(text: str, rule: str, at: int, parses: Parses) -> str | None:
    """A text as it may have been meant: it can be read by the rule; None where no repair is known that makes it so.

    Args:
        rule: The start rule: `file` for a statement with its keyword.
        at: Where the text leaves the grammar; words that follow may be left out.
        parses: Whether a text can be read by a rule.
    """
    if len(text) > MAX_LENGTH or "\n" in text:
        return None
    tried = {text}
    for once in _repaired(text, rule):
        if once in tried:
            continue
        tried.add(once)
        if parses(once, rule):
            return once
        for twice in _repaired(once, rule):
            if twice not in tried and parses(twice, rule):
                return twice
            tried.add(twice)
    kept, left_out = text[:at].rstrip(), text[at:]
    # Words may go; a figure says something that is not to be lost.
    return kept if kept and left_out.strip() and not _FIGURE.search(left_out) and parses(kept, rule) else None


def _repaired(text: str, rule: str) -> Iterator[str]:
    """The text after each repair that applies."""
    if _THOUSANDS.search(text):
        yield _THOUSANDS.sub("_", text)
    if m := _NODES.fullmatch(text):
        yield f"{m[1]}{int(m[2]) * int(m[3])} x {m[4]}{m[5]} in nodes of {m[3]}"
    if rule != "file":
        yield from _applied((*_VALUES.get(rule, ()), *_ANY), text)
        return
    yield from _applied(_STATEMENTS, text)
    head = _HEAD.match(text)
    begin = head.end() if head else 0
    keyword = text[:begin].split(":")[0].split()[:1]
    row = BY_KEY.get(keyword[0]) if keyword else None
    own = _VALUES.get(row.value, ()) if row else ()
    yield from (text[:begin] + value for value in _applied((*own, *_ANY), text[begin:]))


def _applied(repairs: _Repairs, text: str) -> Iterator[str]:
    for pattern, template in repairs:
        if m := pattern.fullmatch(text):
            yield m.expand(template).rstrip()
