"""`plan law`, `plan device` and `plan test`: lists, pages, values, and what they refuse."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from known import LIBRARY
from reports import solved

from runplan.cli.main import main
from runplan.cli.show.text.page import columns, paragraph
from runplan.cli.verbs import device, law, model
from runplan.cli.verbs import test as test_verb
from runplan.dsl.expr.name import quantity

Run = Callable[..., tuple[int, str, str]]
VERBS = {"law": law.run, "device": device.run, "model": model.run, "test": test_verb.run}
PACK = """\
law ours "A law of ours" {{
  objective CLM of text
  counts total params
  constants {{ a = 2 }}
  loss(params N) = a * N
  cites "a test" evidence derived
  golden "ours.a" at params = 3 gives loss = {expected}
}}
"""


@pytest.fixture
def plan(capsys: pytest.CaptureFixture[str]) -> Run:
    def run(verb: str, *argv: str) -> tuple[int, str, str]:
        try:
            code = VERBS[verb](list(argv))
        except SystemExit as stop:  # argparse
            code = stop.code if isinstance(stop.code, int) else 2
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return code, out, err

    return run


def example_of_the_help(plan: Run, verb: str) -> list[str]:
    """The arguments of the example that the help of a verb ends with."""
    code, out, _ = plan(verb, "--help")
    example = re.search(rf"example: plan {verb} (.+)", " ".join(out.split()))
    assert code == 0 and example
    return shlex.split(example[1])


def document(result: tuple[int, str, str], code: int = 0) -> Any:
    assert result[0] == code, result
    return json.loads(result[1], parse_constant=lambda name: pytest.fail(f"{name} in JSON"))


# ---- laws


def test_the_list_of_laws(plan: Run) -> None:
    listed = document(plan("law", "-o", "json"))
    assert listed["schema"] == "plan.laws/v1"
    by_name = {one["name"]: one for one in listed["laws"]}
    assert by_name.keys() == {known.name for known in LIBRARY.laws()}
    refit = by_name["chinchilla.epoch"]
    assert refit["gives"] == ["loss"]
    assert refit["needs"] == ["params", "tokens"]
    assert refit["counts"] == "total"
    assert refit["aliases"] == ["chinchilla"]
    assert refit["objectives"] == ["CLM of text"]
    assert refit["evidence"] == "authors_code"
    assert "2404.10102" in refit["cites"]
    assert refit["range"]["params"] == {"low": 57e6, "high": 16.2e9, "unit": "param"}


def test_a_law_at_inputs_is_as_the_contract_says(plan: Run) -> None:
    found = document(plan("law", "chinchilla.epoch", "--at", "params=70B", "tokens=1.4T", "-o", "json"))
    assert (found["schema"], found["law"]) == ("plan.law/v1", "chinchilla.epoch")
    assert found["given"]["params"] == {"value": 7e10, "unit": "param"}
    assert found["outputs"]["loss"]["value"] == pytest.approx(1.97388, rel=1e-5)
    assert found["outputs"]["loss"]["unit"] == "nat/token"
    assert found["outputs"]["compute"]["value"] == pytest.approx(5.88e23)


@pytest.mark.parametrize(
    ("argv", "name", "value", "unit"),
    [
        ("kaplan --at compute=10 PF-day", "params", 7.07218e9, "param"),
        ("kaplan --at compute=10 PF-day", "params_non_embedding", 6.98141e9, "param"),
        ("kaplan --at 'compute=10 PF-day'", "batch", 3.4756e6, "token"),
        ("kaplan --at compute=8.64e20", "min_steps", 5786.2, "1"),
        ("plm --at compute=3e19 objective=MLM", "loss", 2.2038, "nat/token"),
        (
            "plm --at 'objective=transfer from CLM to MLM' params=85M finetune_tokens=48B",
            "transferred_tokens",
            8.94496e9,
            "token",
        ),
        (
            "hernandez --at finetune_characters=3e5 params_non_embedding=40M",
            "transferred_characters",
            1.4237e8,
            "character",
        ),
        ("chinchilla --at params=7B", "tokens", 144408281578.42, "token"),
        ("compute.hardware --at gpus=100 'rate=210 TFLOP/s' 'time=30 days'", "compute", 5.4432e22, "FLOP"),
        ("compute.hardware --at gpus=16384 'rate=400 TFLOP/s' compute=3.8e25", "time", 67.1104 * 86400, "second"),
        ("gadre --at params=1.44B tokens=1.44B*640", "downstream_error", 0.492489, "1"),
    ],
)
def test_inputs_in_their_units(plan: Run, argv: str, name: str, value: float, unit: str) -> None:
    output = document(plan("law", *shlex.split(argv), "-o", "json"))["outputs"][name]
    assert output["value"] == pytest.approx(value, rel=2e-5)
    assert output["unit"] == unit


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        ("chinchila", "did you mean `chinchilla`?"),
        ("nothing-like-it", "`plan law` lists them"),
        ("chinchilla --at params=70Q", "params=70Q"),
        ("chinchilla --at params=", "write NAME=VALUE"),
        ("chinchilla --at 70B", "write NAME=VALUE"),
        ("chinchilla --at parms=70B", "did you mean `params`?"),
        ("chinchilla --at gpus=70", "does not take `gpus`"),
        ("chinchilla --at params=0", "must be a number above 0"),
        ("chinchilla --at params=-7B", "must be a number above 0"),
        ("chinchilla --at params=1e400", "too large"),
        ("chinchilla --at params=10^400", "is not a fixed number"),
        ("chinchilla --at params=nan", "is not a fixed number"),
        ("chinchilla --at 'params=7B tokens'", "is in param, not in token"),
        ("chinchilla --at 'params=7B + 1 hour'", "params=7B + 1 hour"),
        ("chinchilla --at params=7B params=8B", "given twice"),
        ("chinchilla --at params=7B --at params=8B", "given twice"),
        ("chinchilla --at objective=MLM", "is for CLM of text"),
        ("chinchilla --at params=7B tokens=1T compute=1e20", "contradict each other"),
        ("chinchilla -o yaml", "unknown format `yaml`"),
        ("--at params=7B", "needs the name of a law"),
    ],
)
def test_what_a_law_refuses(plan: Run, argv: str, said: str) -> None:
    code, out, err = plan("law", *shlex.split(argv))
    assert (code, out) == (2, "")
    assert said in err
    assert err.startswith("plan law: ") and err.count("\n") == 1


def test_inputs_may_come_one_by_one(plan: Run) -> None:
    both = plan("law", "chinchilla", "--at", "params=7B", "tokens=1T")
    assert plan("law", "chinchilla", "--at", "params=7B", "--at", "tokens=1T") == both


def test_what_a_law_gives_is_as_sure_as_in_a_plan(plan: Run) -> None:
    outputs = document(plan("law", "chinchilla", "--at", "compute=1e24", "-o", "json"))["outputs"]
    values = solved("use laws chinchilla\ncompute: 1e24 FLOP\n").solutions[0].values
    for name, within in (("loss", 2e-3), ("params", 0.05), ("tokens", 0.05)):
        value = values[quantity(name)]
        assert (outputs[name]["low"], outputs[name]["high"]) == pytest.approx((value.low, value.high), rel=within)
    assert "(1.942 \N{EN DASH} 1.977)" in plan("law", "chinchilla", "--at", "compute=1e24")[1]


def test_what_no_constant_moves_has_no_interval(plan: Run) -> None:
    outputs = document(plan("law", "chinchilla", "--at", "params=7B", "tokens=1T", "-o", "json"))["outputs"]
    assert "low" not in outputs["compute"] and outputs["loss"]["low"] < outputs["loss"]["value"]
    unsure = plan("law", "llama3", "--at", "compute=1e24")[1]
    assert "In brackets" not in unsure


def test_what_some_draws_never_give_has_no_interval_and_says_how_many(plan: Run, tmp_path: Path) -> None:
    body = PACK.format(expected=6).replace("a = 2", "E = 1.9 +- 0.05; A = 400; B = 1000")
    body = body.replace("loss(params N) = a * N", "loss(params N, tokens D) = E + A / N^0.34 + B / D^0.34")
    (tmp_path / "ours.plan").write_text(
        "".join(line for line in body.splitlines(True) if "golden" not in line), "utf-8"
    )
    asked = ("law", str(tmp_path / "ours.plan"), "--at", "loss=1.97")
    text = " ".join(plan(*asked)[1].split())
    assert "Without an interval: `compute`, `params` and `tokens`." in text and " %, give none" in text
    told = document(plan(*asked, "-o", "json"))["outputs"]
    assert 0.85 < told["compute"]["drawn"] < 1 and not {"drawn", "low"} & told["perplexity"].keys()


def test_a_law_that_gives_nothing_there_says_so(plan: Run) -> None:
    code, out, _ = plan("law", "muennighoff", "--at", "data_tokens=1T")
    assert code == 0
    assert "nothing: the law needs other inputs" in out
    assert document(plan("law", "muennighoff", "--at", "data_tokens=1T", "-o", "json"))["outputs"] == {}


@pytest.mark.parametrize("one", LIBRARY.laws(), ids=lambda one: one.name)
def test_every_page(plan: Run, one: Any) -> None:
    code, out, err = plan("law", one.name)
    assert (code, err) == (0, "")
    assert [line for line in out.splitlines() if len(line) > 80 and " " in line.strip()[:60]] == []
    for heading in ("gives", *(["constants"] if one.constants else []), "cites", "golden values"):
        assert f"\n{heading}\n" in out
    page = document(plan("law", one.name, "-o", "json"))
    assert (page["schema"], page["law"]) == ("plan.law/v1", one.name)
    assert [c["name"] for c in page["constants"]] == list(one.constants)
    assert all(f["unit"] for f in page["formulas"])


def test_a_page_tells_units_errors_ranges_and_evidence(plan: Run) -> None:
    _, out, _ = plan("law", "chinchilla")
    for text in (
        "loss(params N, tokens D) = E + A / N^alpha + B / D^beta",
        "57M params .. 16.2B params",
        "loss  in nat/token",
        "from the authors' code",
    ):
        assert text in out
    assert re.search(r"E +1\.8172 +± 0\.03 +nat/token", out)
    assert re.search(r"A +482\.01 +± 124\.58 +nat\*param\^0\.3478/token", out)
    assert "! secondary: from notes of others" in plan("law", "clark")[1]


def test_the_output_goes_to_a_file(plan: Run, tmp_path: Path) -> None:
    target = tmp_path / "laws.json"
    assert plan("law", "-o", f"json={target}") == (0, "", "")
    assert json.loads(target.read_text(encoding="utf-8"))["schema"] == "plan.laws/v1"
    code, _, err = plan("device", "-o", f"json={tmp_path / 'no' / 'such.json'}")
    assert code == 2 and "No such file" in err


# ---- devices


def test_the_list_of_devices(plan: Run) -> None:
    listed = document(plan("device", "-o", "json"))
    assert listed["schema"] == "plan.devices/v1"
    assert [one["name"] for one in listed["devices"]] == [known.name for known in LIBRARY.records("device")]
    _, out, _ = plan("device")
    assert re.search(r"^h100-sxm +989\.4 TFLOP/s +80 GB +700 W", out, re.MULTILINE)


def test_the_page_of_a_device(plan: Run) -> None:
    found = document(plan("device", "H100", "-o", "json"))
    assert (found["schema"], found["name"]) == ("plan.device/v1", "h100-sxm")
    (peak,) = [f for f in found["figures"] if (f["key"], f["qualifier"]) == ("peak", "bf16")]
    assert (peak["value"], peak["unit"]) == (pytest.approx(989.4e12), "FLOP/second")
    assert peak["source"]
    code, out, _ = plan("device", "H100")
    assert code == 0
    for text in ("peak bf16", "989.4 TFLOP/s", "80 GB", "700 W", "aliases     H100", "generation  Hopper", "notes"):
        assert text in out


def test_a_figure_from_memory_is_flagged(plan: Run) -> None:
    flagged = [d for d in LIBRARY.records("device") if any(e.evidence == "memory" for e in d.entries)]
    assert flagged
    assert "[memory]" in plan("device", flagged[0].name)[1]


def test_the_list_of_models_and_the_page_of_one(plan: Run) -> None:
    listed = document(plan("model", "-o", "json"))
    assert listed["schema"] == "plan.models/v1"
    assert [one["name"] for one in listed["models"]] == [known.name for known in LIBRARY.records("model")]
    sizes = [f for one in listed["models"] for f in one["figures"] if f["key"] in ("params", "active")]
    assert {size["unit"] for size in sizes} == {"param"}
    code, out, _ = plan("model")
    assert code == 0 and "671.03B  36.7B" in out and max(map(len, out.splitlines())) <= 80
    found = document(plan("model", "Llama 3 8B", "-o", "json"))
    assert (found["schema"], found["name"]) == ("plan.model/v1", "llama-3-8b")
    code, out, _ = plan("model", "gpt2")
    assert code == 0 and "mlp" in out and "plain" in out and "config.json" in out
    code, out, err = plan("model", "llama-3-9b")
    assert (code, out) == (2, "") and "unknown model `llama-3-9b`; `plan model` lists them" in err


def test_an_unknown_device(plan: Run) -> None:
    code, out, err = plan("device", "H100-SXMM")
    assert (code, out) == (2, "")
    assert "did you mean `H100-SXM`" in err


# ---- tests of packs


def test_the_standard_library_passes(plan: Run) -> None:
    """The laws' golden values, and the rules' examples."""
    found = document(plan("test", *example_of_the_help(plan, "test")))
    assert found["schema"] == "plan.test/v1"
    assert found["summary"] == {"passed": len(found["results"]), "failed": 0, "findings": 0}
    by_id = {one["id"]: one for one in found["results"]}
    assert by_id["chinchilla.epoch.L.70B_1.4T"]["verdict"] == "pass"
    assert by_id["chinchilla.epoch.L.70B_1.4T"]["expected"] == 1.97388
    assert by_id["chinchilla.epoch.L.70B_1.4T"]["got"] == pytest.approx(1.97388, rel=1e-5)
    assert by_id["llama3.fig3.6e+18"]["expected"] == {"tokens": 3626920000.0, "params": 275716000.0}
    assert [by_id[f"rule.H002.error.{kind}"]["got"] for kind in ("breaks", "keeps")] == [1.0, 0.0]


def test_a_pack_passes_and_fails(plan: Run, tmp_path: Path) -> None:
    pack = tmp_path / "ours.plan"
    pack.write_text(PACK.format(expected=6), encoding="utf-8")
    assert document(plan("test", str(pack), "-o", "json"))["summary"]["passed"] == 1
    pack.write_text(PACK.format(expected=7), encoding="utf-8")
    (result,) = document(plan("test", str(tmp_path), "-o", "json"), code=1)["results"]
    assert (result["id"], result["verdict"], result["expected"], result["got"]) == ("ours.a", "fail", 7.0, 6.0)
    code, out, _ = plan("test", str(pack))
    assert code == 1
    assert "loss is 6, not 7" in out


def test_what_is_wrong_with_a_pack_is_listed(plan: Run, tmp_path: Path) -> None:
    pack = tmp_path / "ours.plan"
    pack.write_text(PACK.format(expected=6).replace("a * N", "a * M"), encoding="utf-8")
    code, out, _ = plan("test", str(pack))
    assert code == 1
    assert "error[N002] unknown name `M`" in out
    found = document(plan("test", str(pack), "-o", "json"), code=1)
    assert [f["code"] for f in found["findings"]] == ["N002"]


def test_a_law_may_extend_one_of_the_standard_library(plan: Run, tmp_path: Path) -> None:
    pack = tmp_path / "ours.plan"
    text = 'law ours extends chinchilla "x" {\n constants { E = 0 nat/token }\n'
    text += ' golden "ours" at params = 70B, tokens = 1.4T gives loss = 0.15668 within 1e-3\n}\n'
    pack.write_text(text, encoding="utf-8")
    assert plan("test", str(pack))[0] == 0


@pytest.mark.parametrize("argv", [[], ["no/such/path"], ["-o", "yaml", "--stdlib"]])
def test_nothing_to_test(plan: Run, argv: list[str]) -> None:
    code, out, err = plan("test", *argv)
    assert (code, out) == (2, "")
    assert err.startswith("plan test: ")


def test_a_plan_without_laws_is_nothing_to_test(plan: Run, tmp_path: Path) -> None:
    (tmp_path / "a.plan").write_text("compute: 1e21 FLOP\n", encoding="utf-8")
    assert plan("test", str(tmp_path))[0] == 2


# ---- help, layout


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb != "test"])
def test_the_example_of_the_help_runs(plan: Run, verb: str) -> None:
    """That of `plan test` is what `test_the_standard_library_passes` runs."""
    assert plan(verb, *example_of_the_help(plan, verb))[0] == 0


def test_text_is_wrapped_and_cannot_steer_a_terminal() -> None:
    assert paragraph("one two\x1b three", "  - ", 8).splitlines() == ["  - one two\N{REPLACEMENT CHARACTER} three"]
    rows = columns([("a", "b " * 60), ("long-name", "c")])
    assert max(map(len, rows.splitlines())) <= 80
    assert rows.splitlines()[1].startswith(" " * 11 + "b")


# ---- standard output is one document where it is asked for as one


@pytest.mark.parametrize(
    "argv",
    [
        ["law", "nosuch", "-o", "json"],
        ["law", "chinchilla", "--at", "params=0", "--output=json"],
        ["rule", "Z999", "-ojson"],
        ["device", "H1000", "-o", "json"],
        ["solve", "no/such.plan", "-o", "json"],
        ["check", "no/such.plan", "-o", "json"],
        ["explain", "plans/thousand-h100.plan", "nosuch", "-o", "json"],
        ["test", "-o", "json"],
        ["solve", "--nosuch", "-o", "json"],
        ["slove", "x.plan", "-o", "json"],
    ],
)
def test_what_cannot_run_is_a_document_too(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    code = main(argv)
    out, err = capsys.readouterr()
    said = json.loads(out)
    assert (code, said["schema"], said["error"]["exit"]) == (2, "plan.error/v1", 2)
    assert said["error"]["message"] and err


def test_a_document_in_a_file_leaves_standard_output_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["law", "nosuch", "-o", "json=out.json"]) == 2
    assert capsys.readouterr().out == ""
