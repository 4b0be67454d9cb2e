"""The documents: every plan in them is solved, every command run, every list compared with what it lists.

The mark after the language says what is expected of an example: ```plan error=B001 is a plan with that finding,
```plan pack a file of definitions, ```plan alone a plan without an error; `file=NAME` makes an example a file that
the other examples and the commands of its document find beside them. A block of ```text right after a block of
```sh is what its last command prints, `until=WORD` up to the line that begins with a word. A block of ```sh then
goes on where the one before it ended; each other one begins anew. UPDATE_SNAPSHOTS=1 rewrites those blocks, and
the tables of quantities, fields and findings.
"""

from __future__ import annotations

import doctest
import math
import os
import re
import shlex
import shutil
from functools import cache
from pathlib import Path

import pytest
from known import LIBRARY
from wheels import BESIDE_A_WHEEL, needs_repository

from runplan.cli.main import VERBS, main, module_of
from runplan.cli.outcome import exit_code
from runplan.cli.show.catalogue.pages import anchor
from runplan.dsl.dataclass import dataclass
from runplan.dsl.packs.quantity_reader import BETTER, BOUNDS, DECIDED, KINDS, PARTS, POOLS, SECTIONS, STAGES, STATEMENTS
from runplan.dsl.packs.reader import PackReader
from runplan.dsl.plan.pack_file import with_definitions
from runplan.dsl.text import limits
from runplan.dsl.text.codes import CODES
from runplan.dsl.text.reader import Disk
from runplan.dsl.units.parse import unit
from runplan.dsl.units.show import show, show_dim
from runplan.engine.pipeline import report_of

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = ["README.md", *sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md"))]
# What hardware says beside figures.
OTHER_HARDWARE = ("device", "precision", "paid", "from", "until")
FENCE = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: its language, what is said after it, its text, and where it stands."""

    document: str
    language: str
    mark: str
    text: str
    start: int
    end: int
    line: int

    def __str__(self) -> str:
        return f"{self.document}:{self.line}"


def blocks(document: str) -> list[Block]:
    text = (ROOT / document).read_text(encoding="utf-8")
    return [
        Block(document, m[1], m[2].strip(), m[3], m.start(3), m.end(3), text.count("\n", 0, m.start()) + 1)
        for m in FENCE.finditer(text)
    ]


ALL = [block for document in DOCUMENTS for block in blocks(document)]
EXAMPLES = [block for block in ALL if block.language in ("plan", "yaml") and block.mark != "ci"]
COMMANDS = [block for block in ALL if block.language == "sh" and block.text.startswith("plan ")]
# Of these documents each block goes on where the one before it ended, with the files that it wrote.
IN_A_ROW = sorted({block.document for block in COMMANDS if block.mark == "then"})


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the plans in it, where the documents' commands are run, 80 columns wide."""
    shutil.copytree(ROOT / "plans", tmp_path / "plans")
    (tmp_path / "runplan.toml").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")
    return tmp_path


def named_files(document: str, folder: Path) -> None:
    """Write the examples of a document that are marked `file=NAME`, for its other examples and its commands."""
    for block in blocks(document):
        if name := re.search(r"\bfile=(\S+)", block.mark):
            (folder / name[1]).write_text(block.text, encoding="utf-8")


# ---- examples


@pytest.mark.parametrize("block", EXAMPLES, ids=str)
def test_example(block: Block, tmp_path: Path) -> None:
    named_files(block.document, tmp_path)
    path = tmp_path / ("example.plan" if block.language == "plan" else "example.plan.yaml")
    path.write_text(block.text, encoding="utf-8")
    (tmp_path / "runplan.toml").touch()
    if "pack" in block.mark.split():
        _, _, findings = with_definitions(str(path), Disk(tmp_path), LIBRARY)
        assert findings == ()
        return
    report = report_of(str(path), Disk(tmp_path), catalogue=LIBRARY, intervals=False)
    said = {f.code: f.message for f in report.findings if f.severity == "error"}
    wanted = dict(pair.split("=") for pair in block.mark.split() if not pair.startswith("file="))
    assert set(said) == ({wanted["error"]} if "error" in wanted else set()), said
    assert exit_code(report.findings) == (0 if not wanted else 4 if wanted == {"error": "C009"} else 1)
    if not wanted:
        assert report.plan is not None and [s.status for s in report.solutions] == ["solved"] * len(report.solutions)


def test_the_example_of_the_documents_is_the_shipped_plan() -> None:
    shipped = (ROOT / "plans" / "thousand-h100.plan").read_text(encoding="utf-8").split("\n", 1)[1]
    shown = [block.document for block in ALL if block.text == shipped]
    assert shown == ["README.md", "docs/language.md"]


def test_the_readme_lists_every_document() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [name for name in DOCUMENTS[1:] if name.count("/") == 1 and f"]({name})" not in text] == []


# ---- commands


def commands(block: Block) -> list[tuple[list[str], int]]:
    """The commands of a block with the exit code that each states: `plan check x.plan  # exit 1`."""
    found = []
    for line in block.text.replace("\\\n", " ").splitlines():
        if line.startswith("plan "):
            stated = re.search(r"#.*\bexit (\d)\b", line)
            found.append((shlex.split(line, comments=True)[1:], int(stated[1]) if stated else 0))
    return found


def printed_after(block: Block) -> Block | None:
    """The text that is shown right after a block, as what it prints; read anew, since an update moves it."""
    now = blocks(block.document)
    at = next(i for i, other in enumerate(now) if (other.language, other.text) == ("sh", block.text))
    if at + 1 == len(now) or now[at + 1].language != "text":
        return None
    text = (ROOT / block.document).read_text(encoding="utf-8")
    between = text[now[at].end : now[at + 1].start].removeprefix("```").rsplit("```text", 1)[0]
    return None if between.strip() else now[at + 1]


@pytest.mark.parametrize("block", [block for block in COMMANDS if block.document not in IN_A_ROW], ids=str)
def test_command(block: Block, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    named_files(block.document, project)
    hold(block, capsys)


@pytest.mark.parametrize("document", IN_A_ROW)
def test_commands_in_a_row(document: str, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    named_files(document, project)
    for block in (block for block in COMMANDS if block.document == document):
        hold(block, capsys)


def hold(block: Block, capsys: pytest.CaptureFixture[str]) -> None:
    """Run the commands of a block here, and hold what the last one prints to what is shown after it."""
    out = ""
    for argv, code in commands(block):
        assert main(argv) == code, f"plan {shlex.join(argv)}\n{capsys.readouterr().err}"
        out = capsys.readouterr().out
    shown = printed_after(block)
    if shown is None:
        return
    lines = [line.rstrip() for line in out.splitlines()]
    if shown.mark:
        word = shown.mark.removeprefix("until=")
        ends = [i for i, line in enumerate(lines) if line.startswith(word)]
        assert ends, f"no line begins with {word}"
        lines = [*lines[: ends[0]], "..."]
    text = "\n".join(lines) + "\n"
    if os.environ.get("UPDATE_SNAPSHOTS") and shown.text != text:
        path = ROOT / shown.document
        whole = path.read_text(encoding="utf-8")
        path.write_text(whole[: shown.start] + text + whole[shown.end :], encoding="utf-8")
        return
    assert shown.text == text


# ---- Python


@pytest.mark.parametrize("document", sorted({block.document for block in ALL if block.language == "python"}))
def test_python(document: str, project: Path) -> None:
    """The examples of a document run one after the other, as in one session."""
    named_files(document, project)
    given: dict[str, object] = {}
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    for block in (block for block in ALL if (block.document, block.language) == (document, "python")):
        test = doctest.DocTestParser().get_doctest(block.text, given, str(block), document, block.line)
        said: list[str] = []
        done = doctest.DocTestRunner(optionflags=flags).run(test, out=said.append, clear_globs=False)
        given = test.globs
        assert done.attempted > 0 and done.failed == 0, "".join(said)


# ---- lists


def table(document: str, heading: str) -> list[list[str]]:
    """The rows of the first table under a heading, without the backquotes."""
    text = (ROOT / document).read_text(encoding="utf-8").split(f"\n{heading}\n", 1)[1]
    rows = []
    for line in text.splitlines():
        if line.startswith("|"):
            rows.append([cell.strip().replace("`", "") for cell in line.strip("|").split("|")])
        elif rows:
            break
    return rows[2:]


# How a plan writes a quantity that only a part of the run has.
OF_PARTS = {"source": "{}.SOURCE", "phase": "phase.NAME.{}"}
# The share of a source in a phase: reports show it, and plans have no word for it.
ONLY_SHOWN = ("mix", "mix_start", "mix_end")


def test_the_quantities_are_those_of_the_library() -> None:
    rows = []
    for name, known in LIBRARY.quantities().items():
        parts = known.facts.parts
        ways = [name] if "" in parts else [way.format(name) for part, way in OF_PARTS.items() if part in parts]
        ways += [f"poolN.{name}"] if "pool" in parts else []
        if name not in ONLY_SHOWN:
            rows.append([", ".join(f"`{way}`" for way in ways), known.counted.text, known.title.split(": ")[0]])
    if os.environ.get("UPDATE_SNAPSHOTS"):
        _rewritten(ROOT / "docs" / "language.md", "| quantity | unit | what it is |\n|---|---|---|\n", rows)
    listed = table("docs/language.md", "## Quantities")
    assert listed == [[cell.replace("`", "") for cell in row] for row in rows]


def test_quantities_of_parts_are_what_the_page_says() -> None:
    """The sentences below the table name all of them."""
    said = (ROOT / "docs" / "language.md").read_text(encoding="utf-8").split("\n### Quantities of parts\n")[1]
    said = said.split("\n## ")[0]
    for part, way in OF_PARTS.items():
        for name, known in LIBRARY.quantities().items():
            if part in known.facts.parts and "" in known.facts.parts:
                assert f"`{way.format(name)}`" in said


def test_every_decision_is_in_the_index() -> None:
    pages = sorted((ROOT / "docs" / "design").glob("0*.md"))
    said = {page.name: page.read_text(encoding="utf-8").splitlines()[0] for page in pages}
    rows = re.findall(r"^\| \[(\d+)\]\((.+)\) \| (.+) \|$", (pages[0].parent / "README.md").read_text("utf-8"), re.M)
    assert [(file, f"# {number}: {title}") for number, file, title in rows] == list(said.items())


def bounds(name: str) -> str:
    """The bounds of the field of a quantity, as the table of fields says them."""
    facts, field = LIBRARY.quantities()[name].facts, LIBRARY.quantities()[name].facts.given
    assert field is not None
    least, most = (f"{100 * end:g}%" if facts.per_cent else show(end, field.dim) for end in (field.least, field.most))
    words = {value: word for word, value in reversed(field.words)}
    said = [
        " or ".join(f"`{words[value]}`" for value in dict.fromkeys(value for _, value in field.words)),
        "whole" if field.whole else "",
        f"at least {least}" if field.least else "0 is allowed" if field.zero else "",
        f"at most {most}" if math.isfinite(field.most) else "",
        f"of one {show_dim(field.per)}" if field.per else "",
    ]
    return ", ".join(filter(None, said))


def test_the_fields_are_those_of_the_library() -> None:
    rows = []
    for name, known in sorted(LIBRARY.quantities().items(), key=lambda pair: pair[1].facts.statement):
        if (field := known.facts.given) is not None:
            title, taken = known.title.split(": ")[0], known.facts.otherwise
            otherwise = taken[1].replace("not given: ", "") if taken else ""
            cells = [known.facts.statement, f"`{field.name}`", f"`{field.example}`", bounds(name), title, otherwise]
            rows.append(cells)
    head = "| statement | field | such as | bounds | what it is | otherwise |\n|---|---|---|---|---|---|\n"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        _rewritten(ROOT / "docs" / "language.md", head, rows)
    assert table("docs/language.md", "## Fields") == [[cell.replace("`", "") for cell in row] for row in rows]
    written = {name.strip() for row in table("docs/language.md", "### hardware") for name in row[0].split(",")}
    assert written <= {row[1].strip("`") for row in rows if row[0] == "hardware"} | set(OTHER_HARDWARE)


def test_the_items_of_a_quantity_are_those_that_are_read() -> None:
    listed = {row[0].split()[0]: " ".join(row) for row in table("docs/packs.md", "## A quantity")}
    assert sorted(listed) == sorted(PackReader({}).items)
    words = {
        "pools": POOLS,
        "stages": STAGES,
        "parts": PARTS,
        "field": (*STATEMENTS, *BOUNDS),
        "decided": DECIDED,
        "better": BETTER,
    }
    for item, choices in {**words, "kind": KINDS, "row": SECTIONS, "field": (*STATEMENTS, *BOUNDS)}.items():
        assert [word for word in choices if not re.search(rf"\b{word}\b", listed[item])] == [], item


def test_the_findings_are_those_of_the_program() -> None:
    head = "| code | name | severity | when |\n|---|---|---|---|\n"
    rows = [[code, known.name, known.severity, known.says] for code, known in CODES.items()]
    if os.environ.get("UPDATE_SNAPSHOTS"):
        _rewritten(ROOT / "docs" / "language.md", head, rows)
    assert table("docs/language.md", "## Findings") == [[cell.replace("`", "") for cell in row] for row in rows]


def _rewritten(path: Path, head: str, rows: list[list[str]]) -> None:
    """Put rows in the place of those of the table under a head."""
    before, after = path.read_text(encoding="utf-8").split(head)
    lines = "".join(f"| {' | '.join(row)} |\n" for row in rows)
    path.write_text(before + head + lines + "\n" + after.partition("\n\n")[2], encoding="utf-8")


def test_the_units_listed_exist() -> None:
    for dimension, names in table("docs/language.md", "## Numbers and units"):
        for name in re.findall(r"[A-Za-z%][\w%-]*", names):
            if name not in ("the", "same", "with", "for", "a", "rate", "to", "S"):
                assert unit(name), dimension


def test_the_limits_are_those_of_the_program() -> None:
    said = (ROOT / "docs" / "language.md").read_text(encoding="utf-8").split("\n## Limits\n")[1]
    numbers = (
        limits.MAX_CHARACTERS,
        limits.MAX_YAML_DEPTH,
        limits.MAX_YAML_VALUES,
        limits.MAX_DEPTH,
        limits.MAX_IMPORTS,
    )
    assert re.findall(r"\d[\d,]*", said.split("(S004)")[0]) == [f"{number:,}" for number in numbers]


def test_every_verb_has_its_section() -> None:
    text = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    verbs = Path(main.__code__.co_filename).parent / "verbs"
    present = {name for name in VERBS if (verbs / f"{module_of(name)}.py").exists()}
    assert set(re.findall(r"^## plan ([\w-]+)", text, re.MULTILINE)) == present


def test_the_laws_of_the_readme_exist() -> None:
    known = {spelled for law in LIBRARY.laws() for spelled in (law.name, *law.aliases)}
    assert {row[0] for row in table("README.md", "## Laws")} <= known


@cache
def anchors(path: Path) -> set[str]:
    return {anchor(heading) for heading in re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.M)}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_somewhere(document: str) -> None:
    path = ROOT / document
    for target in set(re.findall(r"\]\(([^)]+)\)", FENCE.sub("", path.read_text(encoding="utf-8")))):
        if "://" in target:
            continue
        file, _, place = target.partition("#")
        there = path.parent / file if file else path
        if not there.exists():  # what the tests beside a wheel have not with them
            assert BESIDE_A_WHEEL, target
        elif place:
            assert place in anchors(there), target


@needs_repository
@pytest.mark.parametrize("document", [*DOCUMENTS, "CONTRIBUTING.md", "tests/facts/README.md"])
def test_paths_that_are_named_are_there(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    named = set(re.findall(r"\b((?:bench|cli|docs|dsl|engine|plans|stdlib|tests)/[\w./-]*[\w/])", text))
    assert {path for path in named if not (ROOT / path).exists()} == set()
