"""Rules and the program's own codes as text and as JSON text: the list, and the page of one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from runplan.cli.show.catalogue.pages import CLAIMS, claim
from runplan.cli.show.catalogue.subjects import RulePage
from runplan.cli.show.text.json_text import document_text
from runplan.cli.show.text.look import PLAIN, Look
from runplan.cli.show.text.page import WIDTH, columns, paragraph, section
from runplan.dsl.packs.pack import Rule
from runplan.dsl.packs.standard import is_standard
from runplan.dsl.text.codes import CODES, silenceable
from runplan.engine.judge.rules import condition, example


def listed(rules: Sequence[Rule], look: Look = PLAIN) -> str:
    """A line a rule, and a code of the program."""
    rows = [(rule.code, rule.name, rule.severity, rule.says) for rule in rules]
    rows += [(code, CODES[code].name, CODES[code].severity, CODES[code].says) for code in _own(rules)]
    return columns([("code", "name", "severity", "says"), *sorted(rows)])


def listed_json(rules: Sequence[Rule], look: Look = PLAIN) -> str:
    """The same, `plan.rules/v1`."""
    documents = {(rule.code, rule.severity): _json(rule) for rule in rules}
    documents |= {(code, CODES[code].severity): _engine_json(code) for code in _own(rules)}
    found = [documents[key] for key in sorted(documents)]
    return document_text({"schema": "plan.rules/v1", "rules": found})


def page(shown: RulePage, look: Look = PLAIN) -> str:
    """What the rules of a code say, when, why, and an example of each kind."""
    return "\n".join(map(_page, shown.rules)) if shown.rules else _engine_page(shown.code)


def page_json(shown: RulePage, look: Look = PLAIN) -> str:
    """The same, `plan.rule/v1`."""
    pages = [_page_json(rule) for rule in shown.rules] or [_engine_page_json(shown.code)]
    return document_text({"schema": "plan.rule/v1", "rules": pages})


def _own(rules: Sequence[Rule]) -> Iterator[str]:
    """The engine's own codes: a rule of the library that goes by the same one stands for it."""
    codes = {rule.code for rule in rules}
    return (code for code in CODES if code not in codes)


def _json(rule: Rule) -> dict[str, object]:
    return {
        "code": rule.code,
        "name": rule.name,
        "severity": rule.severity,
        "rows": list(rule.rows),
        "cites": [cite.text for cite in rule.cites],
    }


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
            _rows(rule),
            *(section(title, "".join(map(_line, text.splitlines()))) for title, text in examples),
            "" if rule.severity == "note" else _silenced(rule.code),
        )
    )


def _line(line: str) -> str:
    """A line of an example; one that is too long goes on behind a `;` of its block, where a plan may."""
    lines = [""]
    for piece in re.split(r"(?<=;) ", line):
        joined = f"{lines[-1]} {piece}" if lines[-1].strip() else f"{lines[-1]}{piece}"
        if len(joined) + 2 > WIDTH and lines[-1].strip():
            lines.append(f"    {piece}")
        else:
            lines[-1] = joined
    return "".join(f"  {one}\n" for one in lines)


def _rows(rule: Rule) -> str:
    """What it stands for: of the library claims of its page, of a pack numbers in a list of the pack's own."""
    ours = is_standard(rule.span)
    named = (f"{CLAIMS}#{claim(row)}" if ours else str(row) for row in rule.rows)
    return section("claims" if ours else "rows", paragraph(", ".join(named), "  ") if rule.rows else "")


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
