"""The catalogue to Markdown pages for `docs/`: every law and every rule, and the rules that stand for each claim."""

from __future__ import annotations

import re

from runplan.cli.show.text.markdown import inline
from runplan.dsl.packs.library import Library
from runplan.dsl.packs.pack import Cite, Law, Rule
from runplan.dsl.units.show import show, show_dim
from runplan.engine.judge.rules import condition, example
from runplan.engine.laws.steps import written

NOTE = "<!-- Made from stdlib/: UPDATE_SNAPSHOTS=1 python -m pytest tests/stdlib/test_catalogue_pages.py -->"
# What is said of a law whose file has no range: nothing is found to lie beyond it.
NO_RANGE = "No range of the runs that it was fitted to is known, so that no plan is told to lie beyond it"
CLAIMS = "docs/claims.md"  # where the numbers are told that rules of the library name as their `rows`
_CLAIM = re.compile(r"^### Claim (\d+)\n.*?(?=^#|\Z)", re.MULTILINE | re.DOTALL)


def anchor(heading: str) -> str:
    """What a heading of Markdown is linked by."""
    return re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-")


def claim(row: int) -> str:
    """The anchor of a claim in the page of claims."""
    return anchor(f"Claim {row}")


def laws_page(catalogue: Library) -> str:
    """Each law with its formulas, constants, range, sources and golden values."""
    parts = [
        "# The laws",
        NOTE,
        "`plan law NAME` prints the same page; `plan law NAME --at params=7B ...` evaluates it.",
    ]
    for law in catalogue.laws():
        parts += _law(law, catalogue)
    return "\n\n".join(parts) + "\n"


def _law(law: Law, catalogue: Library) -> list[str]:
    quantities = catalogue.quantities()
    also = f" (also `{'`, `'.join(law.aliases)}`)" if law.aliases else ""
    parts = [
        f"## {law.name}",
        f"{inline(law.title)}{also}. For {', '.join(law.objectives)}; counts {law.counts} params.",
    ]
    formulas = [f"    {written(function)}" for function in law.functions]
    if formulas:
        parts.append("\n".join(formulas))
    if law.constants:
        rows = [
            f"| `{c.name}` | {c.text.split('+-')[0].strip()} | {'' if c.error is None else f'{c.error:.6g}'} |"
            f" {show_dim(law.dims.get(c.name, ()))} |"
            for c in law.constants.values()
        ]
        parts.append("\n".join(["| constant | value | standard error | unit |", "|---|---|---|---|", *rows]))
    if law.fitted:
        ranges = []
        for name, (low, high) in law.fitted.items():
            dim = quantities[name].counted.dim if name in quantities else ()
            ranges.append(f"`{name}` {show(low, dim, 4)} to {show(high, dim, 4)}")
        parts.append(f"Fitted on {', '.join(ranges)}.")
    else:
        parts.append(f"{NO_RANGE}.")
    if law.corpus:
        parts.append(f"Measured on {inline(law.corpus)}.")
    parts.append("\n".join(f"- {_cited(cite)}" for cite in law.cites))
    if law.notes:
        parts.append("\n".join(f"- {inline(note)}" for note in law.notes))
    return parts


def rules_page(catalogue: Library) -> str:
    """Each rule with its condition, what it says, its claims and sources, and examples that break and keep it."""
    parts = [
        "# The rules",
        NOTE,
        "`plan rule CODE` prints the same page. The codes that the program raises itself are in `docs/language.md`.",
    ]
    for rule in catalogue.rules():
        parts += _rule(rule)
    return "\n\n".join(parts) + "\n"


def claims_page(text: str, catalogue: Library) -> str:
    """The page of claims, its lines of `Rules` written anew: what it says of a claim is kept."""
    standing: dict[int, dict[str, str]] = {}
    for rule in catalogue.rules():
        for row in rule.rows:
            standing.setdefault(row, {}).setdefault(rule.code, f"[{rule.code}](rules.md#{anchor(_heading(rule))})")

    def section(found: re.Match[str]) -> str:
        kept = [line for line in found[0].rstrip().split("\n") if not line.startswith("- Rules: ")]
        links = standing.get(int(found[1]), {})
        return "\n".join([*kept, *([f"- Rules: {', '.join(links.values())}"] if links else [])]) + "\n\n"

    return _CLAIM.sub(section, text).rstrip() + "\n"


def _heading(rule: Rule) -> str:
    return f"{rule.code} {rule.name} ({rule.severity})"


def _rule(rule: Rule) -> list[str]:
    links = ", ".join(f"[{row}](claims.md#{claim(row)})" for row in rule.rows)
    rows = f" Claim{'s' * (len(rule.rows) > 1)} {links}." if links else ""
    parts = [f"## {_heading(rule)}", f"> {inline(rule.says)}"]
    parts.append(f"When `{condition(rule)}`.{rows}")
    if rule.help:
        parts.append(f"Help: {inline(rule.help)}")
    parts.append("\n".join(f"- {_cited(cite)}" for cite in rule.cites))
    titles = ("Said of", "Not said of") if rule.severity == "note" else ("Breaks it", "Keeps it")
    for what, statements in zip(titles, (rule.breaks, rule.keeps), strict=True):
        if text := example(statements):
            parts.append(f"{what}:\n\n```\n{text.rstrip()}\n```")
    return parts


def _cited(cite: Cite) -> str:
    return f"{inline(cite.text)} ({cite.evidence.replace('_', ' ')})" if cite.evidence else inline(cite.text)
