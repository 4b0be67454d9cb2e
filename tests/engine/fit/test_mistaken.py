"""What figures say of the names of their columns, conditions over words, and rows that a file hides."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from known import LIBRARY

from runplan.dsl.text.finding import Finding
from runplan.dsl.text.reader import Files
from runplan.dsl.text.source import Source
from runplan.engine.fit.kept import BadCondition
from runplan.engine.fit.kinds import kinds_apart, off_powers
from runplan.engine.fit.read.asked import Asked
from runplan.engine.fit.read.read import read_runs
from runplan.engine.fit.table import RunTable

NEEDS = ("params", "tokens", "loss")
SIZES = [(n, d) for n in (1e7, 4e7, 1.6e8, 6.4e8) for d in (1e9, 8e9, 6.4e10)]
ROWS = [(f"{n:.0f}", f"{d:.0f}", f"{1.7 + 400 / n**0.34 + 400 / d**0.28:.5f}") for n, d in SIZES]
HEAD = ("params", "tokens", "loss")


def written(*rows: tuple[str, ...], sign: str = ",") -> str:
    return "".join(sign.join(row) + "\n" for row in rows)


def read(text: str, **asked: object) -> tuple[RunTable | None, list[Finding]]:
    table, found = read_runs("r.csv", Files({"r.csv": text}), LIBRARY, Asked(needs=NEEDS, **asked))  # type: ignore[arg-type]
    return table, [one for one in found if one.code != "F014"]


def test_columns_the_other_way_round_are_asked_about_and_believed_when_said() -> None:
    swapped = written(HEAD, *((d, n, loss) for n, d, loss in ROWS))
    table, (said,) = read(swapped)
    assert (
        table is None and said.code == "F016" and said.severity == "error" and "0.00016 to 0.64 a param" in said.message
    )
    for columns in ({"params": "tokens", "tokens": "params"}, {"params": "params", "tokens": "tokens"}):
        table, found = read(swapped, columns=columns)
        assert table is not None and len(table) == 12 and not found


@given(st.sets(st.integers(0, 11), min_size=1, max_size=1))
def test_a_run_that_is_the_other_way_round_is_named_by_its_line(odd: set[int]) -> None:
    rows = [(f"{n:.0f}", f"{k * n:.0f}", "2.5") for n in (1e7, 4e7, 1.6e8) for k in (10, 20, 40, 80)]
    turned = [(d, n, loss) if i in odd else (n, d, loss) for i, (n, d, loss) in enumerate(rows)]
    table, (said,) = read(written(HEAD, *turned))
    assert table is None and said.code == "F016" and f"line {min(odd) + 2}" in said.message
    table, found = read(written(HEAD, *turned), columns={"params": "params", "tokens": "tokens"})
    assert table is not None and not found


def test_runs_of_few_tokens_among_others_are_taken_as_they_are() -> None:
    table, found = read(written(HEAD, *ROWS, ("6.4e8", "4e8", "3.2")))
    assert table is not None and not found


def test_a_loss_that_rises_is_asked_about() -> None:
    rows = [(n, d, f"{4 - float(loss) / 10:.4f}") for n, d, loss in ROWS]
    table, found = read(written(HEAD, *rows), uses=("compute",))
    assert table is None and [one.code for one in found] == ["F012", "F016"] and "grows with" in found[1].message
    table, found = read(written(HEAD, *rows), uses=("compute",), columns={"loss": "loss"})
    assert table is not None and [one.code for one in found] == ["F012"]


def test_points_of_one_run_are_said_and_runs_are_not() -> None:
    rows = [("1e8", f"{i}e8", f"{4 - i / 10}", f"{100 * i}") for i in range(1, 11)]
    _, (said,) = read(written((*HEAD, "step"), *rows))
    assert said.code == "F017" and said.severity == "warning" and "10 rows" in said.message
    _, found = read(written((*HEAD, "step"), *((n, d, loss, "1000") for n, d, loss in ROWS)))
    assert not found


@pytest.mark.parametrize(
    ("where", "count"),
    [
        ("objective = CLM", 8),
        ("objective == 'clm'", 8),
        ('objective != "CLM"', 4),
        ("objective=MLM and params < 1e9", 4),
        ("objective = CLM and N < 1e8", 4),
        ("seed > 1", 6),
        ("seed = 1 or objective = MLM", 8),
        ("compute <= 1e18 FLOP", 4),
    ],
)
def test_conditions_read_words_and_figures(where: str, count: int) -> None:
    more = [(*row, "MLM" if i % 3 == 2 else "CLM", str(1 + i % 2)) for i, row in enumerate(ROWS)]
    text = written(("N", "D", "loss", "objective", "seed"), *more)
    table, _ = read(text, uses=("compute",), where=where)
    assert table is not None and len(table) == count


@pytest.mark.parametrize(
    ("where", "says"),
    [
        ("objective = CLMM", "no run has `CLMM` as `objective`; did you mean `CLM`"),
        ("objektive = CLM", "did you mean `objective`"),
        ("params > 1e15", "holds of none of 12 runs"),
        ("objective", "unknown name"),
    ],
)
def test_conditions_that_cannot_be_used_are_said(where: str, says: str) -> None:
    text = written((*HEAD, "objective"), *((*row, "CLM" if i else "MLM") for i, row in enumerate(ROWS)))
    with pytest.raises(BadCondition) as said:
        read(text, where=where)
    assert says in str(said.value)


def test_what_a_condition_leaves_out_says_nothing() -> None:
    rows = [*ROWS, ("1e8", "1e9", "oops"), ("-1", "1e9", "2.5")]
    text = written((*HEAD, "kind"), *((*row, "a" if i < 12 else "b") for i, row in enumerate(rows)))
    assert read(text, where="kind = a")[1] == []
    assert [one.code for one in read(text)[1]] == ["F006", "F006"]


def test_tokens_follow_from_passes_over_fresh_ones() -> None:
    more = [(n, f"{float(d) / 4:.0f}", "4", loss) for n, d, loss in ROWS]
    table, _ = read(written(("params", "unique_tokens", "epochs", "loss"), *more))
    assert table is not None and table.values("tokens") == pytest.approx([d for _, d in SIZES])
    asked = Asked(needs=("params", "tokens", "data_tokens", "loss"), dims={"data_tokens": (("token", 1.0),)})
    more = [(n, d, "4", loss) for n, d, loss in ROWS]
    text = written(("params", "tokens", "epochs", "loss"), *more)
    table, _ = read_runs("r.csv", Files({"r.csv": text}), LIBRARY, asked)
    assert table is not None and table.values("data_tokens") == pytest.approx([d / 4 for _, d in SIZES])


@given(st.integers(0, 11), st.integers(0, 2))
def test_a_quote_that_is_not_closed_is_named_and_swallows_nothing(row: int, column: int) -> None:
    rows = [list(own) for own in ROWS]
    rows[row][column] = '"' + rows[row][column]
    table, found = read(written(HEAD, *map(tuple, rows)))
    if row == 11 and table is not None:
        # The last row: there is nothing behind it to be swallowed.
        assert len(table) + sum(one.code == "F006" for one in found) == 12
        return
    assert table is None and [one.code for one in found] == ["F013"] and f"line {row + 2} " in found[0].message


@given(st.sets(st.integers(0, 11), min_size=1, max_size=12))
def test_a_column_in_two_units_is_no_column_of_one(off: set[int]) -> None:
    rows = [(f"{float(n) / 1e9}" if i in off else n, d, loss) for i, (n, d, loss) in enumerate(ROWS)]
    table, found = read(written(HEAD, *rows))
    if len(off) > 3:
        assert table is None and {one.code for one in found} == {"F004"}
        assert found[0].at.span.line == min(off) + 2
    else:
        assert table is not None and len(table) == 12 - len(off) and [one.code for one in found] == ["F006"]


@pytest.mark.parametrize("remark", ["# our runs\n", "# N, D\n", "# a, b, c\n#\n# seed, 7 of them\n"])
def test_remarks_above_the_names_are_none(remark: str) -> None:
    table, found = read(remark + written(HEAD, *ROWS))
    assert table is not None and len(table) == 12 and not found and table.lines[0] == remark.count("\n") + 2
    named, _ = read("# " + written(HEAD, *ROWS))
    assert named is not None and np.array_equal(named.values("loss"), table.values("loss"))


def test_a_batch_that_is_too_large_for_sequences_is_of_tokens() -> None:
    asked = Asked(needs=("tokens", "batch"))
    rows = [(d, f"{0.3 * float(d) ** 0.65:.0f}") for _, d, _ in ROWS[:3]]
    table, (said,) = read_runs("r.csv", Files({"r.csv": written(("tokens", "batch_size"), *rows)}), LIBRARY, asked)
    assert table is not None and table.values("batch").max() > 1e5
    assert said.code == "F014" and "in tokens: it is too large for `batch_sequences`" in said.message
    text = written(("tokens", "batch_size"), *((d, "512") for _, d, _ in ROWS[:3]))
    table, (said,) = read_runs("r.csv", Files({"r.csv": text}), LIBRARY, asked)
    assert table is None and said.code == "F004" and "--column batch_sequences=batch_size" in said.help[0]


def test_what_would_tell_a_column_in_a_unit_that_is_said_is_named() -> None:
    text = written(("params", "steps", "batch_size", "loss"), *((n, "1000", "512", loss) for n, _, loss in ROWS))
    table, found = read(text)
    said = next(one for one in found if one.code == "F002")
    assert table is None and any("from `batch_size` in a unit that is said" in line for line in said.help)
    told, found = read(text, units={"batch": "tokens"})
    assert told is not None and told.values("tokens")[0] == 512_000 and "--unit batch=tokens" in str(said.help)


def test_words_of_few_kinds_are_kept_with_the_runs() -> None:
    more = [(*row, "a" if i % 2 else "b", f"r{i}", "H100") for i, row in enumerate(ROWS)]
    table, _ = read(written((*HEAD, "family", "note", "gpu"), *more))
    assert table is not None and [*table.kinds] == ["family"] and table.kinds["family"][:2] == ("b", "a")
    assert table.rows(np.array([1, 3])).kinds["family"] == ("a", "a")


@pytest.mark.parametrize("off", [0.0, 0.03])
def test_kinds_that_lie_apart_are_named(off: float) -> None:
    table, _ = read(written((*HEAD, "goal"), *((*row, "a" if i % 2 else "b") for i, row in enumerate(ROWS))))
    assert table is not None
    side = np.where(np.arange(12) % 2 == 1, off, -off)
    residuals = side + 0.01 * np.cos(np.arange(12) ** 2)
    found = [*kinds_apart(table, residuals, Source("r.csv", written((*HEAD, "goal"))))]
    assert [one.code for one in found] == (["F018"] if off else [])
    assert not found or ("`a` -3" in found[0].message and "`--where 'goal = " in found[0].help[0])


@pytest.mark.parametrize("off", [0.0, 0.3])
def test_kinds_that_keep_a_form_from_being_told_are_named_by_what_powers_leave(off: float) -> None:
    table, _ = read(written((*HEAD, "goal"), *((*row, "a" if i % 2 else "b") for i, row in enumerate(ROWS))))
    assert table is not None
    inputs = {name: table.values(name) for name in ("params", "tokens")}
    exact = 7 * inputs["params"] ** -0.1 * inputs["tokens"] ** -0.05
    left = off_powers(inputs, exact + off * np.array([0.0, 1.0] * 6))
    if not off:
        assert left == pytest.approx(np.zeros(12), abs=1e-9)
    else:
        assert [one.code for one in kinds_apart(table, left, Source("r.csv", ""))] == ["F018"]
    assert not len(off_powers({"share": np.array([0.0, 1.0])}, np.array([2.0, 3.0])))


def test_a_packed_file_and_a_letter_of_another_alphabet_are_named() -> None:
    for content, says in ((b"\x1f\x8b\x08\x00", "gzip"), (b"params,loss\n1,2\n\xe9,3\n", "line 3")):
        table, (said,) = read_runs("r.csv", Files({"r.csv": content}), LIBRARY, Asked(needs=NEEDS))
        assert table is None and said.code == "S003" and says in said.message


def test_a_line_of_a_spreadsheet_above_the_names_says_the_sign() -> None:
    table, found = read("sep=;\n" + written(HEAD, *ROWS, sign=";"))
    assert table is not None and not found and table.lines[0] == 3


@pytest.mark.parametrize("mark", ["*", " †", " (?)", "~"])
def test_a_mark_behind_a_figure_is_no_unit(mark: str) -> None:
    rows = [(n, d, loss + (mark if i == 4 else "")) for i, (n, d, loss) in enumerate(ROWS)]
    table, (said,) = read(written(HEAD, *rows))
    assert table is not None and len(table) == 11 and said.code == "F006" and "line 6" in said.message


def test_a_header_that_begins_with_the_quantity_is_offered() -> None:
    _, found = read(written(("params", "tokens", "loss_seed1", "loss_seed2"), *((*row, "3") for row in ROWS)))
    assert "`--column loss=loss_seed1`" in found[0].help[0]


def test_names_below_a_title_are_pointed_at() -> None:
    text = "Table 3: our runs\n\n" + written(HEAD, *ROWS)
    table, (said,) = read(text)
    assert table is None and said.code == "F013" and "in line 3" in said.help[0]
    assert read("# " + text)[0] is not None
