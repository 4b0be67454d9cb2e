"""The pages of the site that are made of the program, and the pictures of its output: each by its path from `docs/`.

`UPDATE_SNAPSHOTS=1` of tests/repository/test_site.py writes them.
"""

from __future__ import annotations

import inspect
import io
import re
from argparse import SUPPRESS, Action
from importlib import import_module

from rich.console import Console
from rich.text import Text

import runplan
from runplan.cli.arguments import parser_of
from runplan.cli.main import VERBS
from runplan.dsl.syntax.grammar import grammar_text

# What each picture is of, a command in the root of the repository.
PICTURES = {
    "pictures/check.svg": "plan check plans/over-budget.plan --select B",
    "pictures/solve.svg": "plan solve plans/thousand-h100.plan",
    "pictures/diff.svg": "plan diff plans/how-big-on-10t.plan plans/how-big-on-10t-at-400.plan",
}
WIDTH = 80
# How wide rich draws a column, in its units.
_COLUMN = 12.2
_ANNOTATION = re.compile(r"((?:: |-> ))'([^']*)'")
_OBJECT = re.compile(r"<(?:module|object|function)\b[^>]*>")


def pages() -> dict[str, str]:
    """The text of each page."""
    return {
        "reference/grammar.md": grammar_page(),
        "reference/options.md": options_page(),
        "reference/api.md": api_page(),
    }


def grammar_page() -> str:
    """The grammar that plans and packs are parsed by."""
    return (
        "# The grammar\n\n"
        "What plans and packs are parsed by, in the notation of "
        "[Lark](https://lark-parser.readthedocs.io/en/stable/grammar.html): LALR(1), with a lexer that knows which\n"
        "words may stand at a place. It is the grammar of the program itself, with the rules that the table of\n"
        "statements adds. A YAML scalar is parsed by the rule of its key. [The language](../language.md) says what it\n"
        f"means.\n\n```text\n{grammar_text().strip()}\n```\n"
    )


def options_page() -> str:
    """Every option of every verb, as the verbs read them."""
    parts = ["# All options\n\nWhat `plan VERB --help` lists. [The command](../cli.md) tells more, with examples.\n"]
    for name in VERBS:
        parser = parser_of(import_module(f"runplan.cli.verbs.{name.replace('-', '_')}").run)
        actions = [action for action in parser._actions if action.help != SUPPRESS]
        rows = "".join(f"| {_spelled(action)} | {_cell(action.help or '')} |\n" for action in actions)
        told = _flat(parser.description or "")
        parts.append(f"\n## plan {name}\n\n{told}\n\n| option | what it says |\n|---|---|\n{rows}")
    return "".join(parts)


def _spelled(action: Action) -> str:
    """An option in its spellings, or an argument, with what it takes."""
    shown = action.metavar if isinstance(action.metavar, str) else action.dest.upper()
    words = [shown] if action.metavar or not action.choices else list(map(str, action.choices))
    flags = ", ".join(f"`{flag}`" for flag in action.option_strings)
    takes = " or ".join(f"`{word}`" for part in words for word in part.split("|")) if action.nargs != 0 else ""
    return " ".join(filter(None, (flags, takes)))


def _cell(text: str) -> str:
    return _flat(text).replace("|", "\\|").replace("<", "&lt;")


def _flat(text: str) -> str:
    return " ".join(text.replace("%%", "%").split())


def api_page() -> str:
    """Every public name with its signature and what it says of itself."""
    parts = ["# Public names\n\nAll that `runplan` exports. [In Python](../python.md) shows how they are used.\n"]
    for name in runplan.__all__:
        known = getattr(runplan, name)
        if not callable(known):
            continue
        parts.append(f"\n## {name}\n\n{_told(name, known)}")
        if isinstance(known, type):
            methods = [(each, of) for each, of in vars(known).items() if not each.startswith("_") and _is_method(of)]
            parts += [f"\n### {name}.{each}\n\n{_told(each, getattr(known, each))}" for each, of in methods]
    return "".join(parts)


def _is_method(of: object) -> bool:
    return inspect.isfunction(of) or isinstance(of, classmethod | staticmethod | property)


def _told(name: str, known: object) -> str:
    doc = inspect.getdoc(known) or ""
    signature = ""
    if callable(known) and not (isinstance(known, type) and issubclass(known, BaseException)):
        typed = _ANNOTATION.sub(r"\1\2", str(inspect.signature(known))).replace("(self, ", "(").replace("(self)", "()")
        if isinstance(known, type) and hasattr(known, "__match_args__"):  # what makes one is itself made at first use
            typed = f"({', '.join(known.__match_args__)})"
        typed = _OBJECT.sub("...", typed)  # a default that only this process has
        signature = f"```text\n{name}{typed}\n```\n\n"
    first, _, rest = doc.partition("\n\n")
    more = f"\n```text\n{rest.strip()}\n```\n" if rest.strip() else ""
    return f"{signature}{' '.join(first.split())}\n{more}"


# ---- pictures


def picture(command: str, printed: str) -> str:
    """What a command printed, with its colours, as a drawing of a terminal that fetches nothing."""
    from rich._export_format import CONSOLE_SVG_FORMAT

    # Without the fonts that it would fetch from elsewhere.
    plain = re.sub(r"@font-face \{\{.*?\}\}\n", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
    text = Text.from_ansi(printed.rstrip("\n"))
    width = max(WIDTH, *(line.cell_len for line in text.split()))
    console = Console(record=True, width=width, file=io.StringIO(), force_terminal=True, legacy_windows=False)
    console.print(text, soft_wrap=True)
    return console.export_svg(title=command, code_format=plain, unique_id="plan") + "\n"


def text_of(svg: str) -> list[str]:
    """The lines of a drawing, without blanks at their ends and empty lines; blanks without colour are not drawn."""
    lines: dict[str, str] = {}
    for x, y, text in re.findall(r'<text class="plan-r\d+" x="([\d.]+)" y="([\d.]+)"[^>]*>(.*?)</text>', svg):
        lines[y] = lines.get(y, "").ljust(round(float(x) / _COLUMN)) + _plain(text)
    return [line.rstrip() for line in lines.values() if line.strip()]


def _plain(text: str) -> str:
    for entity, character in (("&#160;", " "), ("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&#x27;", "'")):
        text = text.replace(entity, character)
    return text.replace("&amp;", "&")
