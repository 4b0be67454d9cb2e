"""`plan completion`: the scripts as shells run them, where these are installed; what they offer is what verbs take."""

from __future__ import annotations

import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest
from known import LIBRARY

from runplan.cli.main import VERBS, main
from runplan.cli.show.completion.content import KINDS, Commands
from runplan.cli.show.formats import offered
from runplan.cli.verbs import completion

needs_bash = pytest.mark.skipif(shutil.which("bash") is None, reason="no bash")


@cache
def commands() -> Commands:
    return completion.commands_of(LIBRARY)


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    """The script of bash, in a folder with plans and other files."""
    (tmp_path / "runs").mkdir()
    for name in ("a.plan", "b.plan.yaml", "notes.txt", "with blank.plan", "runs/c.plan"):
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    assert main(["completion", "bash"]) == 0
    path = tmp_path / "script"
    path.write_text(capsys.readouterr().out, "utf-8")
    return path


def test_every_verb_is_there_with_every_option(capsys: pytest.CaptureFixture[str]) -> None:
    assert {verb.name for verb in commands().verbs} == set(VERBS)
    for verb in commands().verbs:
        assert verb.help and all(option.help for option in verb.options)
        assert main([verb.name, "--help"]) == 0
        told = capsys.readouterr().out
        assert all(flag in told for option in verb.options for flag in option.flags)
        # The argument that asks for a parser is no option, and no command line can hold it.
        assert "\0" not in told and not any("\0" in flag for option in verb.options for flag in option.flags)


def test_no_kind_is_left_that_no_verb_mentions() -> None:
    shown = {takes.shown for verb in commands().verbs for takes in verb.arguments}
    shown |= {option.takes.shown for verb in commands().verbs for option in verb.options if option.takes}
    assert set(KINDS) <= shown


def test_an_unknown_shell(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", "fsh"]) == 2
    assert "did you mean `fish`?" in capsys.readouterr().err


# What is typed, a bar where the cursor is at the end of the last word; and what is offered.
LAWS = [name for law in LIBRARY.laws() for name in (law.name, *law.aliases)]
TYPED = [
    (["che"], ["check"]),
    (["check", ""], ["runs", "a.plan", "b.plan.yaml", "with blank.plan"]),
    (["check", "a.plan", "b"], ["b.plan.yaml"]),
    (["check", "--fail-on", ""], ["error", "warning", "never"]),
    (["check", "--fail-on", "=", "w"], ["warning"]),
    (["check", "-o", "s"], ["sarif"]),
    (["check", "--output", ""], list(offered("findings"))),
    (["check", "-o", "json", "=", "no"], ["notes.txt"]),
    (["check", "--base"], ["--baseline"]),
    (["check", "--baseline", "n"], ["notes.txt"]),
    (["check", "--select", "H001,over-b"], ["H001,over-budget"]),
    (["check", "--stdin-filename", ""], []),
    (["compare", "a.plan", "--laws", "chinchilla,kaplan.j"], ["chinchilla,kaplan.joint"]),
    (["explain", "a.plan", "loss"], ["loss"]),
    (["explain", "--law", "llama3", "a.pl"], ["a.plan"]),
    (["explain", "a.plan", "--law", "llama3", "tokens_served"], []),
    (["law", "steplaw"], [name for name in LAWS if name.startswith("steplaw")]),
    (["law", "chinchilla"], [name for name in LAWS if name.startswith("chinchilla")]),
    (["device", "H100-SX"], []),
    (["init", "r"], ["runs"]),
    (["init", "--template", "pro"], ["protein"]),
    (["completion", "ba"], ["bash"]),
    (["no-such-verb", ""], []),
]


@needs_bash
def test_bash_offers_what_fits(script: Path) -> None:
    """The words as bash gives them to a function: `--fail-on=w` is three."""
    driver = ["source ./script"]
    for words, _ in TYPED:
        quoted = " ".join(f"'{word}'" for word in ("plan", *words))
        driver += [f"COMP_WORDS=({quoted}) COMP_CWORD={len(words)} COMPREPLY=()", "_plan"]
        driver += ['printf "%s\\n" "${COMPREPLY[@]}"', "echo ---"]
    done = subprocess.run(["bash", "-c", "\n".join(driver)], cwd=script.parent, capture_output=True, text=True)
    assert done.stderr == ""
    found = [sorted(filter(None, part.split("\n"))) for part in done.stdout.split("---\n")[:-1]]
    assert found == [sorted(offers) for _, offers in TYPED]


@pytest.mark.skipif(shutil.which("zsh") is None, reason="no zsh")
def test_zsh_is_told_of_every_option(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What the script hands to zsh's own `_arguments`, in place of which it is printed."""
    assert main(["completion", "zsh"]) == 0
    (tmp_path / "_plan").write_text(capsys.readouterr().out, "utf-8")
    driver = [
        "compdef() { }; _arguments() { print -rl -- $@ }; _describe() { print -rl -- ${(P)2} }",
        "source ./_plan",
        "words=(plan '') CURRENT=2; _plan; print -- ---",
    ]
    for verb in commands().verbs:
        driver.append(f"words=(plan {verb.name} '') CURRENT=3; _plan; print -- ---")
    done = subprocess.run(
        ["zsh", "-f", "-c", "\n".join(driver)], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    first, *others = done.stdout.split("---\n")[:-1]
    assert [line.partition(":")[0] for line in first.splitlines()] == [verb.name for verb in commands().verbs]
    for verb, told in zip(commands().verbs, others, strict=True):
        specs = [line.lstrip("*").replace("=[", "[").partition("[")[0] for line in told.splitlines()[1:]]
        flags = [flag for option in verb.options for flag in option.flags]
        assert specs[: len(flags)] == flags and len(specs) == len(flags) + len(verb.arguments)


@pytest.mark.skipif(shutil.which("fish") is None, reason="no fish")
def test_fish_offers_what_fits(script: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", "fish"]) == 0
    (script.parent / "plan.fish").write_text(capsys.readouterr().out, "utf-8")
    typed = ["plan che", "plan check --fail", "plan check --fail-on ", "plan compare a.plan --laws chinchilla,kaplan.j"]
    driver = ["source plan.fish", *(f"complete -C '{line}'; echo ---" for line in typed)]
    done = subprocess.run(
        ["fish", "--no-config", "-c", "\n".join(driver)], cwd=script.parent, capture_output=True, text=True, check=True
    )
    found = [[line.split("\t")[0] for line in part.splitlines()] for part in done.stdout.split("---\n")[:-1]]
    assert found == [["check"], ["--fail-on"], ["error", "never", "warning"], ["chinchilla,kaplan.joint"]]


def test_powershell_gets_whole_literals(capsys: pytest.CaptureFixture[str]) -> None:
    """No PowerShell is needed to see that its quotes and brackets come in pairs, and that nothing is missing."""
    assert main(["completion", "powershell"]) == 0
    text = capsys.readouterr().out
    assert all(line.count("'") % 2 == 0 for line in text.splitlines())
    assert [text.count(c) for c in "({["] == [text.count(c) for c in ")}]"]
    for verb in commands().verbs:
        assert f"'{verb.name}' = @{{" in text
        assert all(f"'{flag}' = " in text for option in verb.options for flag in option.flags)
