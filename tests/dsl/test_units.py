"""Units and numbers: the table against pint, the traps, the algebra, and the text that people read."""

from __future__ import annotations

import math
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pint.util import UnitsContainer

from runplan.dsl.units import table as units
from runplan.dsl.units.dims import NONE, Dim, over, power, times
from runplan.dsl.units.make_table import module_of
from runplan.dsl.units.parse import is_binary, number, unit
from runplan.dsl.units.show import iso_date, json_unit, mismatch, show, show_dim
from runplan.dsl.units.table import Unit, UnknownUnit, table_of_units


def dim(text: str) -> Dim:
    return unit(text).dim


# --- the table -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(units.names()))
def test_table_equals_pint(name: str) -> None:
    registry: Any = units.registry()
    bases = units.table_of_units().bases
    base_of = {next(iter(registry.get_dimensionality(UnitsContainer({b: 1})))): b for b in bases}
    theirs = UnitsContainer({"percent" if name == "%" else registry.get_name(name.replace("-", "_")): 1})
    factor, _ = registry.get_root_units(theirs)
    dimension = {base_of[d]: float(e) for d, e in registry.get_dimensionality(theirs).items()}
    ours = unit(name)
    assert ours.factor == pytest.approx(float(factor), rel=1e-12, abs=0)
    assert dict(ours.dim) == dimension


def test_every_unit_of_pint_is_in_the_table() -> None:
    assert set(units.registry()._units) <= units.names()


def test_a_further_unit_is_one_line() -> None:
    text = Path(units.PATH).read_text(encoding="utf-8")
    table = units.read_table(text + "\nshard = 512 * token = _ = shd\nSEK = [currency_SEK]\n").units
    assert table["shards"] == table["shd"] == table["shds"] == Unit(512.0, (("token", 1.0),))
    assert table["SEK"] == Unit(1.0, (("SEK", 1.0),))
    assert "SEK" in units.read_table("SEK = [currency_SEK]").currencies
    assert units.read_table("a = 2 * b\nb = [b]").units["a"] == Unit(2.0, (("b", 1.0),))


@pytest.mark.parametrize(
    "line",
    ["kilo- = 1e3 = k-", "@alias day = Tag", "day = 3 * second", "x = 2 * y", "x = x", "x = (2 * day)", "x",
     "x = 2 day", "x = day ** 2", "x =", "= 3", "9x = 2 * day", "_ = 2 * day"],
)  # fmt: skip
def test_a_line_of_another_form_is_refused(line: str) -> None:
    with pytest.raises(ValueError):
        units.read_table(Path(units.PATH).read_text(encoding="utf-8") + f"\n{line}\n")


def test_pint_is_not_imported_to_read_a_unit() -> None:
    code = "import sys; from runplan.dsl.units.parse import unit; unit('PF-day'); assert 'pint' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


# --- reading a unit --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "factor", "same"),
    [
        ("month", 30 * 86400, "second"),
        ("year", 365 * 86400, "second"),
        ("wk", 7 * 86400, "second"),
        ("USD/GPU/hour", 1 / 3600, "USD/GPU/second"),
        ("USD/GPU-hour", 1 / 3600, "USD/GPU/hour"),
        ("USD/GPU*hour", 3600, "USD/GPU*second"),
        ("GPU-hours", 3600, "GPU*second"),
        ("GPU·hours", 3600, "GPU*second"),
        ("cards", 1, "GPU"),
        ("TFLOP/s", 1e12, "FLOPS"),
        ("TFLOPS", 1e12, "FLOP/second"),
        ("ZFLOP", 1e21, "FLOP"),
        ("PF-day", 8.64e19, "FLOP"),
        ("PF-days", 8.64e19, "FLOP"),
        ("PF_day", 8.64e19, "FLOP"),
        ("PF-days/GPU", 8.64e19, "FLOP/GPU"),
        ("TFLOPS-day", 8.64e16, "FLOP"),
        ("watt-hours", 1, "Wh"),
        ("kW-h", 1000, "Wh"),
        ("W*s", 1 / 3600, "J"),
        ("MJ", 1e6 / 3600, "Wh"),
        ("gCO2eq/kWh", 1e-9, "tCO2/Wh"),
        ("characters/token", 1, "char/tok"),
        ("tok/param", 1, "tokens/parameter"),
        ("TB", 1e12, "byte"),
        ("GiB", 2**30, "byte"),
        ("Gbit/s", 1e9 / 8, "B/s"),
        ("%", 0.01, "1"),
        ("1/s", 1, "s^-1"),
        ("param^0.35", 1, "param^0.35"),
        ("kB^0.5", math.sqrt(1000), "byte^0.5"),
        ("hour^-1-GPU", 1 / 3600, "GPU/s"),
        ("seqs/step", 1, "sequence/step"),
    ],
)
def test_unit(text: str, factor: float, same: str) -> None:
    assert unit(text).factor == pytest.approx(factor, rel=1e-12)
    assert unit(text).dim == dim(same)


