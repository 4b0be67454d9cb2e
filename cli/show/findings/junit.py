"""Findings as a JUnit report, which most CI systems show as tests: a suite a plan, a case a finding."""

from __future__ import annotations

from itertools import chain

from runplan.cli.show.findings.content import Checked, told
from runplan.cli.show.text.look import PLAIN, Look
from runplan.cli.show.text.plain import plain
from runplan.dsl.text.finding import Finding


def render(checked: Checked, look: Look = PLAIN) -> str:
    """A case for each plan that holds, and one for each finding; what is no error passes, and says what it is.

    There are no times in it: the same plans give the same report.
    """
    from xml.etree import ElementTree

    suites = ElementTree.Element("testsuites", name="plan check")
    verdicts = {verdict.file: verdict for verdict in checked.verdicts}
    hidden = {finding.at.span.source.path for finding in checked.left_out()}
    for file in dict.fromkeys(chain(verdicts, (f.at.span.source.path for f in checked.findings))):
        findings = [finding for finding in checked.findings if finding.at.span.source.path == file]
        suite = ElementTree.SubElement(suites, "testsuite", name=plain(file))
        if file in hidden or (file in verdicts and verdicts[file].holds):
            case = ElementTree.SubElement(suite, "testcase", classname=plain(file), name="the plan holds", time="0")
            if file in hidden:
                said = "what keeps it from holding is left out by what was selected"
                ElementTree.SubElement(case, "failure", message=said, type="verdict").text = said
        for finding in findings:
            name = f"{finding.code} {finding.name}, line {finding.at.span.line}"
            case = ElementTree.SubElement(suite, "testcase", classname=plain(file), name=name, time="0")
            if finding.severity == "error":
                failure = ElementTree.SubElement(case, "failure", message=plain(finding.message), type=finding.code)
                failure.text = _told(finding)
            else:
                ElementTree.SubElement(case, "system-out").text = f"{finding.severity}: {_told(finding)}"
        suite.attrib |= {"tests": str(len(suite)), "failures": str(len(suite.findall("*/failure"))), "errors": "0"}
    for count in ("tests", "failures", "errors"):
        suites.set(count, str(sum(int(suite.get(count, "0")) for suite in suites)))
    ElementTree.indent(suites)
    text = ElementTree.tostring(suites, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _told(finding: Finding) -> str:
    span = finding.at.span
    return f"{plain(span.source.path)}:{span.line}:{span.column}: " + "\n".join(told(finding))
