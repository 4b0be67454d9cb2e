"""What a stranger's file may hold: never a traceback, a hang or a number, always a finding at a line of the file.

What a file costs is told in steps, the calls of functions and the returns from them: no clock counts the same twice.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any
from uuid import uuid4

import pytest

from runplan.cli.main import main
from runplan.dsl.text.finding import MOST_HELP
from runplan.dsl.text.limits import MAX_CHARACTERS

GOOD = b"hardware: 6 x H100 for 6 months at 40% MFU\n"
MILLION = 1_000_000
# What a command may cost in steps: the worst of the files below takes 115 a character of the longest that is read.
MOST_STEPS = 400 * MAX_CHARACTERS
# A guard against a hang where nothing can be counted; no test is about how fast a process is.
HANGS = 600.0

# A file of a million characters, or a command of CI, in what people write freely.
INJECTIONS = [
    "::error file=x,line=1::boom", "::set-output name=a::b", "%0A::warning::x", "\u001b[2J", "a\u0008b",
    "\u202eevil\u202c",
    "\u200b\u200d\ufeff", "<script>alert(1)</script>", "[x](javascript:alert(1))", "| a | b |", "${{ github.token }}",
    "$(touch /tmp/pwned)", "`id`", "%s%n%x", "{0.__class__}", "../../etc/passwd", "[bold red]x[/]", "]]>",
    "'; DROP TABLE x",
]  # fmt: skip
VALUES = [
    "0", "-1", "-5 GPU", "nan", "NaN months", "inf", "-inf", "1e400", "1e-400", "9" * 100_000, "1e999999999", "0x10",
    "1_", "1__0", "1.", ".5", "1e", "0 days", "-0", "6 USD", "140%", "1/0", "0/0", "9^9^9^9", "(-1)^0.5", "ln(-1)",
    "1e300 * 1e300", "1e308 months", "\u0663", "x" * 1000, "?", "? + 1", "1 .. 0", "1 .. ", "[1, 2]", "{a: 1}",
    '"', "'",
    "unknown unknown", "up to", "at least", "2026-02-30", "9999-99-99", "0000-01-01",
]  # fmt: skip


def dsl_cases() -> Iterator[tuple[str, bytes]]:
    yield "empty", b""
    yield "blanks", b" \t\n\f\n  "
    yield "only comments", b"# one\n# two"
    yield "binary", bytes(range(256)) * 40
    yield "nul", b'plan "a\0b"\n'
    yield "utf-16", "\ufeffhardware: 6 x H100 for 6 months".encode("utf-16-le")
    yield "utf-16 without mark", "hardware: 6 x H100".encode("utf-16-le")
    yield "latin-1", 'plan "caf\xe9"\n'.encode("latin-1")
    yield "lone surrogate", b'plan "\xed\xa0\x80"\n'
    yield "half a character", b'plan "\xf0\x9f'
    yield "cr only", GOOD.replace(b"\n", b"\r") * 2
    yield "vertical tab", b'plan\x0b"x"\n'
    yield "next line", 'plan "x"\x85hardware: 6 x H100\n'.encode()
    yield "zero width", "hard\u200bware: 6 x H100 for 6 months\n".encode()
    yield "right to left", "hardware: 6 x \u202eH100 for 6 months\n".encode()
    yield "full-width digits", "hardware: \uff16 x H100 for 6 months\n".encode()
    yield "ten megabytes", b"a" * (10 * MILLION)
    yield "a megabyte of a", b"a" * MILLION
    yield "a hundred thousand of a", b"a" * 99_000
    for c in "()[]{}\"'\\#:;,.+-*/^@%?<>=!|&~`\n":
        tail = b"x" if c in "#\n" else b""
        yield f"a hundred thousand {c!r}", c.encode() * 99_999 + tail
        yield f"ninety thousand {c!r} in hardware", b"hardware: " + c.encode() * 90_000 + tail
    for name, piece in (("a figure", b"1"), ("figures", b"1_"), ("powers of ten", b"1e"), ("letters", b"1a")):
        for key in (b"objective:", b"data web:"):
            yield f"{name} without end in {key.decode()}", GOOD + key + b" " + piece * 20_000 + b"1\n"
    yield "blanks before what is no name", b"data" + b" " * 90_000 + b"1 2\n"
    yield "marks of an ignore", b"hardwar: 1\n# " + b"#ignore[" * 12_000
    yield "brackets past the limit", b"(" * 100_000
    yield "nested calls", b"let a = " + b"ln(" * 20_000
    yield "nested stages", b"stage a { " * 5_000
    yield "twenty thousand terms", b"let a = 1" + b" + 1" * 20_000
    yield "powers", b"let a = a" + b"^a" * 20_000
    yield "two hundred levels", b"let a = " + b"1 + " * 198 + b"1\nlet b = " + b"-" * 197 + b"1 / 0\n"
    yield "not not not", b"require " + b"not " * 20_000 + b"loss <= 2"
    yield "ifs", b"let a = " + b"if 1 < 2 then 1 else " * 4_000 + b"1"
    yield "a long unit", b"let a = 3 " + b"hour/" * 15_000 + b"hour"
    yield "a long name", b"let a = " + b"a." * 40_000 + b"a"
    yield "escapes", b'plan "' + b'\\"' * 45_000
    yield (
        "doubling lets",
        b"let a0 = 1\n" + b"".join(b"let a%d = a%d + a%d\n" % (i, i - 1, i - 1) for i in range(1, 999)),
    )
    yield "a circle of lets", b"".join(b"let a%d = a%d\n" % (i, (i + 1) % 999) for i in range(999))
    yield "thousands of stages", b"".join(b"stage s%d { tokens: 1T }\n" % i for i in range(3_000))
    yield "thousands of sources in a mix", b"phase a: 100% x mix " + b", ".join(b"s%d 1%%" % i for i in range(9_000))
    yield "thousands of mistakes", b"hardware: 6 x\n" * 6_000
    yield "thousands of unknown names", b"".join(b"require los%d <= 2\n" % i for i in range(900))
    yield "an unclosed quote", b'plan "x\nhardware: 6 x H100 for 6 months\n'
    yield "an unclosed block", b"hardware {\n  gpus: 6\n"
    yield (
        "imports that lead nowhere",
        (
            b'import "../../../etc/passwd"\nimport /etc/passwd\nimport http://x.y/z.plan\nimport ~/x.plan\nimport "."\n'
            b'import ""\n'
            b'import nope.plan\nimport "a%00b"\nimport "' + b"a/" * 3_000 + b'"\nimport ' + b"a" * 300 + b"\n"
        ),
    )
    yield "a device from the file system", b'hardware: 6 x "../../etc/passwd" for 6 months\n'
    yield "a device of format codes", b'hardware: 6 x "%s%n{0}" for 6 months\n'
    for field in ("gpus", "time", "mfu", "rate", "price", "peak", "power", "pue", "availability", "hours_per_day"):
        yield (
            f"no {field}",
            b"".join(b"hardware { device: H100; %s: %s }\n" % (field.encode(), v.encode()) for v in VALUES),
        )
    for said in (
        "tokens",
        "compute",
        "model",
        "inference",
        "data",
        "reserve",
        "let x =",
        "require loss <=",
        "minimize",
    ):
        yield f"no {said}", b"".join(b"%s %s\n" % (said.encode(), v.encode()) for v in VALUES)
    for text in INJECTIONS:
        quoted = json.dumps(text, ensure_ascii=False).encode()
        yield f"injection {text!r}", b"plan %s # %s\nhardware: 6 x %s for 6 months\n%s" % (
            quoted, text.encode(), quoted, text.encode()
        )  # fmt: skip


def yaml_cases() -> Iterator[tuple[str, bytes]]:
    for name, content in dsl_cases():
        if not name.startswith(("no ", "injection")):
            yield name, content
    yield "a flow of lists", b"[" * 50_000
    yield "a flow of mappings", b"{a: " * 20_000
    yield "deep lists", b"- " * 40_000
    yield "deep indent", b"".join(b" " * i + b"a:\n" for i in range(400))
    yield "laughs", b"a: &a [x, x]\n" + b"".join(b"%c: &%c [*%c, *%c]\n" % (c, c, c - 1, c - 1) for c in range(98, 122))
    yield "an alias of itself", b"a: &a [*a]\n"
    yield "an anchor", b"compute: &a 1e21 FLOP\n"
    yield "an unknown alias", b"compute: *b\n"
    for tag in (
        b"!!str x",
        b"!!python/object/apply:os.system [id]",
        b"!<tag:yaml.org,2002:python/name:os.system> x",
        b"! x",
    ):
        yield f"a tag {tag!r}", b"compute: " + tag + b"\n"
    yield "a merge", b"let: {a: 1}\nhardware:\n  <<: {b: 1}\n"
    yield "two documents", GOOD + b"---\n" + GOOD
    yield "a thousand documents", b"---\na: 1\n" * 1_000
    yield "a directive", b"%YAML 1.2\n---\n" + GOOD
    yield "an unknown directive", b"%FOO bar\n---\n" + GOOD
    yield "keys given twice", GOOD * 500
    yield "keys of a mapping that are lists", b"? [a]\n: b\n"
    yield "an empty key", b": x\n"
    yield "a tab", b"hardware:\n\tgpus: 6\n"
    yield "thousands of values", b"let:\n" + b"".join(b"  a%d: %d\n" % (i, i) for i in range(8_000))
    yield "thousands of requirements", b"require:\n" + b"- los <= 2\n" * 900
    yield "a scalar", b"hello\n"
    yield "a list", b"- a\n- b\n"
    yield "an open flow", b"hardware: {gpus: 6,\n"
    yield "an open quote", b'plan: "x\n' + GOOD
    yield "a block text", b"plan: |\n  a\n  b\nhardware: >\n  6 x\n\n  H100\n"
    keys = "tokens compute model hardware data reserve schedule stages optimizer plan laws".split()
    values = ["", " []", " {}", " [[]]", " {a: {b: {c: d}}}", " [a, {b: c}]", " ?", " @x", " 1: 2: 3", ' "\\ud800"']
    for key in keys:
        for value in values:
            yield f"{key}:{value}", f"{key}:{value}\n".encode()
    for field in ("gpus", "time", "mfu", "price", "device", "precision", "from", "tokens"):
        for value in VALUES[:44:2]:
            yield f"{field}: {value[:20]}", f"hardware:\n  device: H100\n  {field}: {value}\n".encode()
    for text in INJECTIONS:
        quoted = json.dumps(text).encode()
        yield (
            f"injection {text!r}",
            b"plan: %s\n%s: %s\nhardware: '6 x %s for 6 months'\n" % (quoted, quoted, quoted, quoted),
        )


CASES = [
    *((f"{i}.plan", name, content) for i, (name, content) in enumerate(dsl_cases())),
    *((f"{i}.plan.yaml", name, content) for i, (name, content) in enumerate(yaml_cases())),
]
# Files that are odd and fine.
FINE = {
    "bom.plan": b"\xef\xbb\xbf" + GOOD,
    "crlf.plan": GOOD.replace(b"\n", b"\r\n") * 1,
    "tabs.plan": b"hardware:\t6 x H100\tfor 6 months at 40% MFU\t\n",
    "no-end.plan": GOOD.rstrip(),
    "comments.plan": GOOD + b"# x\n" * 5_000,
    "blank-lines.plan": b"\n" * 50_000 + GOOD,
    "titles.plan": b'plan "::error::x %0A \\\\ \\""\n' + GOOD,
    "bom.plan.yaml": b"\xef\xbb\xbf" + GOOD,
    "crlf.plan.yaml": b"---\r\n" + GOOD.replace(b"\n", b"\r\n"),
    "json.plan.yaml": b'{"hardware": "6 x H100 for 6 months at 40% MFU", "plan": "\\u2028x"}',
}


def no_constant(text: str) -> Any:
    raise ValueError(f"{text} in JSON")


def command(args: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    """The exit code of a command and what it prints."""
    code = main(args)
    out, err = capsys.readouterr()
    return code, out, err


def steps_of(args: list[str]) -> int:
    """The steps of a command, which is stopped where they are too many."""
    steps = 0

    def count(frame: FrameType, event: str, argument: object) -> None:
        nonlocal steps
        steps += 1
        if steps > MOST_STEPS:
            pytest.fail(f"`plan {' '.join(args)}` took more than {MOST_STEPS:,} steps")

    sys.setprofile(count)
    try:
        main(args)
    finally:
        sys.setprofile(None)
    return steps


def test_there_are_enough_of_them() -> None:
    assert len(CASES) >= 300


@pytest.mark.parametrize(("file", "content"), [pytest.param(f, c, id=f"{f} {n}"[:60]) for f, n, c in CASES])
def test_a_hostile_file_is_a_finding(
    file: str, content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RUNPLAN_NO_CACHE", "1")
    Path(file).write_bytes(content)
    code, out, err = command(["check", file, "-o", "json"], capsys)
    assert (code in (1, 4), err) == (True, ""), (code, err)
    findings = json.loads(out, parse_constant=no_constant)["findings"]
    lines = content.count(b"\n") + 1
    assert findings
    assert [f for f in findings if not 1 <= f["line"] <= max(lines, f["line"] * (f["file"] != file))] == []
    assert [said[:99] for f in findings for said in (f["message"], *f["help"]) if len(said) > MOST_HELP] == []
    if not re.match(r"\d*[05]\.", file):  # the report goes the same way; a sample is enough
        return
    code, out, err = command(["solve", file], capsys)
    assert code in (1, 4), err
    assert "Traceback" not in out + err
    # Nothing of the file's reaches a terminal or a workflow as a command.
    assert not set(out) & {"\x1b", "\x08", "\u202e", "\x85"}
    assert [line for line in out.splitlines() if line.startswith("::")] == []


# What can be written N times, by its file.
REPEATED: dict[str, Callable[[int], str]] = {
    "lets.plan": lambda n: "let a0 = 1\n" + "".join(f"let a{i} = a{i - 1} + a{i - 1}\n" for i in range(1, n)),
    "circle.plan": lambda n: "".join(f"let a{i} = a{(i + 1) % n}\n" for i in range(n)),
    "mistakes.plan": lambda n: "hardware: 6 x\n" * n,
    "unknown.plan": lambda n: "".join(f"require los{i} <= 2\n" for i in range(n)),
    "stages.plan": lambda n: "".join(f"stage s{i} {{ tokens: 1T }}\n" for i in range(n)),
    "mix.plan": lambda n: "phase a: 100% x mix " + ", ".join(f"s{i} 1%" for i in range(n)),
    "terms.plan": lambda n: "let a = 1" + " + 1" * n,
    "powers.plan": lambda n: "let a = a" + "^a" * n,
    "ifs.plan": lambda n: "let a = " + "if 1 < 2 then 1 else " * n + "1",
    "brackets.plan": lambda n: "(" * n,
    "quotes.plan": lambda n: "'" * n,
    "unit.plan": lambda n: "let a = 3 " + "hour/" * n + "hour",
    "comments.plan": lambda n: "# x\n" * n,
    "sources.plan": lambda n: "model: 1B\n" + "".join(f"data s{i}: {i + 1}B tokens\n" for i in range(n)),
    "imports.plan": lambda n: "".join(f'import "nope{i}.plan"\n' for i in range(n)),
    "values.plan.yaml": lambda n: "let:\n" + "".join(f"  a{i}: {i}\n" for i in range(n)),
    "requirements.plan.yaml": lambda n: "require:\n" + "- los <= 2\n" * n,
    "lists.plan.yaml": lambda n: "[" * n,
    "indent.plan.yaml": lambda n: "".join(" " * i + "a:\n" for i in range(n)),
    "laughs.plan.yaml": lambda n: (
        "a0: &a0 [x, x]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]\n" for i in range(1, n))
    ),
    "documents.plan.yaml": lambda n: "---\na: 1\n" * n,
}


@pytest.mark.parametrize("file", REPEATED)
def test_twice_the_file_is_twice_the_work(file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twice the steps for twice the size; what is quadratic takes four times, what doubles on itself never ends."""
    monkeypatch.chdir(tmp_path)
    # A folder of its own: a write into the one of all tests may be the one that looks at all that they have kept.
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    steps = []
    for n in (100, 200, 400):  # the first reads what is kept for the others
        # No file is as it was: one that was read before costs next to nothing.
        Path(file).write_text(f"# {uuid4()}\n{REPEATED[file](n)}", encoding="utf-8")
        steps.append(steps_of(["check", file, "-o", "json"]))
    assert steps[2] <= 2.5 * steps[1]