def test_dimensions_that_do_not_mix() -> None:
    names = ["token", "char", "param", "FLOP", "GPU", "byte", "s", "Wh", "tCO2eq", "nat", *units.currencies()]
    assert len({dim(n) for n in names}) == len(names) == 20
    assert all(dim(n) != NONE for n in names)


# Of the table of what pint does with our strings: every one is read right above, or refused here.
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("FLOPs", "write `FLOP` for an amount or `FLOP/s` for a rate"),
        ("TFLOPs", "write `TFLOP` for an amount or `TFLOP/s` for a rate"),
        ("tflops", "write `TFLOP` for an amount"),
        ("m", "`min`, `month`"),
        ("M", "join it to the number: `10T tokens`"),
        ("T", "join it to the number: `10T tokens`"),
        ("k", "join it to the number"),
        ("G", "`7B params`"),
        ("P", "`PFLOP`"),
        ("b", "`bit`"),
        ("$", "`30M USD`"),
        ("€", "`30M USD`"),
        ("$30", "`30M USD`"),
        ("PF", "`PF-day`"),
        ("PF/s", "`PF-day`"),
        ("PFLOP/s-day", "`PF-day`"),
        ("petaflop/s-days", "`PF-day`"),
        ("pfs-days", "`PF-day`"),
        ("PF/s-day", "`PF-day`"),
        ("TFLOP/s-days", "`TFLOP/s*day`"),
        ("exaflop/s-days", "`EFLOP/s*day`"),
        ("petaflops", "`PFLOP` for an amount"),
        ("teraflop/s", "`TFLOP/s`"),
        ("gigabytes", "`GB`"),
        ("megawatt-hours", "`MWh`"),
        ("mo", "`months`"),
        ("billion", "`300B tokens`"),
        ("t", "`tCO2eq`"),
        ("ton", "`tCO2eq`"),
        ("tonnes", "`tCO2eq`"),
        ("Gb/s", "`Gbit`"),
        ("Gbps", "`Gbit/s`"),
        ("6 months 3 days", "one word"),
        ("h/2 d", "one word"),
        ("hour @ 2", "one word"),
        ("USD/months_left", "blanks round the `/`"),
        ("USD//hour", "one word"),
        ("", "one word"),
        ("TB^400", "smaller exponent"),
    ],
)
def test_traps_are_refused_with_a_hint(text: str, said: str) -> None:
    with pytest.raises(UnknownUnit) as e:
        unit(text)
    assert said in (e.value.hint or "")
    assert said in str(e.value)
    assert not e.value.suggestions


@pytest.mark.parametrize(
    "text",
    ["h;2", "h^", "^2", "2", "2/s", "s/1", "h^1e5", "h^²", "nan", "inf", "_", "9**9**7", "(" * 2000,
     "x" * 10000, "H100*hours", "__import__('os')", "foo", "[1,2]", "s^--1", "s-", "-s", "s^1/3", "s*", "²"],
)  # fmt: skip
def test_what_is_no_unit_is_refused(text: str) -> None:
    with pytest.raises(UnknownUnit) as e:
        unit(text)
    assert e.value.hint != ""
    assert str(pickle.loads(pickle.dumps(e.value))) == str(e.value)


