"""`plan fit`: a law whose constants runs tell, as a pack."""

from __future__ import annotations

import os
import re
import shlex
from argparse import Namespace
from collections.abc import Iterator, Sequence

from runplan.cli.arguments import Parser, add_output, library_here, reading, verb, wanted
from runplan.cli.crew import add_crew
from runplan.cli.fitting import add_fit, check_fit, fit_of, trained_for
from runplan.cli.outcome import CLEAN, FOUND, CannotRun, exit_code
from runplan.cli.output import show, tell_findings
from runplan.cli.plot.plot import add_plot, draw, ready
from runplan.cli.show.formats import offered
from runplan.cli.stream import write
from runplan.dsl.dataclass import replace
from runplan.dsl.packs.standard import is_standard
from runplan.dsl.text.finding import Finding
from runplan.dsl.types import TYPE_CHECKING

if TYPE_CHECKING:
    from runplan.dsl.packs.library import Library
    from runplan.dsl.packs.pack import Law
    from runplan.engine.fit.fitting import LawFit
    from runplan.engine.fit.forecast import Forecast
    from runplan.engine.fit.forms import Compared
    from runplan.engine.fit.moved import Moved
    from runplan.engine.fit.pack import Origin
    from runplan.engine.fits import FitReport

TESTS = 100


@verb("fit")
def run(argv: list[str]) -> int:
    """Fit a form to runs and write a pack; exit 1 where the runs do not tell it, 2 for what cannot be read."""
    parser = Parser(
        prog="plan fit",
        description="Fit a law to runs, and write it as a pack: the constants with intervals, the range of the runs, "
        "and how far off it may be. A form is a law whose constants are free.",
        epilog="example: plan fit runs.csv --form chinchilla --out ours.plan",
    )
    parser.add_argument("runs", metavar="RUNS", help="a file of runs, a row each: params, tokens, loss, and others")
    parser.add_argument("--form", metavar="FORM", help="a law, or a file with one: my.plan, my.plan:law")
    parser.add_argument(
        "--forms",
        metavar="A,B,C",
        help="in place of --form: compare forms by what they forecast, and write the best; the usual ones unless said",
    )
    parser.add_argument("--out", metavar="PACK", help="the pack that is written, such as ours.plan")
    parser.add_argument("--force", action="store_true", help="write over a file that `plan fit` did not write")
    parser.add_argument("--name", metavar="NAME", help="of the law in the pack; that of the file unless said")
    parser.add_argument("--corpus", metavar="TEXT", help="what the losses are of")
    parser.add_argument("--tokenizer", metavar="TEXT", help="that the losses are by")
    parser.add_argument("--objective-of", metavar="OBJECTIVE", help="what was trained for, such as MLM of protein")
    add_fit(parser)
    add_plot(parser)
    add_crew(parser)
    parser.add_argument(
        "--predict", metavar="INPUT=VALUE", nargs="+", action="append", default=[],
        help="what the fit forecasts there: params=70B tokens=1.4T, or compute=1e22",
    )  # fmt: skip
    parser.add_argument("--self-test", action="store_true", help="make runs from the fit, and see it come back")
    parser.add_argument("--details", action="store_true", help="every run")
    add_output(parser, offered("fit"), several=True)
    args = parser.parse_args(argv)
    outputs = wanted(args, offered("fit"))
    ready(args.plot)
    check_fit(args)
    if args.form and args.forms:
        raise CannotRun("say one of `--form FORM` and `--forms A,B,C`")
    library = library_here()
    if not args.form:
        return _compared(args, argv, outputs, library)
    origin = _origin(args, argv, library)
    _refuse_foreign(args.out, args.force)
    found = fit_of(args, args.form, library)
    if isinstance(found, tuple):
        return _broken(args, outputs, found)
    found = _large_enough(args, found, library)
    from runplan.engine.fit.selftest import self_test
    from runplan.engine.fits import holds, report_of

    report = report_of(found, origin, library)
    own = found.parts if args.self_test else ()
    report = replace(
        report,
        forecasts=tuple(_forecast(report, words) for words in args.predict),
        before=_before(args.out, report.law, library),
        tested=tuple((part, self_test(part.model, part.fitted, sets=TESTS, seed=int(args.seed))) for part in own),
    )
    show("fit", report, outputs, details=args.details)
    if args.plot or args.preview:
        from runplan.cli.show.fit.picture import picture

        draw(lambda: picture(report), args)
    if args.out:
        _write(args.out, report.text)
    return CLEAN if all(holds(tested) for _, tested in report.tested) else FOUND


def _compared(args: Namespace, argv: Sequence[str], outputs: Sequence[tuple[str, str | None]], library: Library) -> int:
    """Show how forms come out that are held to the same runs, and write the best; exit 1 where the runs tell none."""
    if args.plot or args.self_test:
        raise CannotRun("several forms are compared: `--plot` and `--self-test` go with `--form`")
    from runplan.engine.fit.forms import USUAL, chosen

    origin = _origin(args, argv, library, "compared")
    _refuse_foreign(args.out, args.force)
    asked = (tuple(word.strip() for word in args.forms.split(",")),) if args.forms else USUAL
    columns: list[Compared] = []
    packs: dict[str, str] = {}
    for words in asked:
        for word in dict.fromkeys(words):
            for column, text in _columns(args, word, origin, library):
                columns.append(column)
                packs[column.named] = text
        if any(column.found for column in columns):
            break
    show("fits", columns, outputs, details=args.details)
    best = chosen(columns)
    if best is None:
        wrong = (one for column in columns for one in column.findings if one.severity == "error")
        tell_findings({(one.code, one.message, one.at.span): one for one in wrong}.values())  # forms lack the same
        return FOUND
    if args.out:
        _write(args.out, packs[best.named])
    return CLEAN


