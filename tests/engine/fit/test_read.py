"""Files of runs, as people and programs write them, into the runs that can be used and what is said of the others."""

from __future__ import annotations

import re
import shlex

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from known import LIBRARY

from runplan.dsl.text.finding import Finding
from runplan.dsl.text.reader import Files
from runplan.dsl.units.base import dim_of
from runplan.engine.fit.read.asked import Asked
from runplan.engine.fit.read.read import read_runs
from runplan.engine.fit.read.words import Words, sorts_of
from runplan.engine.fit.table import RunTable

NEEDS = ("params", "tokens", "loss")
WORDS = Words(sorts_of(LIBRARY, {}))


def read(
    text: str | bytes, asked: Asked | None = None, path: str = "runs.csv"
) -> tuple[RunTable | None, list[Finding]]:
    table, findings = read_runs(path, Files({path: text}), LIBRARY, asked or Asked(needs=NEEDS))
    return table, [found for found in findings if found.code != "F014"]


def runs(text: str | bytes, asked: Asked | None = None) -> RunTable:
    table, _ = read(text, asked)
    assert table is not None
    return table


def codes(text: str | bytes, asked: Asked | None = None) -> list[str]:
    return sorted(found.code for found in read(text, asked)[1])


@pytest.mark.parametrize(
    ("header", "quantity", "factor"),
    [
        ("N", "params", 1),
        ("tokens (B)", "tokens", 1e9),
        ("params [M]", "params", 1e6),
        ("Model Size", "params", 1),
        ("Size (B params)", "params", 1e9),
        ("D, billions", "tokens", 1e9),
        ("n_tokens_billion", "tokens", 1e9),
        ("tokens_seen (1e9)", "tokens", 1e9),
        ("D (in billions of tokens)", "tokens", 1e9),
        ("params, in millions", "params", 1e6),
        ("compute_pf_days", "compute", 8.64e19),
        ("C [PF-days]", "compute", 8.64e19),
        ("compute (1e18 FLOPs)", "compute", 1e18),
        ("flops (x10^18)", "compute", 1e18),
        ("loss_nats", "loss", 1),
        ("loss / nats", "loss", 1),
        ("loss (val)", "loss", 1),
        ("val_loss (bits)", "loss", np.log(2)),
        ("bpb", "loss", np.log(2)),
        ("train/loss", "loss", 1),
        ("run-1 - metrics/train/loss", "loss", 1),
        ("trainLoss", "loss", 1),
        ("train_time_h", "time", 3600),
        ("elapsed time per iteration (ms)", "step_time", 1e-3),
        ("MFU (%)", "mfu", 0.01),
        ("token_multiplier", "tokens_per_param", 1),
    ],
)
def test_headers_say_a_quantity_and_a_unit(header: str, quantity: str, factor: float) -> None:
    found = WORDS.read(header)
    assert found is not None and found.sort.name == quantity
    unit = found.sort.unit(found.unit) if found.unit else found.sort.units[""]
    assert unit is not None and unit.factor == pytest.approx(factor, rel=1e-12)


@pytest.mark.parametrize("header", ["foo", "run - train/loss__MIN", "", "N_kv", "loss_scale"])
def test_what_is_no_quantity_is_none(header: str) -> None:
    assert WORDS.read(header) is None


RUNS = [(1.5e9, 3e10, 2.5), (2e9, 4e10, 2.4)]


@pytest.mark.parametrize(
    "text",
    [
        "N,D,loss\n1.5e9,3e10,2.5\n2e9,4e10,2.4\n",
        "\ufeffN;D;loss\r\n1,5e9;3e10;2,5\r\n2e9;4e10;2,4\r\n",
        "# of July\nN\tD\tloss\n1.5B\t30B tokens\t2.5 nats\n\n2B params\t40,000,000,000\t2.4\n",
        'model size,"D, billions",loss\n"1,500,000,000",30,2.5\n"2,000,000,000",40,2.4\n',
        "N|D|loss|\n1.5B|30B|2.5|\n2B|40B|2.4|\n",
        "N (B);D (B);Loss\n1,5;30,0;2,5\n2;40;2,4\n",
        "N D loss\n1.5e9 3e10 2.5\n2e9 4e10 2.4\n",
        "params (M);tokens (B);loss (bits)\n1.500,0;30;3,606737602222409\n2.000,0;40;3,462468098133513\n",
        "N,D,loss\n[M],[B],[nats/token]\n1500,30,2.5\n2000,40,2.4\n",
        "N,tokens_per_param,loss\n1.5e9,20,2.5\n2e9,20,2.4\n",
        "N,C,perplexity\n1.5e9,2.7e20,12.182493960703473\n2e9,4.8e20,11.023176380641601\n",
        "D,C,loss\n3e10,2.7e20,2.5\n4e10,4.8e20,2.4\n",
        "N,batch_tokens,steps,loss\n1.5e9,1e6,30000,2.5\n2e9,1e6,40k,2.4\n",
    ],
)
def test_one_table_however_it_is_written(text: str) -> None:
    table = runs(text.encode())
    found = np.array([table.values(name) for name in NEEDS]).T
    assert found == pytest.approx(np.array(RUNS), rel=1e-9)
    assert table.columns["loss"].dim == dim_of("nat/token")


