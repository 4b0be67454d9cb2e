"""`plan test`: the golden values of packs, held against what their laws give, and the examples of their rules."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from runplan.cli.arguments import add_output, reading, verb, wanted
from runplan.cli.outcome import FOUND, CannotRun, exit_code
from runplan.cli.output import write
from runplan.cli.paths import plan_files, reader_for
from runplan.cli.show.concise import render
from runplan.cli.show.json_findings import document_text, finding_json
from runplan.cli.show.page import paragraph
from runplan.cli.show.summary import Summary, counted
from runplan.dsl.finding import Finding, in_order
from runplan.dsl.pack import DEFINITIONS, Law, Pack, Rule
from runplan.dsl.pack_reader import PackReader
from runplan.dsl.reader import read_file
from runplan.engine.catalogue import Catalogue, standard
from runplan.engine.evaluate import GoldenResult, check_goldens
from runplan.engine.rules import examples

FORMATS = ("table", "json")


@verb("test")
def run(argv: list[str]) -> int:
    """Test the standard library or packs by path; exit 1 where a value is off or a pack is wrong."""
    parser = argparse.ArgumentParser(
        prog="plan test",
        description="What packs promise: the golden values of laws, and what rules say of their examples.",
        epilog="example: plan test --stdlib -o json",
    )
    parser.add_argument("paths", metavar="PATH", nargs="*", help="pack files, or folders of them")
    parser.add_argument("--stdlib", action="store_true", help="test the standard library")
    parser.add_argument("--coverage", action="store_true", help="name what no value or example tests, and fail for it")
    parser.add_argument("--stdin-filename", metavar="NAME", help="what standard input is, such as x.plan")
    add_output(parser, FORMATS)
    args = parser.parse_args(argv)
    [(form, file)] = wanted(args, FORMATS)
    if not args.paths and not args.stdlib:
        raise CannotRun("nothing to test: name packs, or say --stdlib")
    results: list[GoldenResult] = []
    findings: list[Finding] = []
    bare: list[str] = []
    files = 0
    if args.stdlib:
        known = standard()
        laws = known.laws()
        files += len({law.span.source.path for law in laws})
        results += _results(known, laws, known.rules())
        bare += _untested(laws, known.rules())
        findings += known.findings
    if args.paths:
        paths = plan_files(args.paths)
        own, wrong = _read(paths, args.stdin_filename)
        laws = tuple(law for law in map(own.law, dict.fromkeys(law.name for law in own.own.laws)) if law)
        files += len(paths)
        results += _results(own, laws, own.own.rules)
        bare += _untested(laws, own.own.rules)
        findings += [*wrong, *own.findings]
    found = in_order(findings)
    if not results and not found:
        raise CannotRun("nothing to test: no law with a golden value there, and no rule")
    text = _json(results, found) if form == "json" else _table(results, found, files)
    write(text, file)
    if args.coverage and bare:
        print("not tested: " + ", ".join(bare), file=sys.stderr)
    return FOUND if any(r.verdict == "fail" for r in results) or (args.coverage and bare) else exit_code(found)


def _untested(laws: Sequence[Law], rules: Sequence[Rule]) -> list[str]:
    """Laws without a golden value, and rules that lack an example of either kind."""
    return [law.name for law in laws if not law.goldens] + [
        f"{rule.code} {rule.severity}" for rule in rules if not (rule.breaks and rule.keeps)
    ]


def _results(catalogue: Catalogue, laws: Sequence[Law], rules: Sequence[Rule]) -> Iterator[GoldenResult]:
    """Everything that a pack promises of itself: its golden values, and what its rules say of their examples."""
    for law in laws:
        yield from check_goldens(law, catalogue)
    for rule in rules:
        for example in examples(rule, catalogue):
            by = f"rule {rule.code} {rule.severity}"
            verdict: Literal["pass", "fail"] = "pass" if example.holds else "fail"
            expected = {"flagged": float(example.kind == "breaks")}
            got = {"flagged": float(example.flagged)} if example.solved else {}
            note = "" if example.solved else "the example has no solution"
            name = f"rule.{rule.code}.{rule.severity}.{example.kind}"
            yield GoldenResult(name, by, expected, got, 0.0, verdict, note)


def _read(paths: Sequence[str], stdin_filename: str | None) -> tuple[Catalogue, list[Finding]]:
    """The standard library with the definitions of some files in front, and what is wrong with those."""
    known = standard()
    pack = Pack()
    findings: list[Finding] = []
    for given in paths:
        with reading(given):
            file, wrong = read_file(*reader_for(given, stdin_filename))
        definitions = PackReader({name: q.counted.dim for name, q in known.quantities().items()})
        pack = pack.plus(definitions.pack(node for node in file.statements if node.rule in DEFINITIONS))
        findings += [*wrong, *definitions.findings]
    return known.with_pack(pack), findings


def _summary(results: Sequence[GoldenResult]) -> dict[str, int]:
    passed = sum(result.verdict == "pass" for result in results)
    return {"passed": passed, "failed": len(results) - passed}


def _table(results: Sequence[GoldenResult], findings: Sequence[Finding], files: int) -> str:
    """One line a law, one more for each value that is off, then what is wrong with the packs, and the sums."""
    lines = []
    for law in dict.fromkeys(result.law for result in results):
        own = [result for result in results if result.law == law]
        failed = [result for result in own if result.verdict == "fail"]
        lines.append(
            paragraph(
                f"{law}: {len(own) - len(failed)} of {counted(len(own), 'value')}", "FAIL  " if failed else "pass  "
            )
        )
        for result in failed:
            lines.append(paragraph(f"{result.id}: {_off(result)}", "        "))
    summary = _summary(results)
    listed = render(findings, Summary.of(findings, files))
    sums = f"{summary['passed']} passed, {summary['failed']} failed, {Summary.of(findings, files).line()}\n"
    return "".join(lines) + (f"\n{listed}" if listed else "") + ("\n" if lines else "") + sums


def _off(result: GoldenResult) -> str:
    off = [
        f"{name} is {result.got[name]:.6g}, not {value:.6g}" if name in result.got else f"{name} is not given"
        for name, value in result.expected.items()
    ]
    return "; ".join([*off, *([result.note] if result.note else [])]) + f" (within {result.rtol:g})"


def _json(results: Sequence[GoldenResult], findings: Sequence[Finding]) -> str:
    return document_text(
        {
            "schema": "plan.test/v1",
            "results": [_result_json(result) for result in results],
            "summary": _summary(results) | {"findings": len(findings)},
            "findings": [finding_json(finding) for finding in findings],
        }
    )


def _result_json(result: GoldenResult) -> dict[str, object]:
    note: dict[str, object] = {"note": result.note} if result.note else {}
    return {
        "id": result.id,
        "law": result.law,
        "expected": _one_or_all(result.expected, result),
        "got": _one_or_all(result.got, result),
        "rtol": result.rtol,
        "verdict": result.verdict,
        **note,
    }


def _one_or_all(values: Mapping[str, float], result: GoldenResult) -> object:
    """A number where the golden value is one, else an object by expression; null for what the law does not give."""
    if len(result.expected) == 1:
        return values.get(next(iter(result.expected)))
    return {name: values.get(name) for name in result.expected}
