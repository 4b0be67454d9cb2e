"""Findings as GitHub workflow commands, which show as annotations on the lines of a pull request."""

from __future__ import annotations

from runplan.cli.show.findings.content import Checked
from runplan.cli.show.text.look import PLAIN, Look
from runplan.cli.show.text.plain import plain
from runplan.dsl.text.codes import RANK, Severity
from runplan.dsl.text.finding import Finding
from runplan.dsl.text.words import counted

# What is but worth knowing is no annotation: of few that are shown, each is to be acted on.
_COMMANDS: dict[Severity, str] = {"error": "error", "warning": "warning"}
# GitHub renders so many annotations of a step and drops the others without a word.
_RENDERED = 10


def render(checked: Checked, look: Look = PLAIN) -> str:
    """One command an error or a warning, errors first; the tenth says how many more are only in the log.

    What else was found is counted in a line that is no command.
    """
    told = [finding for finding in checked.findings if finding.severity in _COMMANDS]
    commands = [
        _command(finding, checked.place(finding.at.span)) for finding in sorted(told, key=lambda f: RANK[f.severity])
    ]
    if len(commands) > _RENDERED:
        more = counted(len(commands) - _RENDERED + 1, "more finding")
        commands.insert(_RENDERED - 1, f"::notice title=plan::{more} in the log of this step")
    if rest := len(checked.findings) - len(told):
        commands.append(f"{counted(rest, 'info')} besides: `plan check` lists what is worth knowing")
    return "".join(f"{command}\n" for command in commands)


def _command(finding: Finding, file: str) -> str:
    span = finding.at.span
    properties: dict[str, object] = {
        "title": f"plan ({finding.code})",
        "file": file,
        "line": span.line,
    }
    if span.line == span.end_line:  # with columns, a span of several lines is shown on none
        properties["col"] = span.column
    properties["endLine"] = span.end_line
    if span.line == span.end_line:
        properties["endColumn"] = span.end_column
    helps = [f"  help: {line}" for text in finding.help for line in text.splitlines()]
    message = _data("\n".join(plain(line) for line in (finding.message, *helps)))
    given = ",".join(f"{key}={_property(str(value))}" for key, value in properties.items())
    return f"::{_COMMANDS[finding.severity]} {given}::{message}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return plain(_data(text).replace(":", "%3A").replace(",", "%2C"))