@given(st.text(max_size=30) | st.text("1hsGPU-*/·^.%BT ", max_size=12))
def test_any_text_is_a_unit_or_refused(text: str) -> None:
    try:
        one = unit(text)
    except UnknownUnit as e:
        assert e.name or not text
        assert len(e.suggestions) <= 3
    else:
        assert 0 < one.factor < math.inf


@pytest.mark.parametrize(
    ("text", "first"),
    [("tokns", "tokens"), ("Tokens", "tokens"), ("gb", "GB"), ("kwh", "kWh"), ("mounth", "month"),
     ("usdd", "USD"), ("KB", "kB"), ("paramters", "parameters"), ("tflop", "TFLOP"), ("eUr", "EUR"),
     ("GiBs", "GiB")],
)  # fmt: skip
def test_suggestions(text: str, first: str) -> None:
    with pytest.raises(UnknownUnit) as e:
        unit(text)
    assert e.value.suggestions[0] == first
    assert e.value.hint is None


@pytest.mark.parametrize("text", ["YFLOP", "xflop/s", "YB", "QWh"])
def test_no_suggestion_is_of_another_order_of_magnitude(text: str) -> None:
    with pytest.raises(UnknownUnit) as e:
        unit(text)
    assert e.value.suggestions == ()


# --- reading a number ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"),
    [("10T", 1e13), ("1_000", 1000), ("3e-4", 3e-4), ("7B", 7e9), ("50k", 5e4), ("50K", 5e4), ("30M", 3e7),
     ("85Mi", 85 * 1024**2), ("4Ki", 4096), ("2Gi", 2**31), ("0", 0), ("2.3T", 2.3e12), ("1.1B", 1.1e9),
     ("0.1", 0.1), ("1E+3", 1000), ("226.5B", 226.5e9), ("0.7T", 0.7e12), ("1e3M", 1e9), ("010", 10)],
)  # fmt: skip
def test_number(text: str, value: float) -> None:
    assert number(text) == value
    assert is_binary(text) == text.endswith("i")


@pytest.mark.parametrize(
    "text",
    ["", "nan", "inf", "-1", "+1", "1e400", "1e99999", "1e-400", "9e307T", "1,5", "1.", ".5", "1__0", "_1",
     "1_", "1m", "1b", "10TB", "10 T", " 1", "1\n", "9**9**7", "0x10", "1e", "1Pi", "٣", "1:30", "T",
     "$30", "1e5.5", "1j"],
)  # fmt: skip
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        number(text)
    assert not is_binary(text)


@given(st.floats(min_value=0, allow_infinity=False))
def test_number_reads_what_python_writes(value: float) -> None:
    assert number(repr(value)) == value


# --- the algebra -----------------------------------------------------------------------------------

bases = st.sampled_from(sorted(units.table_of_units().bases))
exponents = st.integers(-6, 6).map(float) | st.floats(-4, 4).map(lambda e: round(e, 4))
dims = st.dictionaries(bases, exponents, max_size=4).map(lambda d: power(tuple(d.items()), 1))


@given(dims, dims, dims)
def test_products_and_quotients(a: Dim, b: Dim, c: Dim) -> None:
    assert times(a, b) == times(b, a)
    assert times(times(a, b), c) == times(a, times(b, c))
    assert over(times(a, b), b) == a
    assert times(over(a, b), b) == a
    assert over(a, a) == NONE
    assert times(a, NONE) == a
    assert list(times(a, b)) == sorted(times(a, b))
    assert all(e for _, e in times(a, b))


@given(dims, dims, st.sampled_from([1 / 3, 0.35, 0.5, 2.0, -1.0, 3.0, 0.2849, 1.5]))
def test_powers(a: Dim, b: Dim, e: float) -> None:
    assert power(a, 0) == NONE
    assert power(a, 1) == a
    assert power(a, -1) == over(NONE, a)
    assert power(a, 2) == times(a, a)
    assert power(power(a, e), 1 / e) == a
    assert power(times(a, b), 2) == times(power(a, 2), power(b, 2))


def test_noise_of_sums_is_dropped() -> None:
    a, b, c = (power(dim("s"), e) for e in (0.1, 0.2, 0.3))
    assert times(a, b) == c
    assert over(times(a, b), c) == NONE
    for bad in (math.nan, math.inf):
        with pytest.raises(ValueError):
            power(a, bad)