def test_a_spreadsheets_unicode_text_is_read() -> None:
    assert len(runs("\ufeffN\tD\tloss\r\n1e9\t2e10\t2.5\r\n".encode("utf-16-le"))) == 1


BAD = """\
params [M],tokens (B),val loss (bits)
125,2.5,4.5
350,7,4.1
350,7,4.2
350,7,4.2
125,2.5,
125,2.5,nan
-5,1,3
0,1,3
abc,1,3
1,2
1,2,3,4
125,2.5 FLOP,3
125,2.5,2700
"""


def test_each_bad_row_is_named_by_its_line_and_reason() -> None:
    table, findings = read(BAD)
    assert table is not None and table.lines == (2, 3, 4)
    assert [(f.code, f.at.span.line, f.at.span.column) for f in findings] == [
        ("F008", 3, 1), ("F007", 5, 1), ("F006", 6, 9), ("F010", 7, 9), ("F006", 8, 1), ("F006", 9, 1), ("F006", 10, 1),
        ("F006", 11, 1), ("F006", 12, 1), ("F006", 13, 5), ("F006", 14, 9),
    ]  # fmt: skip
    assert [f.severity for f in findings if f.code == "F006"] == ["warning"] * 8


def test_a_hundred_bad_rows_of_one_reason_are_one_finding() -> None:
    table, findings = read("N,D,loss\n" + "1e9,2e10,2.5\n" + "1e9,2e10,oops\n" * 100)
    assert table is not None and len(findings) == 1
    assert findings[0].message.startswith("100 rows left out, with `oops` as `loss`: no number: lines 3, 4, 5,")
    assert findings[0].message.endswith("and 90 more")


def test_rows_that_are_no_figures_alike_are_one_finding() -> None:
    text = "N,D,loss\n1e9,2e10,2.5\n" + "".join(
        f"{i}e9,2e10,{3 - i / 100:.2f}-{3.1 - i / 100:.2f}\n" for i in range(2, 30)
    )
    _, (said,) = read(text)
    assert said.code == "F006" and said.message.startswith("28 rows left out, with `2.98-3.08` as `loss`")


@pytest.mark.parametrize(
    ("rates", "says"), [(("3e-4", "3e-4"), "inputs: they"), (("3e-4", "1e-3"), "differ in `peak_lr`: they")]
)
def test_runs_of_the_same_inputs_say_what_they_differ_in(rates: tuple[str, str], says: str) -> None:
    rows = "".join(f"1e9,2e10,{loss},{rate}\n" for loss, rate in zip(("2.5", "2.6"), rates, strict=True))
    _, (said,) = read("N,D,loss,peak_lr\n" + rows)
    assert said.code == "F008" and says in said.message


def test_rows_that_repeat_others_are_said_to_be_those() -> None:
    _, (said,) = read("N,D,loss\n1e9,2e10,2.5\n2e9,2e10,2.4\n1e9,2e10,2.5\n2e9,2e10,2.4\n")
    assert said.message == "2 rows left out, each as in a line before it, to the letter: lines 4, 5"


@pytest.mark.parametrize(
    ("text", "code", "says"),
    [
        ("", "F001", "empty"),
        ("N,D,loss\n", "F001", "no runs"),
        ("N,D,loss\n1,2\n", "F001", "none of 1 row"),
        ("N,D,train_loss,val_loss\n1e9,2e10,2,3\n", "F003", "`val_loss`, `train_loss` may each be `loss`"),
        ("N,D\n1e9,2e10\n", "F002", "no column for `loss`"),
        ("N,D,loss\n7,14e10,2.5\n13,26e10,2.4\n", "F004", "`N` is 7 params in line 2"),
        ("N,D,loss\n7e9,14e10,2500\n13e9,26e10,2400\n", "F004", "2500 nat/token"),
        ("N,D,loss (hours)\n7e9,14e10,25\n", "F004", "`loss (hours)` is in seconds"),
        ("N;D;loss\n1,234;2e10;2\n", "F005", "`1,234` of `N`"),
        ("7e9,14e10,2.5\n", "F013", "no names of columns"),
        ("N,D,loss\n1e9,2e10,2.5\nD,N,loss\n4e10,2e9,2.4\n", "F013", "line 3 has the names of line 1 in another order"),
        ("hello world\nthis is text\n", "F013", "no column that is known: `hello world`"),
        ("N,D,loss,loss\n1e9,2e10,2.5,2.4\n", "F003", "`loss`, `loss` may each be `loss`"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "S003", "not UTF-8"),
        (b"N,D,loss\n\x00\n", "S003", "NUL"),
    ],
)
def test_what_cannot_be_known_is_asked(text: str | bytes, code: str, says: str) -> None:
    table, findings = read(text)
    assert table is None
    assert [f.code for f in findings if f.severity == "error"] == [code]
    assert says in next(f.message for f in findings if f.code == code)


