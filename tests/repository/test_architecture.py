"""Imports point downwards, third parties stay in their places, and `plan check` starts light."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from wheels import needs_repository

ROOT = Path(__file__).resolve().parents[2]

# stdlib is read, never imported; the root package (its public names) is above all but the command.
MAY_IMPORT = {
    "dsl": {"dsl"},
    "engine": {"dsl", "engine"},
    "stdlib": set[str](),
    "cli": {"runplan", "modules", "dsl", "engine", "cli", "editor"},
    "editor": {"runplan", "dsl", "engine", "cli", "editor"},
    "runplan": {"runplan", "dsl", "engine", "cli", "api", "modules", "project"},
}
# Inside a folder, its own folders from the lowest up: each imports what stands before it, and a file beside them any.
# Where folders import files beside them, these files are rungs, too.
LADDERS = {
    "dsl": ["dataclass", "types", "text", "units", "expr", "syntax", "typed", "packs", "plan"],
    "engine": [
        *(
            "scatter",
            "numeric",
            "problem",
            "runs",
            "laws",
            "fit",
            "formulate",
            "solve",
            "layout",
            "analysis",
            "judge",
            "decide",
        ),
        *("comparison", "differences", "backtest", "frontier", "sweep", "ladder", "track", "documents"),
    ],
    "cli": [
        "outcome",
        "spelling",
        "stream",
        "schemas",
        "highlight",
        "show",
        "output",
        "plot",
        "growing",
        "sweeping",
        "crew",
        "senses",
        "paths",
        "arguments",
        "columns",
        "forms",
        "fit_runs",
        "fitting",
        "rewriting",
        "mending",
        "watching",
        "baseline",
        "then",
        "since",
        "differences",
        "export",
        "importing",
        "verbs",
    ],
    # An answer to an editor is a function of a text; the server, above them all, has no other part in it.
    "editor": [
        *("places", "buffers", "ignores", "uses", "document", "context", "workspace", "markdown", "solving", "values"),
        *("hints", "hover", "completion", "definition", "rename", "outline", "actions", "layout", "tokens", "problems"),
        *("wire", "session", "server"),
    ],
    "cli/show": [
        "text",
        "findings",
        "report",
        "comparison",
        "differences",
        "frontier",
        "ladder",
        "sweep",
        "track",
        "derivation",
        "backtest",
        "fit",
        "catalogue",
        "completion",
    ],
}
# What a folder imports of the files that stand beside the ladder, being above them.
BESIDE = {
    f"engine/{rung}": {"pipeline", "read", "report", "solutions"}
    for rung in ("comparison", "differences", "backtest", "frontier", "sweep", "ladder", "track")
}
BESIDE["engine/documents"] = {"fits", "gate", "report", "results"}
# A third party and the only files or folder that may import it; no other third party is imported at all.
PLACES: dict[str, str | tuple[str, ...]] = {
    "lark": ("dsl/syntax/grammar.py", "dsl/syntax/recovery.py", "dsl/syntax/tables.py"),
    "yaml": "dsl/syntax/yaml_values.py",
    "pint": "dsl/units/table.py",
    # Declared for draws, sweeps and fits; where an array pays, and nowhere else.
    "numpy": tuple(f"engine/{of}/" for of in ("numeric", "analysis", "sweep", "fit", "ladder", "track")),
    "scipy": ("engine/numeric/", "engine/analysis/", "engine/fit/"),
    "distributed": "engine/scatter/cluster.py",
    "pyarrow": ("engine/sweep/parquet.py", "engine/fit/parquet.py"),
    "rich": "cli/show/",
    "matplotlib": "cli/plot/draw.py",
    "pygments": "cli/highlight/lexer.py",  # brings no dependency: rich has it, and only Pygments itself imports this
    "pygls": "editor/server.py",
    "lsprotocol": ("editor/wire.py", "editor/server.py"),
    "pathlib": "cli/verbs/init.py",  # of Python's own, but a start without it is 3 ms shorter
}
HEAVY = {"numpy", "scipy", "pint", "rich", "distributed", "pyarrow", "pygls", "lsprotocol", "matplotlib"}
# The editor shows what the command shows; nothing of the command but its verb knows the editor.
OF_THE_COMMAND = ("runplan.cli.show.", "runplan.cli.paths")
THE_VERB = "cli/verbs/lsp.py"
# What looks at a disk, and the only files of these folders that do: a project's files are the reader's business alone.
LOOKS = set("open read_text read_bytes scandir listdir walk glob rglob iterdir exists isfile isdir realpath".split())
LOOKING = {
    "dsl/packs/installed.py": "which wheels name packs",
    "dsl/packs/standard.py": "the image of the standard library",
    "dsl/packs/make_image.py": "the image of the standard library, while the wheel is built",
    "dsl/syntax/cache.py": "what a syntax tree hangs on, files of the package",
    "dsl/syntax/tables.py": "the tables of the grammar, while the wheel is built",
    "dsl/syntax/grammar.py": "the grammar, a file of the package",
    "dsl/text/disk.py": "what the reader and the command look at",
    "dsl/text/installation.py": "what is installed",
    "dsl/text/store.py": "the user's cache",
    "engine/scatter/mark.py": "the files of the program",
    "dsl/units/make_table.py": "the units, while the wheel is built",
    "engine/problem/make_seeded.py": "the figures at random, while the wheel is built",
    "dsl/units/table.py": "the units, a file of the package",
    "runplan/make_modules.py": "the modules, while the wheel is built",
    "runplan/make_patterns.py": "the regular expressions, while the wheel is built",
    "runplan/modules.py": "the image of the modules",
}

FILES = [
    path.relative_to(ROOT).as_posix()
    for folder in MAY_IMPORT
    # Not through the links in runplan/: every file once, by its real name.
    for path in sorted((ROOT / folder).glob("*.py" if folder == "runplan" else "**/*.py"))
]


@needs_repository
def test_the_map_for_contributors_shows_the_folders_as_they_stand() -> None:
    said = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").split("| folder | turns what into what |\n")[1]
    rows = [line.split("|")[1] for line in said.split("\n\n")[0].splitlines()[1:]]
    shown = [path for row in rows for path in re.findall(r"`(\S+)/`", row)]
    folders = [f"{top}/{name}" for top, names in LADDERS.items() for name in names if (ROOT / top / name).is_dir()]
    folders = [path for path in folders if path not in LADDERS]
    assert sorted(shown) == sorted(folders)
    for top, names in LADDERS.items():
        own = [path.removeprefix(f"{top}/") for path in shown if path.rpartition("/")[0] == top]
        assert own == [name for name in names if name in own]


@cache
def imports(text: str) -> tuple[str, ...]:
    """The dotted names that a module imports; a relative import begins with a dot."""
    return tuple(_imports(text))


def _imports(text: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            if module == "runplan":  # `from runplan import dsl` names a folder, `import __version__` the root
                yield from (f"runplan.{alias.name}" if alias.name in MAY_IMPORT else module for alias in node.names)
            else:
                yield module


def wrong_imports(path: str, text: str) -> list[str]:
    allowed = MAY_IMPORT[path.split("/")[0]]
    wrong = []
    for name in imports(text):
        parts = name.split(".")
        if parts[0] == "runplan":
            right = (parts[1] if len(parts) > 1 else "runplan") in allowed
        elif parts[0] in PLACES:
            right = path.startswith(PLACES[parts[0]])
        else:
            right = parts[0] in sys.stdlib_module_names
        if not right:
            wrong.append(name)
    return wrong


def wrong_steps(path: str, text: str) -> list[str]:
    """The imports that climb the ladder of a folder, or of one inside it."""
    wrong = []
    for folder, ladder in LADDERS.items():
        rung = path.removeprefix(f"{folder}/").partition("/")[0].removesuffix(".py")
        if path.startswith(f"{folder}/") and rung in ladder:
            below = {*ladder[: ladder.index(rung) + 1], *BESIDE.get(f"{folder}/{rung}", ())}
            root = f"runplan.{folder.replace('/', '.')}."
            own = [name for name in imports(text) if name.startswith(root)]
            wrong += [name for name in own if name.removeprefix(root).partition(".")[0] not in below]
    return wrong


@needs_repository
def test_dataclasses_are_ours() -> None:
    importing = {path for path in FILES if "dataclasses" in imports((ROOT / path).read_text("utf-8"))}
    assert importing == {"dsl/dataclass.py"}


def looks(text: str) -> set[str]:
    """The calls of a module that look at a disk; `Project.open` is none."""
    calls = [node.func for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
    owned = [(call.value, call.attr) for call in calls if isinstance(call, ast.Attribute)]
    named = {name for owner, name in owned if not (isinstance(owner, ast.Name) and owner.id == "Project")}
    return named & LOOKS | {call.id for call in calls if isinstance(call, ast.Name) and call.id == "open"}


@needs_repository
def test_nothing_but_the_disk_opens_a_file_of_a_project() -> None:
    found = {path for path in FILES if path.split("/")[0] != "cli" and looks((ROOT / path).read_text("utf-8"))}
    assert found == set(LOOKING)


@needs_repository
def test_folders_are_a_ladder() -> None:
    wrong = {path: wrong_steps(path, (ROOT / path).read_text(encoding="utf-8")) for path in FILES}
    assert {path: steps for path, steps in wrong.items() if steps} == {}


@needs_repository
def test_the_editor_stands_between_what_is_shown_and_the_verbs() -> None:
    found = {path: list(imports((ROOT / path).read_text("utf-8"))) for path in FILES}
    knowing = {path for path, names in found.items() if any(name.startswith("runplan.editor") for name in names)}
    assert {path for path in knowing if not path.startswith("editor/")} == {THE_VERB}
    taken = {name for path in knowing - {THE_VERB} for name in found[path] if name.startswith("runplan.cli")}
    assert [name for name in sorted(taken) if not name.startswith(OF_THE_COMMAND)] == []


@needs_repository
@pytest.mark.parametrize("folder", LADDERS)
def test_every_folder_has_its_rung(folder: str) -> None:
    folders = {path.parent.name for path in (ROOT / folder).glob("*/__init__.py")}
    assert folders == {rung for rung in LADDERS[folder] if not (ROOT / folder / f"{rung}.py").exists()}


@pytest.mark.parametrize(
    ("path", "text", "wrong"),
    [
        ("dsl/expr/tree.py", "from runplan.dsl.units.dims import Dim", []),
        ("dsl/expr/tree.py", "from runplan.dsl.plan.ir import Plan", ["runplan.dsl.plan.ir"]),
        ("engine/numeric/local.py", "from runplan.dsl.expr.tree import Num", []),
        ("engine/numeric/local.py", "from runplan.engine.laws.form import CHOICES", ["runplan.engine.laws.form"]),
        ("engine/pipeline.py", "from runplan.engine.judge.judge import judge", []),
        ("engine/laws/steps.py", "from runplan.engine.pipeline import report_of", ["runplan.engine.pipeline"]),
        ("cli/verbs/check.py", "from runplan.cli.show.formats import offered", []),
        ("cli/output.py", "from runplan.cli.verbs import check", ["runplan.cli.verbs"]),
        ("cli/show/report/json.py", "import runplan.cli.verbs.check", ["runplan.cli.verbs.check"]),
        ("cli/show/text/page.py", "from runplan.cli.show.report import csv", ["runplan.cli.show.report"]),
        ("cli/show/text/page.py", "from runplan.cli.show.formats import offered", ["runplan.cli.show.formats"]),
    ],
)
def test_a_planted_step_up_is_seen(path: str, text: str, wrong: list[str]) -> None:
    assert wrong_steps(path, text) == wrong


@needs_repository
def test_imports_point_downwards() -> None:
    wrong = {path: wrong_imports(path, (ROOT / path).read_text(encoding="utf-8")) for path in FILES}
    assert {path: names for path, names in wrong.items() if names} == {}


@pytest.mark.parametrize(
    ("path", "text", "wrong"),
    [
        ("engine/analysis/draws.py", "from runplan.dsl.plan.ir import Plan\nimport numpy as np", []),
        ("engine/solve/solve.py", "import numpy as np", ["numpy"]),
        ("cli/show/table.py", "from runplan import __version__\nfrom rich.table import Table", []),
        ("dsl/ir.py", "from runplan.engine.solve import solve", ["runplan.engine.solve"]),
        ("dsl/ir.py", "def f():\n    from runplan import engine", ["runplan.engine"]),
        ("engine/solve.py", "from runplan import __version__", ["runplan"]),
        ("cli/main.py", "import runplan.stdlib", ["runplan.stdlib"]),
        ("dsl/units/table.py", "from pathlib import Path", ["pathlib"]),
        ("cli/main.py", "from .verbs import check", [".verbs"]),
        ("cli/main.py", "from rich.console import Console", ["rich.console"]),
        ("dsl/parse.py", "import lark", ["lark"]),
        ("dsl/syntax/grammar.py", "import lark, attrs", ["attrs"]),
    ],
)
def test_a_planted_import_is_seen(path: str, text: str, wrong: list[str]) -> None:
    assert wrong_imports(path, text) == wrong


# What a check never imports, from an empty cache or from a full one: docs/design/0004-what-check-does-not-import.md.
NEVER = {
    *HEAVY,
    *(f"runplan.cli.show.{kind}" for kind in ("report", "comparison", "frontier", "derivation", "catalogue")),
    *(
        f"runplan.engine.analysis.{module}"
        for module in ("band", "causes", "intervals", "lifetime", "regret", "sensitivity", "tornado", "worth")
    ),
    *(
        f"runplan.engine.{module}"
        for module in (
            *("comparison", "frontier", "documents", "examples", "laws.steps", "laws.evaluate"),
            *("formulate.goodput", "runs.stops", "judge.chance", "judge.unlikely", "judge.changes", "solve.knob"),
            "problem.following",
            *("solve.likely", "solve.bound_knobs", "numeric.bounds", "layout.choose", "layout.tried", "layout.told"),
        )
    ),
}
# Beyond these what is imported depends on the plan and on the cache.
LARK = {"lark", "runplan.dsl.syntax.grammar"}
PARSERS = {*LARK, "yaml", "runplan.dsl.syntax.parse", "runplan.dsl.syntax.yaml"}
SMALL = "hardware: 1000 x H100 for 6 months at 40% MFU"


def imported_by(tmp_path: Path, verb: str, name: str, text: str, *more: str) -> set[str]:
    """What a process imports that runs a verb on a plan; its cache is in the folder."""
    (tmp_path / name).write_text(text, encoding="utf-8")
    code = (
        "import atexit, runpy, sys\n"
        "atexit.register(lambda: print(*(name for name, module in sys.modules.items() if module), file=sys.stderr))\n"
        f"sys.argv = {['plan', verb, name, *more]}\n"
        "runpy.run_module('runplan', run_name='__main__')\n"
    )
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    environment.pop("RUNPLAN_NO_CACHE", None)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return set(done.stderr.splitlines()[-1].split())


def test_a_sweep_to_records_imports_no_more_than_numpy_beside_what_it_uses(tmp_path: Path) -> None:
    axis = "hardware.time=10..90 days:60"
    found = imported_by(tmp_path, "sweep", "small.plan", f"{SMALL}\n", axis, "--ask", "loss", "-o", "npy=a.npy")
    unused = {"zipfile", "email.message", "importlib.metadata", "numpy.ma", "scipy", "runplan.cli.show.sweep.content"}
    assert "numpy" in found and not found & unused


def test_a_fit_without_draws_imports_numpy_and_no_scipy(tmp_path: Path) -> None:
    rows = [
        f"{n}e6,{d}e9,{1.8 + 480 / (n * 1e6) ** 0.35 + 2000 / (d * 1e9) ** 0.37:.6f}"
        for n in (30, 90, 270, 810)
        for d in (1, 4, 16)
    ]
    text = "params [params],tokens [tokens],loss [nat/token]\n" + "\n".join(rows)
    found = imported_by(tmp_path, "fit", "runs.csv", text, "--form", "chinchilla", "--bootstrap", "0")
    assert "numpy" in found and not found & {"scipy", "numpy.random", "runplan.engine.pipeline"}


@pytest.mark.parametrize(("name", "parser"), [("small.plan", "runplan.dsl.syntax.parse"), ("small.plan.yaml", "yaml")])
def test_check_imports_nothing_that_it_does_not_use(tmp_path: Path, name: str, parser: str) -> None:
    first = imported_by(tmp_path, "check", name, f"{SMALL}\n")
    assert not first & NEVER
    again = imported_by(tmp_path, "check", name, f"{SMALL}\n")
    assert not again & (NEVER | PARSERS)
    edited = imported_by(tmp_path, "check", name, f"{SMALL}\ntokens: at least 1T\n")
    assert not edited & (NEVER | LARK)
    assert parser in edited


def test_what_check_leaves_out_is_there_where_it_is_used(tmp_path: Path) -> None:
    used = imported_by(tmp_path, "solve", "small.plan", f"{SMALL}\ninference: 1T tokens\n")
    assert {f"runplan.engine.analysis.{module}" for module in ("band", "intervals", "lifetime", "regret")} <= used


@needs_repository
def test_what_check_leaves_out_is_a_module_of_ours() -> None:
    """A module of ours in `NEVER` that was renamed would hold nothing."""
    files = {path.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for path in FILES}
    assert {name.removeprefix("runplan.") for name in NEVER if name.startswith("runplan.")} <= files
