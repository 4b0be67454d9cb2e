"""Names that look like units of this field and are none, or are two: what to write instead."""

from __future__ import annotations

import re

_JOIN = "join it to the number: `10T tokens`"
_MONEY = "write the currency's code after the number: `30M USD`"
_MASS = "write `tCO2eq` for emissions"
_TRAPS = {
    "m": "write `min`, `month`, or join `M` to the number: `30M USD`",
    **dict.fromkeys(("k", "K", "M", "T", "Ki", "Mi", "Gi"), _JOIN),
    "G": "write `B` for 1e9, joined to the number: `7B params`",
    "P": "write the number in full (`1e15`), or a unit such as `PFLOP` or `PB`",
    "b": "write `bit` or `B` (a byte); 1e9 is a `B` joined to the number: `7B params`",
    "PF": "write `PF-day` for an amount or `PFLOP/s` for a rate",
    **dict.fromkeys("$€£¥₩₹", _MONEY),
    **dict.fromkeys(("t", "ton", "tons", "tonne", "tonnes", "kg", "g", "CO2", "CO2eq"), _MASS),
}
_FLOPS = re.compile(r"([kmgtpez]?)flops", re.IGNORECASE)
_BITS = re.compile(r"([kMGT]?)(b|bps)")


def trap(name: str) -> str | None:
    """What to write instead of a name that means several things, or another one than it seems."""
    if hint := _TRAPS.get(name):
        return hint
    if m := _FLOPS.fullmatch(name):
        prefix = "k" if m[1] in ("k", "K") else m[1].upper()
        return f"write `{prefix}FLOP` for an amount or `{prefix}FLOP/s` for a rate"
    if m := _BITS.fullmatch(name):
        return f"write `{m[1]}bit{'/s' if m[2] == 'bps' else ''}`; bytes are `{m[1]}B`"
    if name[:1] in "$€£¥₩₹" and name:
        return _MONEY
    return None
