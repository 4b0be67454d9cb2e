"""What a stranger's plan can do, by docs/design/0029: read its project, cost a bounded time, and nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from runplan.cli.main import main
from runplan.dsl.text.limits import MAX_CHARACTERS, MAX_POOLS, MAX_STATEMENTS

GOOD = "hardware: 64 x H100 for 30 days at 40% MFU @ 3 USD/GPU/hour\n"
# Commands in a folder of hostile files, under a hook that tells of all that they ask of the system.
WATCHED = """
import json, os, sys
seen = []
WATCH = ("socket.", "subprocess.", "os.system", "os.exec", "os.fork", "os.posix_spawn", "os.spawn", "os.kill",
         "shutil.", "os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.chmod", "pty.")
def hook(event, args):
    if event.startswith(WATCH):
        seen.append([event, repr(args[:1])])
    elif event == "open" and isinstance(args[0], str):
        mode, flags = args[1], args[2] or 0
        writes = bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)) or any(c in str(mode or "") for c in "wax+")
        seen.append(["write" if writes else "read", os.path.abspath(args[0])])
from runplan.cli.main import main
sys.addaudithook(hook)
codes = [main(argv) for argv in json.loads(sys.argv[1])]
print("\\nTOLD" + json.dumps([codes, seen]))
with open("/proc/self/status") as status:  # a resource limit's count begins with what the parent had
    print(next(int(line.split()[1]) for line in status if line.startswith("VmHWM")), file=sys.stderr)
"""


def test_commands_only_read_the_project(tmp_path: Path) -> None:
    """No network, no process, no file written but in the cache, none read that is neither the project's nor ours."""
    root, cache, secret = tmp_path / "root", tmp_path / "cache", tmp_path / "secret.plan"
    root.mkdir()
    secret.write_text("let leaked = 42\n")
    (root / "runplan.toml").write_text("")
    (root / "evil.py").write_text("raise SystemExit(9)\n")
    (root / "link.plan").symlink_to(secret)
    imports = ["../secret.plan", str(secret), "link.plan", "http://127.0.0.1:9/x.plan", "file:///etc/passwd", "evil.py"]
    (root / "a.plan").write_text(GOOD + "".join(f"import {json.dumps(path)}\n" for path in imports))
    (root / "b.plan.yaml").write_text(
        "compute: !!python/object/apply:os.system ['touch pwned']\nplan: $(touch pwned)\nlet: &a {x: `touch pwned`}\n"
    )
    (root / "c.plan").write_text(GOOD + "let a = open(1)\nlet b = __import__(1)\nrequire cost <= eval(3)\n")
    (root / "good.plan").write_text(GOOD)
    before = sorted(os.listdir(root))
    commands = [
        ["check", "."], ["check", ".", "-o", "sarif"], ["fmt", ".", "--check"], ["solve", "a.plan"],
        ["solve", "good.plan"],
        ["explain", "good.plan", "loss"], ["compare", "good.plan", "--laws", "chinchilla,llama3"],
        ["solve", "b.plan.yaml"],
    ]  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", WATCHED, json.dumps(commands)],
        cwd=root,
        env={**os.environ, "XDG_CACHE_HOME": str(cache), "http_proxy": "http://127.0.0.1:9", "RUNPLAN_NO_CACHE": ""},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    codes, seen = json.loads(done.stdout.rsplit("\nTOLD", 1)[1])
    assert set(codes) <= {0, 1, 2}
    assert "leaked" not in done.stdout and "root:" not in done.stdout
    assert sorted(os.listdir(root)) == before
    ours = (
        str(root),
        str(cache),
        sys.prefix,
        sys.base_prefix,
        str(Path(__file__).resolve().parents[2]),
        "/usr",
        "/dev",
    )
    of_files = ("write", "os.rename", "os.mkdir", "os.remove")
    assert [where for event, where in seen if event == "read" and not where.startswith(ours)] == []
    assert [each for each in seen if each[0] in of_files and str(cache) not in each[1]] == []
    assert [each for each in seen if each[0] not in ("read", *of_files)] == []
    assert int(done.stderr.split()[-1]) < 512 * 1024  # KiB


def hardware(count: int) -> str:
    return "hardware: " + " + ".join(["8 x H100 for 3 days"] * count) + "\n"