# --- writing ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "name", "shown"),
    [
        (10e12, "token", "10T tokens"),
        (226.5e9, "param", "226.5B params"),
        (7e9, "param", "7B params"),
        (1, "token", "1 token"),
        (4096, "tokens/sequence", "4096 tokens/sequence"),
        (999_999_999, "token", "1B tokens"),
        (6, "month", "6 months"),
        (1, "year", "1 year"),
        (180.5, "day", "180.5 days"),
        (45, "day", "45 days"),
        (1, "day", "1 day"),
        (36, "hour", "36 hours"),
        (90, "minute", "90 minutes"),
        (119, "second", "119 seconds"),
        (0, "second", "0 seconds"),
        (30e6, "USD", "30M USD"),
        (138_240, "USD", "138,240 USD"),
        (123.45, "EUR", "123.45 EUR"),
        (47_657.36, "EUR", "47,657 EUR"),
        (999_999.999, "USD", "1M USD"),
        (0.001, "USD", "0.001 USD"),
        (0, "USD", "0 USD"),
        (-12, "USD", "-12 USD"),
        (6.1548e24, "FLOP", "6.155e24 FLOP"),
        (395.8, "TFLOP/s", "395.8 TFLOP/s"),
        (999.99, "TFLOP/s", "1 PFLOP/s"),
        (395.8, "TFLOP/s/GPU", "395.8 TFLOP/s/GPU"),
        (4.32e6, "GPU-hours", "4.32M GPU-hours"),
        (138_240, "GPU-hours", "138,240 GPU-hours"),
        (1, "GPU-hour", "1 GPU-hour"),
        (2.5, "USD/GPU/hour", "2.5 USD/GPU/hour"),
        (2.375, "USD/GPU/hour", "2.375 USD/GPU/hour"),
        (1000, "GPU", "1000 GPU"),
        (16384, "GPU", "16,384 GPU"),
        (80, "GB", "80 GB"),
        (3.35, "TB/s", "3.35 TB/s"),
        (4.25, "bytes/token", "4.25 bytes/token"),
        (449_839, "kWh", "449.8 MWh"),
        (4.5, "GWh", "4.5 GWh"),
        (700, "W", "700 W"),
        (173.2, "tCO2eq", "173.2 tCO2eq"),
        (380, "gCO2eq/kWh", "380 gCO2eq/kWh"),
        (1.974, "nat/token", "1.974 nat/token"),
        (20, "token/param", "20 tokens/param"),
        (6, "FLOP/param/token", "6 FLOP/param/token"),
        (0.4, "1", "0.4"),
        (0, "1", "0"),
        (-0.0, "1", "0"),
        (2.3e6, "1", "2.3e6"),
        (9999.96, "1", "10,000"),
        (3, "1/s", "3/second"),
        (3, "1/s^2*GPU", "3 GPU/second^2"),
        (math.nan, "USD", "undefined"),
        (math.inf, "USD", "infinite"),
    ],
)
def test_show(value: float, name: str, shown: str) -> None:
    one = unit(name)
    assert show(value * one.factor, one.dim) == shown


def test_show_with_other_digits() -> None:
    assert show(226.54321e9, dim("param"), 2) == "230B params"
    assert show(226.54321e9, dim("param"), 7) == "226.5432B params"
    assert show(0.123456, NONE, 1) == "0.1"


# A date is shown as a day of the calendar.
SHOWN = [*sorted(units.names() - {"date", "dates"}), "USD/GPU/hour", "EUR/kWh", "GPU-hours", "TFLOP/s", "TFLOP/s/GPU",
         "nat/token", "1", "gCO2eq/kWh", "tokens/param", "bytes/token", "tokens/step", "param*token",
         "FLOP^0.35", "USD/token"]  # fmt: skip


@given(st.floats(1e-12, 1e40) | st.integers(1, 10**15).map(float), st.sampled_from(SHOWN), st.integers(3, 6))
def test_what_is_shown_reads_back(value: float, name: str, digits: int) -> None:
    figure, _, shown = show(value, dim(name), digits).partition(" ")
    one = unit(shown or "1")
    assert one.dim == dim(name)
    # Money is shown to the cent, by whatever name of a currency.
    money = len(one.dim) == 1 and one.dim[0][0] in units.currencies() and one.dim[0][1] == 1
    near = pytest.approx(value, rel=10 ** (1 - digits), abs=0.00501 if money else 0)
    assert number(figure.replace(",", "")) * one.factor == near


