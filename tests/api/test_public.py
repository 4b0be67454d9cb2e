"""The public names: which there are, what importing them costs, what is raised, and how the objects behave."""

from __future__ import annotations

import ast
import doctest
import inspect
import json
import os
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from known import LIBRARY

import runplan
from runplan import Files, Finding, Project, Report, RunplanError, Solution, Value
from runplan.cli.main import main
from runplan.dsl.expr.name import quantity
from runplan.dsl.text import errors

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = Path(runplan.__file__).parent
PLAN = """\
use laws chinchilla, llama3
hardware: 1000 x H100 for 6 months at 40% MFU @ 2.50 USD/GPU/hour
data web: 10T tokens
require cost <= 1M USD
"""


@pytest.fixture(scope="module")
def report() -> Report:
    return Project(Files({"a.plan": PLAN}), base=LIBRARY).report("a.plan")


@pytest.fixture(scope="module")
def solution(report: Report) -> Solution:
    return report["chinchilla"]


# ---- names


def test_all_is_sorted_and_whole() -> None:
    assert runplan.__all__ == sorted(runplan.__all__)
    assert set(runplan.__all__) == {"__version__", *runplan._HOMES}
    assert set(runplan.__all__) <= set(dir(runplan))
    tree = ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    typed = {a.name: i.module for i in block.body if isinstance(i, ast.ImportFrom) for a in i.names}
    assert typed == {name: f"runplan.{home}" for name, home in runplan._HOMES.items()}, "what type checkers see"


@pytest.mark.parametrize("name", sorted(set(runplan.__all__) - {"__version__"}))
def test_a_public_name_is_defined_where_it_says_and_documented(name: str) -> None:
    found = getattr(runplan, name)
    assert found is getattr(import_module(f"runplan.{runplan._HOMES[name]}"), name)
    assert found.__module__ == f"runplan.{runplan._HOMES[name]}"
    assert inspect.getdoc(found)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'sovle'"):
        runplan.sovle  # type: ignore[attr-defined]  # noqa: B018


def test_importing_the_package_imports_nothing_of_it() -> None:
    code = "import sys, runplan; print(sorted(m for m in sys.modules if m.startswith('runplan')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "['runplan']\n"


