"""The options of a fit, and a file of runs, to a law as the runs tell it."""

from __future__ import annotations

import math
from argparse import Namespace
from collections.abc import Sequence

from runplan.cli.arguments import Parser, unknown_word
from runplan.cli.columns import COUNTS, add_columns, pairs
from runplan.cli.crew import count, crew
from runplan.cli.forms import for_objective, laws_meant
from runplan.cli.outcome import CLEAN, CannotRun, exit_code
from runplan.dsl.text.finding import Finding
from runplan.dsl.text.source import Source
from runplan.dsl.text.words import listing
from runplan.dsl.typed.fields import OBJECTIVES
from runplan.dsl.types import TYPE_CHECKING

if TYPE_CHECKING:
    from runplan.dsl.packs.library import Library
    from runplan.dsl.packs.pack import Law
    from runplan.engine.fit.fitting import LawFit
    from runplan.engine.fit.outcome import Kind, Objective
    from runplan.engine.fit.reduce import Reduced
    from runplan.engine.fit.table import RunTable

MADE_SMALL = ("huber", "squares", "absolute")
MOST_STARTS = 100_000
MOST_DRAWS, LEAST_DRAWS = 1_000_000, 100


def add_fit(parser: Parser) -> None:
    """The options that say which runs of a file are fitted, and how."""
    parser.add_argument("--counts", metavar="COUNT", help=f"how params are counted: {', '.join(COUNTS)}")
    add_columns(parser)
    parser.add_argument("--drop-highest", metavar="N", help="without the N runs of the highest loss")
    parser.add_argument("--where", metavar="EXPR", help="only runs of which it holds, such as 'compute <= 1e20 FLOP'")
    parser.add_argument("--hold", metavar="NAME=VALUE", action="append", default=[], help="a constant that is not free")
    parser.add_argument(
        "--objective", metavar="KIND", help="huber, squares, absolute; huber unless said, of budgets squares"
    )
    parser.add_argument("--delta", metavar="X", default="1e-3", help="of the Huber loss: where its square ends; 1e-3")
    parser.add_argument("--starts", metavar="N", help="from how many points the search sets out")
    parser.add_argument("--bootstrap", metavar="N", default="4000", help="fits to runs drawn anew, for intervals")
    parser.add_argument("--seed", metavar="N", default="0", help="of what is drawn at random")
    parser.offers |= {"objective": MADE_SMALL, "counts": COUNTS}


def check_fit(args: Namespace) -> None:
    """Refuse what the options say and cannot mean, before anything is read.

    Raises:
        CannotRun: Which.
    """
    if args.objective is not None and args.objective not in MADE_SMALL:
        raise unknown_word("objective", args.objective, MADE_SMALL)
    if args.counts is not None and args.counts not in COUNTS:
        raise unknown_word("count of params", args.counts, COUNTS)
    draws = count(args.bootstrap, "--bootstrap", MOST_DRAWS, least=0)
    if 0 < draws < LEAST_DRAWS:
        raise CannotRun(f"`--bootstrap {draws}` tells no interval: 0 for none, or {LEAST_DRAWS} and more")
    count(args.seed, "--seed", 10**9, least=0)
    _objective(args, "huber")
    _held(args.hold)
    trained_for(args)