@given(st.floats(), dims, st.integers(1, 17))
def test_show_never_fails(value: float, d: Dim, digits: int) -> None:
    shown = show(value, d, digits)
    assert "nan" not in shown
    assert "inf" not in shown or math.isinf(value)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("1", "a plain number"),
        ("USD/GPU/hour", "USD/GPU/second"),
        ("tokens/param", "token/param"),
        ("hour-GPU", "GPU*second"),
        ("tokens*params", "param*token"),
        ("1/day", "1/second"),
        ("gCO2eq/kWh", "tCO2eq/Wh"),
        ("FLOP/token/param", "FLOP/param/token"),
        ("param^0.35/s^2", "param^0.35/second^2"),
    ],
)
def test_show_dim(name: str, shown: str) -> None:
    assert show_dim(dim(name)) == shown


@pytest.mark.parametrize(
    ("name", "json", "divisor"),
    [
        *((n, n, 1) for n in ("param", "token", "FLOP", "second", "GPU", "tCO2eq", "nat/token", "byte", "USD")),
        ("1", "1", 1),
        ("GPU*hour", "GPU*hour", 3600),
        ("MWh", "kWh", 1000),
        ("TFLOP/s", "FLOP/second", 1),
        ("tokens/param", "token/param", 1),
        ("EUR/GPU/hour", "EUR/GPU/hour", 1 / 3600),
        ("kW", "W", 1 / 3600),
        ("gCO2eq/kWh", "gCO2eq/kWh", 1e-9),
    ],
)
def test_json_unit(name: str, json: str, divisor: float) -> None:
    shown, by = json_unit(dim(name))
    assert shown == json
    assert by == pytest.approx(divisor, rel=1e-12)


@given(dims)
def test_json_unit_is_a_unit(d: Dim) -> None:
    name, divisor = json_unit(d)
    # What is counted one by one, such as steps, has no unit there.
    counted = d if name != "1" else NONE
    assert (unit(name).dim, unit(name).factor) == (counted, divisor)


@pytest.mark.parametrize(
    ("left", "right", "side", "said"),
    [
        ("USD", "USD", "right", None),
        ("token/param", "param/token", "right", "invert the right side"),
        ("token/param", "param/token", "left", "invert the left side"),
        ("GPU*hour", "hour", "right", "multiply the right side by a `GPU` factor"),
        ("GPU*hour", "hour", "left", "divide the left side by a `GPU` factor"),
        ("FLOP/s", "FLOP", "right", "divide the right side by a `second` factor"),
        ("sequence*token", "token", "right", "multiply the right side by a `sequence` factor"),
        ("byte^2*s", "s", "right", "multiply the right side by a `byte^2` factor"),
        ("USD", "EUR", "right", None),
        ("token", "USD/s", "right", None),
    ],
)
def test_mismatch(left: str, right: str, side: str, said: str | None) -> None:
    assert mismatch(dim(left), dim(right), side) == said


@pytest.mark.parametrize(
    ("seconds", "day"),
    [
        (0.0, "1970-01-01"),
        (1_767_225_600.0, "2026-01-01"),
        (253_402_300_799.0, "9999-12-31"),
        (253_402_300_800.0, "+10000-01-01"),
        (305_512_000_000.0, "+11651-04-16"),
        (-1.0, "1969-12-31"),
    ],
)
def test_a_date_of_any_year(seconds: float, day: str) -> None:
    """A run of ten thousand years is a poor plan, and no reason to fail."""
    assert iso_date(seconds) == day


def test_the_table_of_the_wheel_is_that_of_the_text() -> None:
    table = table_of_units()
    held: dict[str, Any] = {}
    exec(module_of(table), held)
    assert {name: Unit(*one) for name, one in held["UNITS"].items()} == table.units
    assert (held["BASES"], frozenset(held["CURRENCIES"])) == (table.bases, table.currencies)
