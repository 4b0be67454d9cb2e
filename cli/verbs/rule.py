"""`plan rule`: the rules and the engine's own codes as a list, or the page of one."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence

from runplan.cli.arguments import add_output, library_here, unknown, verb, wanted
from runplan.cli.outcome import CLEAN
from runplan.cli.output import write
from runplan.cli.show.json_text import document_text
from runplan.cli.show.page import columns, paragraph, section
from runplan.dsl.packs.pack import Rule
from runplan.dsl.text.codes import CODES, code_of, silenceable, words
from runplan.engine.judge.rules import condition, example

FORMATS = ("table", "json")


@verb("rule")
def run(argv: list[str]) -> int:
    """List the rules or show one; exit 2 for a code or name that is none."""
    parser = argparse.ArgumentParser(
        prog="plan rule",
        description="The rules: a list, or what one says, when, why, and an example that breaks it and one that "
        "keeps it.",
        epilog="example: plan rule implausible-mfu",
    )
    parser.add_argument("name", metavar="CODE|NAME", nargs="?", help="such as H002 or implausible-mfu")
    add_output(parser, FORMATS)
    args = parser.parse_args(argv)
    [(form, file)] = wanted(args, FORMATS)
    rules = library_here().rules()
    document: dict[str, object]
    if args.name is None:
        document = {"schema": "plan.rules/v1", "rules": _list_json(rules)}
        text = document_text(document) if form == "json" else _list(rules)
    else:
        named = [rule for rule in rules if args.name.lower() in (rule.code.lower(), rule.name)]
        code = code_of(args.name)
        if not named and code is None:
            known = [*words(), *(word for rule in rules for word in (rule.code, rule.name))]
            raise unknown("rule", args.name, known)
        pages = [_page_json(rule) for rule in named] if named else [_engine_page_json(code or "")]
        document = {"schema": "plan.rule/v1", "rules": pages}
        shown = [_page(rule) for rule in named] if named else [_engine_page(code or "")]
        text = document_text(document) if form == "json" else "\n".join(shown)
    write(text, file)
    return CLEAN


# ---- the list


def _own(rules: Sequence[Rule]) -> Iterator[str]:
    """The engine's own codes: a rule of the library that goes by the same one stands for it."""
    codes = {rule.code for rule in rules}
    return (code for code in CODES if code not in codes)


def _list(rules: Sequence[Rule]) -> str:
    rows = [(rule.code, rule.name, rule.severity, rule.says) for rule in rules]
    rows += [(code, CODES[code].name, CODES[code].severity, CODES[code].says) for code in _own(rules)]
    return columns([("code", "name", "severity", "says"), *sorted(rows)])


def _list_json(rules: Sequence[Rule]) -> list[dict[str, object]]:
    documents = {(rule.code, rule.severity): _json(rule) for rule in rules}
    documents |= {(code, CODES[code].severity): _engine_json(code) for code in _own(rules)}
    return [documents[key] for key in sorted(documents)]


def _json(rule: Rule) -> dict[str, object]:
    return {
        "code": rule.code,
        "name": rule.name,
        "severity": rule.severity,
        "rows": list(rule.rows),
        "cites": [cite.text for cite in rule.cites],
    }


# ---- a page


def _page(rule: Rule) -> str:
    why = [f"{cite.text}{f' [{cite.evidence}]' if cite.evidence else ''}" for cite in rule.cites]
    titles = ("said of", "not said of") if rule.severity == "note" else ("breaks it", "keeps it")
    examples = zip(titles, (example(rule.breaks), example(rule.keeps)), strict=True)
    return "".join(
        (
            paragraph(f"{rule.code} {rule.name} ({rule.severity})"),
            "\n",
            paragraph(rule.says),
            section("when", paragraph(condition(rule), "  ")),
            section("help", paragraph(rule.help, "  ") if rule.help else ""),
            section("why", "".join(paragraph(line, "  ") for line in (*why, *rule.notes))),
            section("rows", paragraph(", ".join(map(str, rule.rows)), "  ") if rule.rows else ""),
            *(section(title, "".join(f"  {line}\n" for line in text.splitlines())) for title, text in examples),
            "" if rule.severity == "note" else _silenced(rule.code),
        )
    )


def _page_json(rule: Rule) -> dict[str, object]:
    return _json(rule) | {
        "says": rule.says,
        "when": condition(rule),
        "help": rule.help,
        "notes": list(rule.notes),
        "breaks": example(rule.breaks),
        "keeps": example(rule.keeps),
    }


def _engine_page(code: str) -> str:
    known = CODES[code]
    return paragraph(f"{code} {known.name} ({known.severity})") + "\n" + paragraph(known.says) + _silenced(code)


def _engine_json(code: str) -> dict[str, object]:
    return {"code": code, "name": CODES[code].name, "severity": CODES[code].severity, "rows": [], "cites": []}


def _engine_page_json(code: str) -> dict[str, object]:
    return _engine_json(code) | {"says": CODES[code].says}


def _silenced(code: str) -> str:
    """How a finding can be left out, where it can."""
    if not silenceable(code):
        return "\n" + paragraph(f"{code} cannot be left out: the plan or the pack itself is wrong.")
    return "\n" + paragraph(f"`plan check --ignore {code}` leaves it out, and `# ignore[{code}] REASON` at its line.")
