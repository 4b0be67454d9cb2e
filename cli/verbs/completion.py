"""`plan completion`: what a shell completes of the command, made of the parsers of its verbs."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules

from runplan.cli import verbs
from runplan.cli.arguments import Parser, library_here, parser_of, unknown_word, verb
from runplan.cli.outcome import CLEAN
from runplan.cli.show.completion.content import Commands, Verb, verb_of, words
from runplan.cli.stream import write
from runplan.dsl.packs.library import Library
from runplan.dsl.text.codes import CODES

SHELLS = ("bash", "zsh", "fish", "powershell")


@verb("completion")
def run(argv: list[str]) -> int:
    """Print the script of a shell; exit 2 for a shell that is none of them."""
    parser = Parser(
        prog="plan completion",
        description="Print the script by which a shell completes the command: verbs, options, files, and the names of "
        "laws, devices, models, rules and quantities that are known here. Write it anew after an update.",
        epilog="example: plan completion bash",
    )
    parser.add_argument("shell", metavar="SHELL", help=", ".join(SHELLS))
    parser.offers["shell"] = SHELLS
    args = parser.parse_args(argv)
    if args.shell not in SHELLS:
        raise unknown_word("shell", args.shell, SHELLS)
    shell = import_module(f"runplan.cli.show.completion.{args.shell}")
    write(shell.script(commands_of(library_here())))
    return CLEAN


def commands_of(library: Library) -> Commands:
    """All that there is to complete, with the names of a library."""
    return Commands(tuple(_verbs()), _names(library))


def _verbs() -> Iterator[Verb]:
    for module in iter_modules(verbs.__path__):
        run = import_module(f"{verbs.__name__}.{module.name}").run
        parser = parser_of(run)
        yield verb_of(module.name.replace("_", "-"), parser, parser.offers)


def _names(library: Library) -> dict[str, tuple[str, ...]]:
    codes = ((code, known.name) for code, known in CODES.items())
    return {
        "laws": words(name for law in library.laws() for name in (law.name, *law.aliases)),
        "devices": words(record.name for record in library.records("device")),
        "models": words(record.name for record in library.records("model")),
        "codes": words(word for pair in (*codes, *library.rule_names()) for word in pair),
        "quantities": words(iter(library.quantities())),
    }
