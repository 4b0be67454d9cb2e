"""Who a finding is, from one run to the next: what trackers of findings tell them apart by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from runplan.cli.show.findings.content import Checked
from runplan.dsl.text.finding import Finding


def identified(checked: Checked) -> Iterator[tuple[Finding, str]]:
    """Each finding with its fingerprint: 64 hexadecimal digits, none twice in a run.

    It is made of the code, the file and the node of the plan, or its text where it is no node's: lines may be added
    above it, and figures may change, and it is the same finding.
    """
    import hashlib

    seen: Counter[tuple[str, ...]] = Counter()
    for finding in checked.findings:
        who = (finding.code, checked.place(finding.at.span), node(finding))
        seen[who] += 1
        told = "\0".join((*who, str(seen[who])))
        yield finding, hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()


def node(finding: Finding) -> str:
    """What a finding is about, in words that stay where lines move: a rule, or the text that is to blame.

    The number of a requirement is none: another one may be written before it.
    """
    return finding.key if finding.key and "[" not in finding.key else finding.at.span.said