def test_solving_imports_nothing_heavy() -> None:
    code = (
        "import sys, runplan\n"
        f"report = runplan.Project(runplan.Files({{'a.plan': {PLAN!r}}})).report('a.plan')\n"
        "assert report['chinchilla']['loss'].value > 1, repr(report)\n"
        "print(sorted({'numpy', 'scipy', 'pint', 'rich'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


# ---- what is raised


def raised() -> dict[str, list[str]]:
    """Every public class of exception in the package, with the names of its bases, by the text of the files."""
    found: dict[str, list[str]] = {}
    for folder in ("dsl", "engine", "cli"):
        for path in sorted((PACKAGE / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    found[node.name] = [base.id for base in node.bases if isinstance(base, ast.Name)]
    known = {"RunplanError", "Exception", "ValueError", "KeyError"}
    while more := {name for name, bases in found.items() if known & {*bases}} - known:
        known |= more
    return {name: found[name] for name in known & found.keys()}


def test_everything_that_is_raised_has_one_base_and_stands_in_the_tree() -> None:
    classes = raised()
    assert [name for name, bases in classes.items() if name != "RunplanError" and bases[0] == "Exception"] == []
    drawn = re.findall(r"^( *)([A-Z]\w+)(?:  +[^(\n]*(?:\((.*)\))?)?$", errors.__doc__ or "", re.MULTILINE)
    above: dict[int, str] = {}
    parents: dict[str, str] = {}
    for indent, name, home in drawn:
        above[len(indent)] = name
        parents[name] = above.get(len(indent) - 2, "")
        found = getattr(import_module(f"runplan.{home}") if home else errors, name)
        assert issubclass(found, RunplanError)
        assert name == "RunplanError" or re.match("Raised (for|where|by)", found.__doc__ or ""), name
    assert set(parents) == set(classes)
    assert all(parent in ("", *classes[name]) for name, parent in parents.items())


def test_the_document_lists_what_is_raised() -> None:
    text = (ROOT / "docs" / "python.md").read_text(encoding="utf-8").split("\n## What is raised\n")[1]
    listed = {name for row in re.findall(r"^\|(.*?)\|", text, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)}
    public = (getattr(runplan, name) for name in runplan.__all__)
    assert listed == {one.__name__ for one in public if isinstance(one, type) and issubclass(one, RunplanError)} - {
        "RunplanError"
    }


# ---- objects


def test_a_report_is_asked_by_law_and_a_solution_by_name(report: Report) -> None:
    assert list(report) == ["chinchilla", "llama3"]
    assert report["chinchilla"] is report["chinchilla.epoch"] is report.solutions[0]
    assert "llama3" in report and "chinchilla.epoch" in report and "kaplan" not in report
    solution = report["chinchilla"]
    assert solution["params"] is solution.quantity("params")
    assert "loss" in solution and "finetune_tokens" not in solution and 3 not in solution
    assert dict(solution)["loss"] is solution["loss"]


def test_what_is_not_there_says_what_is(report: Report) -> None:
    for error in (KeyError, RunplanError, runplan.NotThere):
        with pytest.raises(error, match="did you mean `params`"):
            report["chinchilla"]["parms"]
    with pytest.raises(KeyError) as caught:
        report["kaplan"]
    assert str(caught.value) == "a.plan is not solved under `kaplan`; its laws are chinchilla, llama3"


def test_a_value_is_a_number_and_a_pint_quantity(solution: Solution) -> None:
    days = solution["time"].to_pint().to("day")
    assert float(solution["time"]) == solution["time"].value == pytest.approx(days.magnitude * 86400)
    assert f"{days.units}" == "day"
    price = solution["cost"].to_pint() / solution["gpu_hours"].to_pint()
    assert price.to("USD / GPU / hour").magnitude == pytest.approx(2.5)
    assert solution["compute"].to_pint().check("[FLOP]") and solution["loss"].to_pint().units == "nat / token"
    assert str(solution["cost"]) == "10.8M USD" and str(solution["loss"]).count(" .. ") == 1


def test_a_date_is_printed_as_one() -> None:
    value = Value(quantity("finish"), 1_772_323_200.0, (("date", 1.0),), None, None, "derived", "", (), "", None)
    assert str(value) == "2026-03-01" and repr(value) == "<finish = 2026-03-01, derived>"
    assert value.to_pint().magnitude == 1_772_323_200.0


def test_objects_print_themselves_in_a_few_lines(report: Report, solution: Solution) -> None:
    (error,) = [finding for finding in report.findings if finding.severity == "error"]
    assert repr(error).startswith("<error B001 over-budget, a.plan:4:9: `cost` is 10.8M USD") and "\n" not in repr(
        error
    )
    assert repr(report).splitlines()[0].startswith("<Report of a.plan: 1 error")
    assert repr(report).splitlines()[1].startswith("  chinchilla: solved, params = ")
    assert repr(report).splitlines()[-1] == f"  {error!r}"
    assert repr(solution).splitlines()[0] == "<Solution under chinchilla (chinchilla.epoch): solved>"
    assert "  binding: " in repr(solution)
    for one in (report, solution, solution["loss"], error, *solution.values.values()):
        assert len(repr(one)) < 2000 and repr(one).count("\n") < 12


def test_a_plan_with_mistakes_says_so_when_it_is_printed() -> None:
    text = "hardware: 3 x H1000 for 3 days\n" + "".join(f"let a{i} = b{i}\n" for i in range(50))
    report = Project(Files({"a.plan": text}), base=LIBRARY).report("a.plan")
    assert repr(report).splitlines()[0] == "<Report of a.plan: 51 errors>"
    assert len(repr(report).splitlines()) <= 8
    with pytest.raises(KeyError, match="its laws are none: the findings say why"):
        report["chinchilla"]


def test_a_report_as_a_dictionary_is_what_the_command_prints(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.plan").write_text(PLAN, encoding="utf-8")
    main(["solve", str(tmp_path / "a.plan"), "-o", "json"])
    assert runplan.solve(tmp_path / "a.plan").to_dict() == json.loads(capsys.readouterr().out)


def test_a_file_that_is_not_there_is_pythons_own_error(tmp_path: Path) -> None:
    for call in (runplan.solve, runplan.check):
        with pytest.raises(FileNotFoundError):
            call(tmp_path / "none.plan")
    with pytest.raises(FileNotFoundError):
        Project(Files({}), base=LIBRARY).report("none.plan")


# ---- examples in docstrings


DOCUMENTED = [runplan, runplan.solve, runplan.check, Project, Report, Solution, Value, Finding]


@pytest.mark.parametrize("one", DOCUMENTED, ids=lambda one: one.__name__)
def test_the_examples_of_docstrings_run(one: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    given = {"runplan": runplan}
    examples = [test for test in doctest.DocTestFinder(recurse=True).find(one, globs=given) if test.examples]
    assert examples
    for test in examples:
        done = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE).run(test)
        assert done.failed == 0, f"{test.name}, see the output"
    assert os.getcwd() == str(ROOT)