def _columns(args: Namespace, word: str, origin: Origin, library: Library) -> Iterator[tuple[Compared, str]]:
    """A form held to the runs, and where the smallest are too small for it, to the others; with their packs."""
    column, text = _column(args, word, origin, library)
    yield column, text
    condition = column.found.large_enough if column.found is not None else ""
    if not condition:
        return
    column, text = _column(_only(args, condition), word, origin, library)
    if column.found is not None:
        yield replace(column, named=f"{word}, {condition}"), text


def _only(args: Namespace, condition: str) -> Namespace:
    """The options, with only the runs of which a condition holds."""
    return Namespace(**{**vars(args), "where": " and ".join(filter(None, (args.where, condition)))})


def _large_enough(args: Namespace, found: LawFit, library: Library) -> LawFit:
    """A fit without the few runs that are too small for its form; as it is where `--where` says which runs count."""
    from runplan.engine.fit.fitting import few_too_small

    wrong = () if args.where else few_too_small(found)
    fewer = fit_of(_only(args, found.large_enough), args.form, library) if wrong else found
    return found if isinstance(fewer, tuple) else replace(fewer, findings=(*wrong, *fewer.findings))


def _column(args: Namespace, word: str, origin: Origin, library: Library) -> tuple[Compared, str]:
    """A form held to the runs, and its pack."""
    from runplan.engine.fit.forms import AHEAD, Compared
    from runplan.engine.fits import ahead, report_of

    found = fit_of(args, word, library)
    if isinstance(found, tuple):
        return Compared(word, None, {}, {}, found), ""
    report = report_of(found, origin, library)
    asked = dict(report.optimum) if not args.predict else _forecast(report, args.predict[0])[1]
    return Compared(word, found, asked, ahead(report, AHEAD), found.findings), report.text


def _forecast(report: FitReport, words: Sequence[str]) -> tuple[dict[str, float], dict[str, Forecast]]:
    """What a fit gives at inputs of the command line."""
    from runplan.cli.verbs.law import inputs
    from runplan.engine.fit.forecast import forecast
    from runplan.engine.laws.form import Refused

    try:
        given, _ = inputs(report.law, words, report.library)
        return given, forecast(report.law, given, report.library)
    except Refused as refused:
        raise CannotRun(f"--predict: {refused}") from refused


def _before(out: str | None, law: Law, library: Library) -> tuple[Law, tuple[Moved, ...]] | None:
    """The law of the pack that is about to be written anew, and what moved since."""
    if not out or not os.path.exists(out):
        return None
    from runplan.dsl.text.reader import Disk
    from runplan.engine.fit.moved import moved
    from runplan.engine.fits import laws_in

    with reading(out):
        folder, name = os.path.split(out)
        own = next((old for old in laws_in(name, Disk(folder or "."), library) if old.name == law.name), None)
    return None if own is None else (own, moved(own, law))


def _origin(args: Namespace, argv: Sequence[str], library: Library, stem: str = "fitted") -> Origin:
    from runplan import __version__
    from runplan.engine.fit.pack import Origin

    stem = re.sub(r"\.plan(\.ya?ml)?$", "", os.path.basename(args.out)) if args.out else stem
    name = args.name or re.sub(r"[^A-Za-z0-9._-]+", "_", stem)
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9._-]*", name):
        message = f"`{name[:60]}` is no name of a law: a letter, then letters, digits and -._"
        raise CannotRun(f"{message}; say one with --name")
    known = library.law(name)
    if known is not None and is_standard(known.span):
        raise CannotRun(f"`{name}` is a law of the library; give yours another name with --name")
    return Origin(
        name, f"plan fit {shlex.join(argv)}", __version__, _today(), args.corpus or "", args.tokenizer or "",
        trained_for(args),
    )  # fmt: skip


def _today() -> str:
    """The day, or that of SOURCE_DATE_EPOCH, by which what is built is the same each time."""
    from datetime import UTC, datetime

    said = os.environ.get("SOURCE_DATE_EPOCH", "")
    now = datetime.fromtimestamp(int(said), UTC) if said.isdigit() else datetime.now(UTC)
    return now.date().isoformat()


def _broken(args: Namespace, outputs: Sequence[tuple[str, str | None]], findings: Sequence[Finding]) -> int:
    """Say what keeps a fit from being made; where a document was asked for, in it, too."""
    from runplan.cli.show.fit.json import render_refused

    for name, file in outputs:
        if name == "json":
            write(render_refused(args.runs, args.form, findings), file)
    tell_findings(findings)
    return exit_code(findings) or FOUND


def _refuse_foreign(out: str | None, force: bool) -> None:
    """Refuse to write over what `plan fit` did not write."""
    from runplan.engine.fit.pack import MARK

    if out and os.path.exists(out) and not force:
        with reading(out), open(out, encoding="utf-8", errors="replace") as stream:
            if stream.readline().rstrip("\n") != MARK:
                raise CannotRun(f"{out} is there, and `plan fit` did not write it; --force writes over it")


def _write(out: str, text: str) -> None:
    from runplan.cli.rewriting import replace_file

    if os.path.exists(out):
        replace_file(out, text)
        return
    try:
        with open(out, "x", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
    except OSError as error:
        raise CannotRun(f"{out}: {error.strerror or 'cannot be written'}") from error
