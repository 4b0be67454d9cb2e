"""Names that look like units of this field and are none, or are two: what to write instead."""

from __future__ import annotations

import re

from runplan.dsl.text.pattern import pattern

_JOIN = "join it to the number: `10T tokens`"
_MONEY = "write the currency's code after the number: `30M USD`"
_MASS = "write `tCO2eq` for emissions"
_TRAPS = {
    "m": "write `min`, `month`, or join `M` to the number: `30M USD`",
    **dict.fromkeys(("k", "K", "M", "T", "Ki", "Mi", "Gi", "Ti"), _JOIN),
    "G": "write `B` for 1e9, joined to the number: `7B params`",
    "P": "write the number in full (`1e15`), or a unit such as `PFLOP` or `PB`",
    "b": "write `bit` or `B` (a byte); 1e9 is a `B` joined to the number: `7B params`",
    **dict.fromkeys(("mo", "mos", "mth"), "write `months`"),
    **dict.fromkeys(("thousand", "thousands"), "join it to the number as K: `300K tokens`"),
    **dict.fromkeys(("million", "millions", "mn", "mio"), "join it to the number as M: `300M tokens`"),
    **dict.fromkeys(("billion", "billions", "bn"), "join it to the number as B: `300B tokens`"),
    **dict.fromkeys(("trillion", "trillions", "tn"), "join it to the number as T: `3T tokens`"),
    "PF": "write `PF-day` for an amount or `PFLOP/s` for a rate",
    **dict.fromkeys("$€£¥₩₹", _MONEY),
    **dict.fromkeys(("ND", "nd"), "leave the statement out: compute is 6 N D of the params and the tokens by itself"),
    **dict.fromkeys(("t", "ton", "tons", "tonne", "tonnes", "kg", "g", "CO2", "CO2eq"), _MASS),
}
_PREFIXES = {"kilo": "k", "mega": "M", "giga": "G", "tera": "T", "peta": "P", "exa": "E", "zetta": "Z"}
_PREFIX = f"({'|'.join(_PREFIXES)}|[kmgtpez]?)"
_COMPUTE = pattern(rf"{_PREFIX}f(?:lop)?s?(/s(?:ec(?:ond)?)?|ps)?([-*·/]days?)?", re.IGNORECASE)
_WORDS = {"byte": "B", "bit": "bit", "watt": "W", "watthour": "Wh", "joule": "J"}
_LONG = pattern(rf"({'|'.join(_PREFIXES)})({'|'.join(_WORDS)})s?", re.IGNORECASE)
_BITS = pattern(r"([kMGT]?)(b|bps)")


def spelled_out(text: str) -> str | None:
    """What to write for a unit of compute, or for one in full words, such as `petaflop/s-days`: of the same size."""
    if m := _LONG.fullmatch(text.replace("-", "")):
        return f"write `{_PREFIXES[m[1].lower()]}{_WORDS[m[2].lower()]}`"
    m = _COMPUTE.fullmatch(text)
    short = text.lower().endswith("flop") and len(text) <= len("PFLOP")  # but for its letter case that is a unit
    if m is None or short or not ("flop" in text.lower() or m[3]):
        return None
    prefix = _PREFIXES.get(m[1].lower(), "k" if m[1] in ("k", "K") else m[1].upper())
    if m[3]:
        return "write `PF-day`" if prefix == "P" else f"write `{prefix}FLOP/s*day`"
    if m[2]:
        return f"write `{prefix}FLOP/s`"
    return f"write `{prefix}FLOP` for an amount or `{prefix}FLOP/s` for a rate"


def trap(name: str) -> str | None:
    """What to write instead of a name that means several things, or another one than it seems."""
    if hint := _TRAPS.get(name):
        return hint
    if m := _BITS.fullmatch(name):
        return f"write `{m[1]}bit{'/s' if m[2] == 'bps' else ''}`; bytes are `{m[1]}B`"
    if name[:1] in "$€£¥₩₹" and name:
        return _MONEY
    return None