def fit_of(args: Namespace, form: str, library: Library) -> LawFit | tuple[Finding, ...]:
    """A form held to the runs of a file, by the options of `add_fit` and `add_crew`; or why it cannot be.

    Raises:
        CannotRun: For a form that there is not, and options that do not go with it.
    """
    laws, library = laws_meant(form, library)
    if objective := trained_for(args):
        laws = tuple(for_objective(law, objective) for law in laws)
    _refuse_lines(laws, form)
    from runplan.cli.fit_runs import runs_for, source_of
    from runplan.dsl.dataclass import replace
    from runplan.engine.fit.fitting import fitted

    runs = runs_for(args, laws, library)
    law, table, counts, findings = runs.law, runs.table, runs.counts, runs.findings
    if law is None or table is None:
        return findings
    held = _held(args.hold)
    _refuse_held(held, law)
    source = source_of(args.runs, findings)
    whole, made = table, _reduced(table, law, counts, source)
    if made is not None:
        findings = (*findings, *made.findings)
        if made.table is None:
            return findings
        table = made.table
    with crew(args) as workers:
        found = fitted(
            law,
            table,
            counts=counts,
            held=held,
            objective=_objective(args, "squares" if made is not None else "huber"),
            named=form,
            starts=count(args.starts, "--starts", MOST_STARTS) if args.starts else None,
            bootstrap=int(args.bootstrap),
            source=source,
            coarse=made.coarse if made is not None else 0.0,
            noise=made.noise if made is not None else None,
            seed=int(args.seed),
            workers=workers if args.workers or args.scheduler else None,
        )
    found = replace(found, findings=(*findings, *found.findings))
    if made is not None:
        few = found.main is None or found.main.fitted.future_error is None
        off = _off(library, whole, made, counts, source, few)
        found = replace(found, profiles=made.profiles, whole=whole, findings=(*found.findings, *off))
    return found if exit_code(found.findings) == CLEAN else found.findings


def trained_for(args: Namespace) -> str:
    """The objective of `--objective-of` as a pack has it, `MLM of protein`; empty where nothing is said.

    Raises:
        CannotRun: For what no law may be for.
    """
    if not args.objective_of:
        return ""
    from runplan.dsl.typed.objectives import is_known, objective_in  # most fits need no grammar for this

    spec = objective_in(args.objective_of, "--objective-of")
    if spec is None:
        raise CannotRun(f"`--objective-of {args.objective_of[:60]}`: write it like `MLM of protein`")
    if not is_known(spec):
        raise unknown_word("objective", spec.said, tuple(OBJECTIVES.values()))
    return f"{spec.said} of {spec.domain.text}" if spec.domain else spec.said


def _refuse_lines(laws: Sequence[Law], form: str) -> None:
    """Refuse laws that have no formula whose outcome a run measures."""
    from runplan.engine.fit.form import forms_of

    if not any(True for law in laws for _ in forms_of(law, {})):
        raise CannotRun(
            f"`{form[:60]}` gives what is best to choose, which no run measures; `--form isoflop` finds it from runs "
            "of several sizes at each budget"
        )


def _number(text: str, option: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise CannotRun(f"`{option} {text[:60]}`: write a number")
    return value


def _objective(args: Namespace, usual: Kind) -> Objective:
    """What is made small; of lowest points, whose errors differ and are few, the squares unless said."""
    from runplan.engine.fit.outcome import Objective

    delta = _number(args.delta, "--delta")
    if delta <= 0.0:
        raise CannotRun(f"`--delta {args.delta}`: it is above 0")
    return Objective(args.objective or usual, delta)


def _held(words: Sequence[str]) -> dict[str, float]:
    return {name: _number(text, f"--hold {name}") for name, text in pairs(words, "--hold", "alpha=0.34").items()}


def _refuse_held(held: dict[str, float], law: Law) -> None:
    """Refuse constants that there are not, and as many as leave nothing to find."""
    from runplan.engine.fit.form import forms_of

    for name in held:
        if name not in law.constants:
            raise unknown_word("constant", name, tuple(law.constants))
    if not any(True for _ in forms_of(law, held)):
        raise CannotRun(f"--hold leaves no constant of `{law.name}` to find: let one of {listing(law.constants)} free")


def _reduced(table: RunTable, law: Law, counts: str, source: Source) -> Reduced | None:
    """What a form of two steps makes of runs; None for a form of one."""
    from runplan.cli.fit_runs import size_of
    from runplan.engine.fit.reduce import reduced

    return None if law.reads is None else reduced(table, law.reads, size_of(law, table, counts), source)


def _off(
    library: Library, whole: RunTable, made: Reduced, counts: str, source: Source, few: bool
) -> tuple[Finding, ...]:
    """By how much parabolas put the best sizes off, where the runs tell a surface too."""
    from runplan.engine.fit.bias import bias_of_parabolas
    from runplan.engine.fit.heads import header_at

    surface = library.law("chinchilla")
    at = header_at("params", whole, source)
    return () if surface is None else bias_of_parabolas(surface, whole, made.profiles, counts, at, few=few)
