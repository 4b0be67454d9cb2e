"""The dimensions that the language is about, by name."""

from __future__ import annotations

from runplan.dsl.units.dims import MONEY, Dim
from runplan.dsl.units.parse import unit

# The dimension of a point in time, counted in seconds since 1970; it mixes with nothing but itself.
DATE: Dim = (("date", 1.0),)


def dim_of(text: str) -> Dim:
    """The dimension of a unit by its name."""
    return unit(text).dim


TIME, GPU, PARAM, TOKEN, FLOP = dim_of("second"), dim_of("GPU"), dim_of("param"), dim_of("token"), dim_of("FLOP")
SEQUENCE, STEP, EPOCH, NODE = dim_of("sequence"), dim_of("step"), dim_of("epoch"), dim_of("node")
PRICE: Dim = (("GPU", -1.0), (MONEY, 1.0), ("second", -1.0))