@pytest.mark.parametrize("name", ["twenty thousand terms", "thousands of sources in a mix", "ifs", "powers"])
def test_the_costliest_files_have_a_bound(name: str, tmp_path: Path) -> None:
    path = tmp_path / "x.plan"
    path.write_bytes(dict(dsl_cases())[name])
    assert 0 < steps_of(["check", str(path), "-o", "json"]) <= MOST_STEPS


@pytest.mark.parametrize("file", sorted(FINE))
def test_an_odd_file_that_is_fine(
    file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(file).write_bytes(FINE[file])
    for output in ("full", "json", "concise", "github", "markdown"):
        code, out, err = command(["check", file, "-o", output], capsys)
        assert (code, err) == (0, ""), out
        assert not set(out) & {"\x1b", "\u202e"}


@pytest.mark.parametrize(
    "text", ['plan "x"', "schedule: WSD", "minimize loss", "use laws chinchilla", "model {}", "compute: ?"]
)
def test_a_plan_that_gives_nothing_is_under_determined(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "x.plan").write_text(text)
    code, out, _ = command(["check", str(tmp_path / "x.plan"), "-o", "json"], capsys)
    assert code == 1
    assert [f["code"] for f in json.loads(out)["findings"] if f["severity"] == "error"] == ["C002"]


def real(*args: str, cwd: Path) -> subprocess.CompletedProcess[bytes]:
    argv = [sys.executable, "-m", "runplan", *args]
    return subprocess.run(argv, cwd=cwd, capture_output=True, timeout=HANGS, stdin=subprocess.DEVNULL)


def test_the_command_itself_survives_all_of_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One process over a folder of everything, and every format of it."""
    for file, _, content in CASES[::7]:
        (tmp_path / file).write_bytes(content)
    done = real("check", ".", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (1, b"")
    monkeypatch.chdir(tmp_path)
    for output in ("full", "concise", "json", "github", "markdown"):
        code, out, err = command(["check", ".", "-o", output], capsys)
        assert (code, err) == (1, "")
        assert "Traceback" not in out and "\x1b" not in out
        if output == "full":
            assert done.stdout.decode() == out
        if output == "json":
            json.loads(out, parse_constant=no_constant)
        if output != "github":
            assert [line for line in out.splitlines() if line.startswith("::")] == []


def test_what_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "folder.plan").mkdir()
    locked = tmp_path / "locked.plan"
    locked.write_bytes(GOOD)
    locked.chmod(0)
    for args in (["folder.plan"], ["nope.plan"], ["a\nb.plan"], ["-"], [""]):
        done = real("check", *args, cwd=tmp_path)
        assert done.returncode == 2
        assert b"Traceback" not in done.stderr and done.stderr
    if os.geteuid() != 0:
        assert real("check", "locked.plan", cwd=tmp_path).returncode == 2


def test_imports_stay_inside_and_end(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secret.plan").write_text("let leaked = 42\n")
    root = tmp_path / "root"
    root.mkdir()
    (root / "runplan.toml").write_text("")
    files = {
        "binary.bin": bytes(range(256)),
        "out.plan": b'import "../secret.plan"\n',
        "link-user.plan": b"import link.plan\n",
        "self.plan": b"import self.plan\n",
        "a.plan": b"import b.plan\n",
        "b.plan": b"import a.plan\n",
        "folder.plan": b"import sub\n",
        "missing.plan": b"import nope.plan\n",
        "bin.plan": b"import binary.bin\n",
        "yaml.plan": b"import bad.yaml\n",
        "bad.yaml": b"let: &a [*a]\n",
        "wide.plan": b"".join(b"import w%d.plan\n" % i for i in range(150)),
        **{f"w{i}.plan": b"let w%d = 1\n" % i for i in range(150)},
        **{f"deep{i}.plan": b"import deep%d.plan\n" % (i + 1) for i in range(150)},
        # Each brings the next twice: 2^60 lets, if nobody counts.
        **{
            f"twice{i}.plan": b"import twice%d.plan as a\nimport twice%d.plan as b\n" % (i + 1, i + 1)
            for i in range(60)
        },
        "twice60.plan": b"let x = 1\n",
    }
    (root / "sub").mkdir()
    for name, content in files.items():
        (root / name).write_bytes(content)
    (root / "link.plan").symlink_to("../secret.plan")
    monkeypatch.chdir(root)
    expected = {
        "out": "N004", "link-user": "N004", "self": "N003", "a": "N003", "folder": "N004", "missing": "N004",
        "bin": "S003",
        "yaml": "S005", "wide": "S004", "deep0": "S004", "twice0": "S004",
    }  # fmt: skip
    for name, code in expected.items():
        exit_code, out, err = command(["check", f"{name}.plan", "-o", "json"], capsys)
        assert (exit_code, err) == (1, ""), name
        findings = json.loads(out)["findings"]
        assert code in {f["code"] for f in findings}, (name, findings)
        assert "leaked" not in out


def test_standard_input(tmp_path: Path) -> None:
    for content in (b"", b"\xff\xfe", b"hardware: 6 x H10 for 6 months", b"(" * 100_000):
        argv = [sys.executable, "-m", "runplan", "check", "-", "--stdin-filename", "x.plan", "-o", "json"]
        done = subprocess.run(argv, cwd=tmp_path, input=content, capture_output=True, timeout=HANGS)
        assert (done.returncode, done.stderr) == (1, b"")
        assert json.loads(done.stdout)["findings"]
