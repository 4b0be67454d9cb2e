"""Each kind of report to the formats that it has: a name, and the function that renders it, imported when asked for.

A format is a module with that function and a line here. The first format of a kind is its default. Every function
takes what is shown and a `Look`, and gives the text.
"""

from __future__ import annotations

from importlib import import_module

from runplan.cli.show.text.look import PLAIN, Look
from runplan.cli.show.text.plain import inert
from runplan.dsl.types import Literal

Kind = Literal[
    "findings", "report", "comparison", "differences", "frontier", "ladder", "sweep", "track", "derivation", "backtest",
    "fit", "fits",
    "laws", "law", "law at inputs", "records", "record", "rules", "rule", "settings", "tests",
]  # fmt: skip

# A format's name to `module:function`, the module as seen from this folder.
FORMATS: dict[Kind, dict[str, str]] = {
    "findings": {
        "full": "findings.full:render",
        "concise": "findings.concise:render",
        "json": "findings.json:render",
        "jsonl": "findings.jsonl:render",
        "github": "findings.github:render",
        "gitlab": "findings.gitlab:render",
        "sarif": "findings.sarif:render",
        "junit": "findings.junit:render",
        "markdown": "findings.markdown:render",
    },
    "report": {
        "table": "report.terminal:render",
        "json": "report.json:render",
        "markdown": "report.markdown:render",
        "csv": "report.csv:render",
    },
    "comparison": {
        "table": "comparison.terminal:render",
        "json": "comparison.json:render",
        "markdown": "comparison.markdown:render",
        "csv": "comparison.csv:render",
    },
    "differences": {
        "table": "differences.terminal:render",
        "json": "differences.json:render",
        "markdown": "differences.markdown:render",
    },
    "frontier": {
        "table": "frontier.terminal:render",
        "json": "frontier.json:render",
        "markdown": "frontier.markdown:render",
        "csv": "frontier.csv:render",
    },
    "ladder": {
        "table": "ladder.terminal:render",
        "json": "ladder.json:render",
        "markdown": "ladder.markdown:render",
        "csv": "ladder.csv:render",
    },
    "sweep": {"table": "sweep.terminal:render"},
    "track": {
        "table": "track.terminal:render",
        "json": "track.json:render",
        "markdown": "track.markdown:render",
    },
    "derivation": {
        "tree": "derivation.terminal:render",
        "json": "derivation.json:render",
        "mermaid": "derivation.mermaid:render",
    },
    "backtest": {
        "table": "backtest.terminal:render",
        "json": "backtest.json:render",
        "markdown": "backtest.markdown:render",
    },
    "fit": {"table": "fit.terminal:render", "json": "fit.json:render"},
    "fits": {"table": "fit.forms:render", "json": "fit.forms:render_json"},
    "laws": {"table": "catalogue.law:listed", "json": "catalogue.law_json:listed"},
    "law": {"table": "catalogue.law:page", "json": "catalogue.law_json:page"},
    "law at inputs": {"table": "catalogue.law:evaluated", "json": "catalogue.law_json:evaluated"},
    "records": {"table": "catalogue.record:listed", "json": "catalogue.record:listed_json"},
    "record": {"table": "catalogue.record:page", "json": "catalogue.record:page_json"},
    "rules": {"table": "catalogue.rule:listed", "json": "catalogue.rule:listed_json"},
    "rule": {"table": "catalogue.rule:page", "json": "catalogue.rule:page_json"},
    "settings": {"table": "catalogue.settings:listed", "json": "catalogue.settings:listed_json"},
    "tests": {"table": "catalogue.test:listed", "json": "catalogue.test:listed_json"},
}

# Those of findings that show no help: what it takes to work it out is not done for them.
WITHOUT_HELP = frozenset(("concise", "gitlab"))
# And those that show how they are mended.
WITH_FIXES = frozenset(("json", "jsonl", "sarif"))
# Those of reports and comparisons that have no figure of how a model may lie on devices, but where a plan asks for it,
# or a page has room for it: not all that there is of that is worked out for them.
WITHOUT_LAYOUTS: dict[Kind, frozenset[str]] = {
    "report": frozenset(("table",)),
    "comparison": frozenset(("table", "markdown")),
}


def offered(kind: Kind) -> tuple[str, ...]:
    """The names of the formats of a kind of report, the default first."""
    return tuple(FORMATS[kind])


def rendered(kind: Kind, name: str, shown: object, look: Look = PLAIN) -> str:
    """What is shown, in one of the formats of its kind.

    Raises:
        KeyError: The kind has no format of that name.
    """
    module, _, function = FORMATS[kind][name].partition(":")
    text: str = getattr(import_module(f"{__package__}.{module}"), function)(shown, look)
    return text if name == "github" else inert(text)
