"""The wheel holds every package and data file under one name, and nothing else of ours."""

from __future__ import annotations

import ast
import importlib
import marshal
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from wheels import built, needs_repository

import runplan
from runplan.dsl.syntax.grammar import lark
from runplan.dsl.syntax.tables import tables_of
from runplan.dsl.text.pattern import mark, restored
from runplan.make_modules import TOGETHER, code_of, in_order
from runplan.modules import IMAGE, MARK, SIZE, path_of

if TYPE_CHECKING:
    from runplan.modules import Part, Place

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("cli", "dsl", "editor", "engine", "stdlib")

pytestmark = needs_repository


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_every_package_is_listed(project: dict[str, Any]) -> None:
    on_disk = {"runplan"} | {
        ".".join(("runplan", *path.parent.relative_to(ROOT).parts))
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("__init__.py")
    }
    assert on_disk == set(project["tool"]["setuptools"]["packages"])


def test_every_folder_of_modules_is_a_package() -> None:
    modules = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")]
    assert [str(path) for path in modules if not (path.parent / "__init__.py").exists()] == []


@pytest.mark.parametrize("folder", FOLDERS)
def test_link_leads_to_the_folder(folder: str) -> None:
    assert (ROOT / "runplan" / folder).resolve() == ROOT / folder


def test_one_version(project: dict[str, Any]) -> None:
    assert runplan.__version__ == project["project"]["version"]


def generated() -> list[tuple[str, str]]:
    """What `setup.py` makes: the module that writes a file, and the file."""
    (listed,) = [
        node.value
        for node in ast.parse((ROOT / "setup.py").read_text(encoding="utf-8")).body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "GENERATED"
    ]
    return list(ast.literal_eval(listed))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("wheel")
    tree = place / "tree"  # a copy: a build leaves build/ and *.egg-info behind, and reads them the next time
    tree.mkdir()
    for folder in (*FOLDERS, "runplan"):
        shutil.copytree(ROOT / folder, tree / folder, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tree)
    return built(tree, place)


def test_wheel_has_every_file_under_one_name(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
        tables = archive.read("runplan/dsl/syntax/plan_tables.py").decode().partition("TABLES = ")[2]
    expected = {
        "/".join(("runplan", *path.relative_to(ROOT).parts))
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    } | {f"runplan/{path.name}" for path in (ROOT / "runplan").iterdir() if path.suffix in (".py", ".typed")}
    assert names == expected | {path for _, path in generated()}
    assert ast.literal_eval(tables) == tables_of(lark())


def test_the_wheel_has_its_modules_in_one_file_as_they_are(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    data = (tmp_path / "runplan" / IMAGE).read_bytes()
    begins = len(MARK) + SIZE
    size = int.from_bytes(data[len(MARK) : begins], "little")
    places: dict[str, Place] = marshal.loads(data[begins : begins + size])
    begins += size
    pieces: dict[Place, list[Part]] = {
        place: marshal.loads(data[begins + place[0] : begins + sum(place)]) for place in places.values()
    }
    assert {part[0]: place for place, parts in pieces.items() for part in parts} == places
    files = {str(path.relative_to(tmp_path / "runplan")) for path in (tmp_path / "runplan").rglob("*.py")}
    assert {path_of("", part[0], part[1])[1:] for parts in pieces.values() for part in parts} == files
    for name, is_package, code, constructors in (part for parts in pieces.values() for part in parts):
        path = path_of("", name, is_package)[1:]
        assert code == code_of((tmp_path / "runplan" / path).read_text(encoding="utf-8"), path)
        assert name not in ("runplan.dsl.text.finding", "runplan.engine.problem.parts") or len(constructors) > 4
    assert [parts[-1][0] for parts in pieces.values() if len(parts) > 1] == list(TOGETHER)


def test_any_piece_of_the_wheel_may_be_asked_for_first(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    code = (
        "import sys; from runplan.modules import install; install()\n"
        f"for head in {TOGETHER}:\n"
        "    for name in [name for name in sys.modules if name.startswith('runplan.')]:\n"
        "        del sys.modules[name]\n"
        "    __import__(head)\n"
        "    assert sys.modules[head].__spec__.loader in sys.meta_path\n"
    )
    subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(tmp_path)}, check=True
    )


def test_the_wheel_has_what_re_makes_of_the_expressions_of_a_check(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        text = archive.read("runplan/dsl/text/pattern_table.py").decode()
    table: dict[str, Any] = {}
    exec(text, table)
    assert mark() == table["MARK"] and len(table["CODES"]) > 60
    for (expression, flags), code in table["CODES"].items():
        assert restored(expression, *code) == re.compile(expression, flags)


def test_modules_of_a_piece_come_after_what_they_import() -> None:
    sources = {
        "runplan": "",
        "runplan.a": "from runplan.b import c\nif TYPE_CHECKING:\n    import runplan.d",
        "runplan.b": "import sys",
        "runplan.b.c": "",
        "runplan.d": "",
    }
    assert list(in_order("runplan.a", sources)) == ["runplan", "runplan.b", "runplan.b.c", "runplan.a"]


def test_the_wheel_says_the_same_without_what_is_made_of_the_rest(
    wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(ROOT / "bench")
    same = importlib.import_module("same")
    assert set(same.MADE) == {path.removeprefix("runplan/") for _, path in generated()}
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "there")
    (tmp_path / "plans-of-it").mkdir()
    found = same.differing(Path(sys.executable), tmp_path / "there/runplan", tmp_path / "plans-of-it", 6, ["json"])
    assert list(found) == []


# What takes long to import, and is of no use to who checks a plan.
NEVER = set(
    "dataclasses datetime dis fnmatch graphlib hashlib heapq inspect json lark locale logging numpy pathlib "
    "pickle random rich scipy shutil statistics string tempfile textwrap traceback typing unicodedata yaml".split()
)


def test_the_wheel_checks_a_plan_with_what_it_has_and_little_of_python(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "there")
    (tmp_path / "small.plan").write_text(
        "hardware: 64 x H100 from 2026-02-01 until 2026-04-01 @ 3 USD/GPU/hour\nrequire cost <= 1 USD\n",
        encoding="utf-8",
    )
    code = (
        "import sys; from runplan.cli.main import main; code = main(['check', 'small.plan'])\n"
        "file = sys.modules['runplan.engine.report'].Report.to_dict.__code__.co_filename\n"
        "print(type(sys.modules['runplan.engine'].__loader__).__name__, file, code, *sys.modules, file=sys.stderr)"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "there"), "RUNPLAN_NO_CACHE": "1"}
    done = subprocess.run(  # -S: without what is installed, which imports some of it
        [sys.executable, "-S", "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    loader, file, code_, *imported = done.stderr.splitlines()[-1].split()
    assert (loader, file) == ("Modules", str(tmp_path / "there/runplan/engine/report.py"))
    assert code_ == "1" and "error[" in done.stdout
    assert not NEVER & set(imported)
    assert not {f"runplan.dsl.packs.{name}" for name in ("reader", "laws", "quantity_check")} & set(imported)
    assert "runplan.dsl.syntax.grammar" not in imported
    ending = (
        "import sys; from runplan.cli.main import command; sys.argv[1:] = ['check', 'small.plan']; command(); print()"
    )
    ended = subprocess.run(
        [sys.executable, "-S", "-O", "-c", ending], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert (ended.returncode, ended.stdout) == (1, done.stdout), "all is said, and it ends there"
