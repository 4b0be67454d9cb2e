"""`plan test`: the golden values of packs, held against what their laws give, and the examples of their rules."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence

from runplan.cli.arguments import Parser, add_output, reading, verb, wanted
from runplan.cli.outcome import FOUND, CannotRun, exit_code
from runplan.cli.output import show
from runplan.cli.paths import plan_files, reader_for
from runplan.cli.show.catalogue.subjects import Tested
from runplan.cli.show.catalogue.test import off
from runplan.cli.show.formats import offered
from runplan.dsl.dataclass import dataclass, replace
from runplan.dsl.packs.library import Library
from runplan.dsl.packs.pack import Law, Pack, Rule
from runplan.dsl.packs.standard import from_files, standard
from runplan.dsl.plan.lower import lower
from runplan.dsl.syntax.imports import read_file
from runplan.dsl.syntax.statements import DEFINITIONS
from runplan.dsl.text.finding import Finding, finding, in_order
from runplan.dsl.text.source import Span
from runplan.dsl.types import Literal, TypeVar
from runplan.engine.examples import examples
from runplan.engine.laws.form import is_form
from runplan.engine.laws.goldens import GoldenResult, check_goldens

# What stands beside definitions for rules to mention.
LETS = ("let", "rate", "calendar")
Named = TypeVar("Named", Law, Rule)


@verb("test")
def run(argv: list[str]) -> int:
    """Test the standard library or packs by path; exit 1 where a value is off or a pack is wrong."""
    parser = Parser(
        prog="plan test",
        description="What packs promise: the golden values of laws, and what rules say of their examples.",
        epilog="example: plan test --stdlib -o json",
    )
    parser.add_argument("paths", metavar="PATH", nargs="*", help="pack files, or folders of them")
    parser.add_argument("--stdlib", action="store_true", help="test the standard library")
    parser.add_argument("--coverage", action="store_true", help="name what no value or example tests, and fail for it")
    parser.add_argument("--stdin-filename", metavar="NAME", help="what standard input is, such as x.plan")
    add_output(parser, offered("tests"))
    args = parser.parse_args(argv)
    outputs = wanted(args, offered("tests"))
    if not args.paths and not args.stdlib:
        raise CannotRun("nothing to test: name packs, or say --stdlib")
    tested = [_library()] if args.stdlib else []
    if args.paths:
        tested.append(_read(plan_files(args.paths), args.stdin_filename))
    if not any(one.laws or one.rules or one.findings or one.catalogue.own != Pack() for one in tested):
        raise CannotRun("nothing to test: no definition there")
    results = [pair for one in tested for pair in _results(one)]
    found = in_order([*(f for one in tested for f in one.findings), *(off for _, off in results if off)])
    shown, bare = [result for result, _ in results], [name for one in tested for name in _untested(one)]
    files = sum(one.files for one in tested)
    show("tests", Tested(tuple(shown), found, tuple(bare), files), outputs)
    if args.coverage and bare:
        print("not tested: " + ", ".join(bare), file=sys.stderr)
    return FOUND if args.coverage and bare else exit_code(found)


@dataclass(frozen=True, slots=True)
class _Promised:
    """What is held to its promises: laws and rules in their catalogue, and what is wrong with them as they stand."""

    catalogue: Library
    laws: tuple[Law, ...]
    rules: tuple[Rule, ...]
    findings: tuple[Finding, ...]
    files: int


def _library() -> _Promised:
    known = from_files()  # what is tested is what is written
    laws = known.laws()
    return _Promised(known, laws, known.rules(), known.audit(), len({law.span.source.path for law in laws}))


def _read(paths: Sequence[str], stdin_filename: str | None) -> _Promised:
    """The definitions of some files, and of what they import, beside the standard library."""
    known = standard()
    vocabulary = known.vocabulary()
    pack = Pack()
    findings: list[Finding] = []
    broken: list[Span] = []
    for given in paths:
        with reading(given):
            path, _, reader = reader_for(given, stdin_filename)
            file, wrong = read_file(path, reader)
        named = tuple(node for node in file.statements if node.rule in DEFINITIONS or node.rule in LETS)
        lowered = lower(replace(file, statements=named), vocabulary)
        pack = pack.plus(lowered.pack)
        findings += [*wrong, *(f for f in lowered.findings if f.code != "S006")]
        broken += file.broken
    own = known.with_pack(pack, broken)
    # A law whose name is taken stands for another, and is not the one that is found by it.
    found = [(law, own.law(law.name)) for law in _once(pack.laws)]
    laws = tuple(whole for law, whole in found if whole is not None and whole.span == law.span)
    return _Promised(own, laws, tuple(_once(pack.rules)), (*findings, *own.findings), len(paths))


def _once(defined: Iterable[Named]) -> list[Named]:
    """Each definition once, however many files import it or are copies, and by its own name rather than an import's."""
    first: dict[tuple[str, int], Named] = {}
    for one in defined:
        key = one.span.source.text, one.span.start
        if key not in first or len(one.name) < len(first[key].name):
            first[key] = one
    return list(first.values())


def _untested(tested: _Promised) -> list[str]:
    """Laws without a golden value, but for forms to be fitted, and rules that lack an example of either kind."""
    return [law.name for law in tested.laws if not (law.goldens or is_form(law))] + [
        f"{rule.code} {rule.severity}" for rule in tested.rules if not (rule.breaks and rule.keeps)
    ]


def _results(tested: _Promised) -> Iterator[tuple[GoldenResult, Finding | None]]:
    """Everything that a pack promises of itself, with a finding where it is not so.

    A law that is wrong as it stands, and a rule beside one, have their finding already.
    """
    for law in tested.laws:
        faulty = bool(tested.catalogue.faults(law, tested.findings))
        for golden, result in zip(law.goldens, check_goldens(law, tested.catalogue), strict=True):
            yield result, None if faulty else _finding_of(result, golden.span)
    wrong = any(f.severity == "error" for f in tested.findings)
    for rule in tested.rules:
        for example in examples(rule, tested.catalogue):
            by = f"rule {rule.code} {rule.severity}"
            verdict: Literal["pass", "fail"] = "pass" if example.holds else "fail"
            expected = {"flagged": float(example.kind == "breaks")}
            got = {"flagged": float(example.flagged)} if example.solved else {}
            note = f"the example has no solution: {example.why}" if example.why else ""
            name = f"rule.{rule.code}.{rule.severity}.{example.kind}"
            result = GoldenResult(name, by, expected, got, 0.0, verdict, note)
            yield result, None if wrong else _finding_of(result, example.span)


def _finding_of(result: GoldenResult, at: Span) -> Finding | None:
    """What is off, at the golden value or the example; nothing where it holds."""
    if result.verdict == "pass":
        return None
    data: dict[str, float | str] = {f"expected {name}": value for name, value in result.expected.items()}
    data |= {f"got {name}": value for name, value in result.got.items()}
    return finding("P002", f"`{result.id}`: {off(result)}", at, data=data)