def test_what_is_asked_can_be_said() -> None:
    both = "N,D,train_loss,val_loss\n1e9,2e10,2,3\n"
    assert runs(both, Asked(needs=NEEDS, columns={"loss": "val_loss"})).values("loss") == [3]
    assert runs("N,D,loss\n7,140,2.5\n", Asked(needs=NEEDS, units={"params": "B", "tokens": "B"})).values("params") == [
        7e9
    ]
    commas = "N;D;loss\n1,234e9;2e10;2\n"
    assert runs(commas, Asked(needs=NEEDS, decimal=",")).values("params") == [1.234e9]
    odd = "N,D,Verlust\n1e9,2e10,2.5\n"
    assert runs(odd, Asked(needs=NEEDS, columns={"loss": "Verlust"})).values("loss") == [2.5]
    assert codes(odd, Asked(needs=NEEDS, columns={"loss": "Verlist"})) == ["F002"]


def test_a_file_that_has_decimal_commas_somewhere_has_them_everywhere() -> None:
    table = runs("N;D;loss\n1.5B;30B;2,512\n2B;40B;2,4\n".replace("1.5B", "1,5B"))
    assert table.values("loss") == pytest.approx([2.512, 2.4])


def test_figures_that_contradict_the_compute_are_named_row_by_row() -> None:
    _, findings = read("N,D,C,loss\n7e9,140e9,5.88e21,2.5\n13e9,260e9,3e22,2.3\n")
    assert [(f.code, f.at.span.line) for f in findings] == [("F009", 3)]
    assert "1.48 times" in findings[0].message
    # A law may count its params without the embeddings: the file says which by its figures.
    assert codes("params,params_non_embedding,D,C,loss\n8e9,7e9,140e9,5.88e21,2.5\n") == []


def test_runs_that_diverged_or_did_not_end_are_left_out() -> None:
    text = "N,D,target_tokens,vocab,state,loss\n1e9,2e10,2e10,256,finished,2.5\n"
    text += "1e9,1e10,2e10,256,finished,2.7\n2e9,2e10,2e10,256,crashed,2.6\n2e9,2e10,2e10,256,finished,7.1\n"
    table, findings = read(text)
    assert table is not None and table.lines == (2,)
    assert sorted((f.code, f.at.span.line) for f in findings) == [("F010", 5), ("F011", 3), ("F011", 4)]


def test_a_run_that_diverged_is_known_by_a_smaller_one_and_one_that_broke_off_by_its_steps() -> None:
    text = "N,D,loss,steps,max_steps\n1e9,2e10,2.8,1e4,1e4\n2e9,4e10,10.9,1e4,1e4\n4e9,8e10,2.4,4e3,1e4\n"
    table, findings = read(text)
    assert table is not None and table.lines == (2,)
    assert sorted((f.code, f.at.span.line) for f in findings) == [("F010", 3), ("F011", 4)]


@given(st.floats(0.01, 1.0), st.floats(1.6, 4.0))
def test_a_run_that_diverged_is_known_by_one_of_a_little_more_tokens(size: float, worse: float) -> None:
    other = f"{1e9 * np.exp(-size):.6g},{2e10 * np.exp(size):.6g},2.8"
    text = f"N,D,loss\n{other}\n1e9,2e10,{2.8 * np.exp(abs(size)) * worse:.6g}\n"
    assert codes(text) == ["F010"]
    assert codes(text.replace(text.split(",")[-1], "3.1\n")) == []


def test_a_loss_below_zero_is_one_mistake() -> None:
    assert codes("N,D,loss\n1e9,2e10,2.8\n2e9,4e10,-2.5\n4e9,8e10,2.4\n") == ["F006"]
    assert codes("N,D,loss\n1e9,2e10,2.8\n0,4e10,2.5\n4e9,8e10,2.4\n") == ["F006"]


def test_rows_of_which_none_can_be_used_contradict_nothing() -> None:
    assert codes("N,D,compute,loss\nbig,2e10,1e20,2.8\nhuge,4e10,1e20,2.5\n") == ["F001", "F006"]