TOO_MUCH: dict[str, str] = {
    "characters.plan": "# " + "x" * MAX_CHARACTERS + "\n" + GOOD,
    "characters.plan.yaml": "# " + "x" * MAX_CHARACTERS + "\n" + GOOD,
    "bytes.plan": "# é" * 200_000,
    "pools.plan": hardware(MAX_POOLS + 1),
    "phases.plan": GOOD + "".join(f"phase p{i}: 0.1% linear\n" for i in range(MAX_STATEMENTS["phase"] + 1)),
    "requirements.plan": GOOD + "require cost <= 3 USD\n" * (MAX_STATEMENTS["require"] + 1),
    "joined.plan": GOOD + "require " + " and ".join(["cost <= 3 USD"] * (MAX_STATEMENTS["require"] + 1)) + "\n",
    "requirements.plan.yaml": GOOD + "require:\n" + "  - cost <= 3 USD\n" * (MAX_STATEMENTS["require"] + 1),
    "preferences.plan": GOOD + "prefer cost <= 3 USD\n" * (MAX_STATEMENTS["prefer"] + 1),
    "brackets.plan": GOOD + "require " + "(" * 100 + "cost" + ")" * 100 + " <= 3 USD\n",
    "terms.plan": GOOD + "require cost <= 3 USD" + " + 1 USD" * 3_000 + "\n",
    "nested.plan.yaml": "".join(" " * i + "a:\n" for i in range(99)),
    "values.plan.yaml": "let:\n" + "".join(f"  a{i}: 1\n" for i in range(6_000)),
    "stages.plan": "".join(f"stage s{i} {{ tokens: 1T }}\n" for i in range(60)),
}


@pytest.fixture
def told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    monkeypatch.chdir(tmp_path)

    def run(*argv: str) -> tuple[int, str, str]:
        code = main([*argv])
        return (code, *capsys.readouterr())

    return run


@pytest.mark.parametrize("name", TOO_MUCH)
def test_what_is_too_much_is_said(name: str, told: Callable[..., tuple[int, str, str]]) -> None:
    Path(name).write_text(TOO_MUCH[name], encoding="utf-8")
    code, out, err = told("check", name, "-o", "json")
    assert (code, err) == (1, "")
    assert "S004" in {found["code"] for found in json.loads(out)["findings"]}


@pytest.mark.parametrize("unseen", ["\x85", "\u2028", "\u2029", "\u202e", "\u2066"])
@pytest.mark.parametrize("name", ["x.plan", "x.plan.yaml"])
def test_a_line_end_or_a_turn_that_nobody_sees_is_no_text(
    name: str, unseen: str, told: Callable[..., tuple[int, str, str]]
) -> None:
    Path(name).write_text(f"{GOOD.strip()} # fine{unseen}require: cost <= 1 USD\n", encoding="utf-8")
    code, out, _ = told("check", name, "-o", "concise")
    assert code == 1 and f"{name}:1:67: error[S003]" in out


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
@pytest.mark.parametrize(
    "argv", [["check", "."], ["check", "x.plan"], ["solve", "x.plan"], ["fmt", "x.plan", "--check"]]
)
def test_a_pipe_or_a_device_is_not_waited_for(argv: list[str], told: Callable[..., tuple[int, str, str]]) -> None:
    os.mkfifo("x.plan")
    code, out, err = told(*argv)
    assert (code, out) == (2, "") and "x.plan: not a regular file" in err
    Path("x.plan").unlink()
    Path("x.plan").symlink_to("/dev/zero")
    assert told(*argv)[0] == 2


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_nor_is_one_that_is_imported_or_configures(told: Callable[..., tuple[int, str, str]]) -> None:
    os.mkfifo("p.plan")
    Path("x.plan").write_text('import "p.plan"\n' + GOOD)
    code, out, _ = told("check", "x.plan", "-o", "concise")
    assert code == 1 and "x.plan:1:8: error[N004] the import `p.plan` cannot be read: not a regular file" in out
    os.mkfifo("runplan.toml")
    code, _, err = told("check", "x.plan")
    assert code == 2 and "runplan.toml: not a regular file" in err


HOSTILE_CONFIGURATIONS = {
    "brackets": "packs = " + "[" * 5_000,
    "dots": "a." * 5_000 + "b = 1",
    "quoted dots": '"a"."b".' * 5_000 + "c = 1",
    "bytes": "# x\n" * 150_000,
    "not a pack": 'packs = ["/etc/passwd"]',
    "too many packs": 'packs = ["many"]',
    "binary": "\0\1\2",
}


@pytest.mark.parametrize("name", HOSTILE_CONFIGURATIONS)
def test_a_hostile_configuration_is_refused(name: str, told: Callable[..., tuple[int, str, str]]) -> None:
    Path("x.plan").write_text(GOOD)
    Path("many").mkdir()
    for number in range(1_001 * (name == "too many packs")):
        Path(f"many/{number}.plan").write_text("")
    Path("runplan.toml").write_text(HOSTILE_CONFIGURATIONS[name])
    code, out, err = told("check", "x.plan")
    assert (code, out) == (2, "") and "runplan.toml" in err and "root:" not in err
