"""The verbs as a script for fish."""

from __future__ import annotations

from collections.abc import Iterator

from runplan.cli.show.completion.content import Commands, Option, Takes, Verb

_HEAD = """\
# What fish completes of `plan`; written by `plan completion fish`.
#   plan completion fish > ~/.config/fish/completions/plan.fish

complete -c plan -e
complete -c plan -f
"""
_PATHS = {"plans": "-F", "files": "-F", "folders": "-xa '(__fish_complete_directories)'"}


def script(commands: Commands) -> str:
    """The script, for a file that fish reads."""
    lines = [_HEAD]
    for kind, words in commands.names.items():
        lines.append(f"function __plan_{kind}\n    printf '%s\\n' {' '.join(words)}\nend\n")
    for verb in commands.verbs:
        lines.append(f"complete -c plan -n __fish_use_subcommand -a {verb.name} -d {_quoted(verb.help)}\n")
        lines += [f"complete -c plan -n '__fish_seen_subcommand_from {verb.name}' {rest}\n" for rest in _of(verb)]
    return "".join(lines)


def _of(verb: Verb) -> Iterator[str]:
    yield from (_option(option) for option in verb.options)
    # fish does not count arguments: where two are different, both are offered.
    yield from dict.fromkeys(_value(takes).replace("-xa", "-a") for takes in verb.arguments if takes.kind != "text")


def _option(option: Option) -> str:
    flags = " ".join(f"-l {flag[2:]}" if flag.startswith("--") else f"-s {flag[1:]}" for flag in option.flags)
    value = f" {_value(option.takes)}" if option.takes else ""
    return f"{flags}{value} -d {_quoted(option.help)}"


def _value(takes: Takes) -> str:
    if takes.kind == "words":
        return f"-xa {_quoted(' '.join(takes.words))}"
    if takes.kind == "text":
        return "-x"
    names = f"__fish_complete_list , __plan_{takes.kind}" if takes.joined else f"__plan_{takes.kind}"
    return _PATHS.get(takes.kind) or f"-xa '({names})'"


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