def test_the_line_below_the_names_of_a_markdown_table_is_no_run() -> None:
    text = "| N | D | loss |\n|:--|---|--:|\n| 1e9 | 2e10 | 2.8 |\n| 2e9 | 4e10 | 2.5 |\n"
    assert runs(text).lines == (3, 4) and codes(text) == []


def test_a_comma_that_can_be_read_one_way_only_is_read_so() -> None:
    table = runs("N;D;loss\n1e9;2e10;2,812\n2e9;4e10;2,523\n")
    assert list(table.values("loss")) == [2.812, 2.523]


def test_names_of_models_that_have_their_sizes_are_offered() -> None:
    _, findings = read("model,D,loss\n7B,1T,2.0\n1.3B,300B,2.3\n")
    assert "if `model` is it: `--column params=model`" in findings[0].help
    asked = Asked(needs=NEEDS, columns={"params": "model"})
    assert list(runs("model,D,loss\n7B,1T,2.0\n1.3B,300B,2.3\n", asked).values("params")) == [7e9, 1.3e9]


@pytest.mark.parametrize("header", ["pile test loss", "it's loss", "loss/held out", "$loss"])
def test_a_column_that_is_offered_is_pasted_into_a_shell(header: str) -> None:
    text = f'N,D,"{header}"\n1e9,2e10,2.8\n2e9,4e10,2.5\n'
    table, findings = read(text)
    if table is None:
        (said,) = re.findall("`(--column .*)`", findings[0].help[0])
        _, one = shlex.split(said)
        table = runs(text, Asked(needs=NEEDS, columns={"loss": one.partition("=")[2]}))
    assert list(table.values("loss")) == [2.8, 2.5]


@given(st.lists(st.sampled_from([*"ND,;\t|\n\"' .eE-+_%#0123456789", "loss", "NaN", "1,5", "B"]), max_size=60))
def test_any_text_gives_runs_or_says_why_not(parts: list[str]) -> None:
    table, findings = read("".join(parts))
    assert (table is None) == any(f.severity == "error" for f in findings)
    if table is not None:
        assert len(table) and all(np.isfinite(table.values(name)).all() for name in NEEDS)


@given(st.binary(max_size=80), st.sampled_from(["a.csv", "a.json", "a.log", "a.parquet"]))
def test_any_bytes_give_runs_or_say_why_not(content: bytes, path: str) -> None:
    table, findings = read(content, path=path)
    assert table is not None or findings


def test_names_and_what_no_column_is_are_kept_apart() -> None:
    table = runs("name,note,N,D,loss\n a1 ,hello,1e9,2e10,2.5\n")
    assert table.labels == ("a1",) and set(table.columns) == set(NEEDS)


@pytest.mark.parametrize(
    "names", [("batch_size", "seq_len"), ("global_batch_size", "Sequence length"), ("gbs", "n_ctx")]
)
def test_steps_of_batches_of_sequences_are_tokens(names: tuple[str, str]) -> None:
    head = ("params", "steps", *names, "loss")
    rows = [(f"{n:.0f}", f"{n / 1e4:.0f}", "512", "2048", f"{3 - i / 10}") for i, n in enumerate((1e7, 3e7, 9e7))]
    told, findings = read("\n".join(",".join(row) for row in (head, *rows)))
    assert told is not None and told.values("tokens")[0] == 1000 * 512 * 2048
    assert any("batch_sequences * context" in found.message for found in findings)
    # A batch that is too large for sequences, or says that it is of tokens, is none of them.
    large = [(n, steps, "524288", length, loss) for n, steps, _, length, loss in rows]
    told = runs("\n".join(",".join(row) for row in (head, *large)))
    assert told.values("tokens")[0] == 1000 * 524288


def test_samples_of_a_length_are_tokens() -> None:
    told = runs("params,samples,seq_len,loss\n1e7,1000000,2048,3.1\n3e7,1000000,2048,3.0\n9e7,1000000,2048,2.9\n")
    assert told.values("tokens").tolist() == [2048e6] * 3


def test_steps_that_were_planned_may_be_those_that_were_taken() -> None:
    text = "params,train_iters,global_batch_size,seq_length,loss\n"
    text += "".join(f"{n:.0f},{n / 1e4:.0f},512,2048,{loss}\n" for n, loss in ((1e7, 3.1), (3e7, 3.0), (9e7, 2.9)))
    table, found = read(text)
    said = next(one for one in found if one.code == "F002")
    assert table is None and any("`--column steps=train_iters`" in line for line in said.help)
    told = runs(text, Asked(needs=NEEDS, columns={"steps": "train_iters"}))
    assert told.values("tokens")[0] == 1000 * 512 * 2048
