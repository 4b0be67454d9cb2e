"""The options of a fit, and a file of runs, to a law as the runs tell it."""

from __future__ import annotations

import math
import re
from argparse import Namespace
from collections.abc import Sequence
from functools import partial

from runplan.cli.arguments import Parser, reading, unknown_word
from runplan.cli.columns import add_columns, pairs
from runplan.cli.crew import count, crew
from runplan.cli.forms import laws_meant
from runplan.cli.outcome import CLEAN, CannotRun, exit_code
from runplan.dsl.text.finding import Finding
from runplan.dsl.text.source import Source, Span
from runplan.dsl.text.words import enumerated, listing
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
COUNTS = ("total", "non_embedding", "active")
# Which of these a form may be fitted to in place of the other: both count the same model.
WITH_EMBEDDINGS_OR_NOT = ("total", "non_embedding")
MOST_STARTS = 100_000
MOST_DRAWS, LEAST_DRAWS = 1_000_000, 100
MOST_SHOWN = 1_000_000
MOST_DROPPED = 100_000_000


def add_fit(parser: Parser) -> None:
    """The options that say which runs of a file are fitted, and how."""
    parser.add_argument("--counts", metavar="COUNT", help=f"how params are counted: {', '.join(COUNTS)}")
    _add_runs(parser)
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
        laws = tuple(_for_objective(law, objective) for law in laws)
    _refuse_lines(laws, form)
    law, table, counts, findings = _read(args, laws, library)
    if law is None or table is None:
        return findings
    held = _held(args.hold)
    _refuse_held(held, law)
    source = _source(args.runs, findings)
    whole, made = table, _reduced(table, law, counts, source)
    if made is not None:
        findings = (*findings, *made.findings)
        if made.table is None:
            return findings
        table = made.table
    from runplan.dsl.dataclass import replace
    from runplan.engine.fit.fitting import fitted

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
    from runplan.dsl.syntax.objectives import objective_in  # most fits need no grammar for this

    spec = objective_in(args.objective_of, "--objective-of")
    if spec is None:
        raise CannotRun(f"`--objective-of {args.objective_of[:60]}`: write it like `MLM of protein`")
    if spec.node.rule == "single" and spec.said not in OBJECTIVES.values():
        raise unknown_word("objective", spec.said, tuple(OBJECTIVES.values()))
    return f"{spec.said} of {spec.domain.text}" if spec.domain else spec.said


def _for_objective(law: Law, objective: str) -> Law:
    """The law with its formulas for what was trained for; as it is where it does not tell objectives apart.

    Raises:
        CannotRun: Where it does, and has none for this one.
    """
    from runplan.dsl.dataclass import replace
    from runplan.engine.laws.form import functions_for

    if not any(function.objective for function in law.functions):
        return law
    own = tuple(functions_for(law, objective))
    if not own:
        raise CannotRun(f"`{law.name}` is for {enumerated(law.objectives)}, not for {objective[:60]}")
    return replace(law, functions=own, objectives=(objective,))


def _refuse_lines(laws: Sequence[Law], form: str) -> None:
    """Refuse laws that have no formula whose outcome a run measures."""
    from runplan.engine.fit.form import forms_of

    if not any(True for law in laws for _ in forms_of(law, {})):
        raise CannotRun(
            f"`{form[:60]}` gives what is best to choose, which no run measures; `--form isoflop` finds it from runs "
            "of several sizes at each budget"
        )


def _add_runs(parser: Parser) -> None:
    """The options that say how a file of runs is read, and which of its runs are taken."""
    add_columns(parser)
    parser.add_argument("--drop-highest", metavar="N", help="without the N runs of the highest loss")
    parser.add_argument("--where", metavar="EXPR", help="only runs of which it holds, such as 'compute <= 1e20 FLOP'")


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


def _read(
    args: Namespace, laws: Sequence[Law], library: Library
) -> tuple[Law | None, RunTable | None, str, tuple[Finding, ...]]:
    """The law whose form the runs can be held to, those runs, how their params are counted, and what is said of them.

    Raises:
        CannotRun: For a quantity that there is not, and a condition that cannot be used.
    """
    from runplan.cli.paths import Projects
    from runplan.dsl.dataclass import replace
    from runplan.engine.fit.fitting import forms_for
    from runplan.engine.fit.form import COUNTS as SIZES
    from runplan.engine.fit.form import asked_of, chosen, columns_of, forms_of
    from runplan.engine.fit.heads import header_at
    from runplan.engine.fit.kept import BadCondition
    from runplan.engine.fit.read.asked import Asked
    from runplan.engine.fit.read.read import read_runs
    from runplan.engine.fit.read.words import sorts_of

    counts = args.counts or ""
    uses, dims = asked_of(laws, counts)
    known = sorts_of(library, dims)
    named = _named_in(args.where)
    asked = Asked(
        uses=(*uses, *named),
        columns=pairs(args.column, "--column", "tokens=D", known),
        units=pairs(args.unit, "--unit", "loss=bits", known),
        dims=dims,
        decimal=args.decimal,
        where=args.where or "",
    )
    said: tuple[Finding, ...] = ()
    with reading(args.runs):
        path, project = Projects().of(args.runs)
        try:
            table, findings = read_runs(path, project.reader, library, asked)
        except BadCondition as error:
            raise CannotRun(f"--where {error}") from error
        if table is None:
            return None, None, counts, findings
        if table.objective and not args.objective_of:
            laws = tuple(_for_objective(law, table.objective) for law in laws)
        others = [count for count in COUNTS if SIZES[count] in table.columns]
        way = chosen(laws, (counts,) if counts else ("", *WITH_EMBEDDINGS_OR_NOT), table.columns)
        law, counts = way or (None, counts)
        if law is not None and counts and not args.counts:
            at = header_at(SIZES[counts], table, _source(args.runs, findings))
            said = (_counted_otherwise(law, counts, table.columns[SIZES[counts]].header, at),)
        if law is not None:
            needs = dict.fromkeys(c for _, columns in forms_for(law, table, counts, {}) for c in columns.values())
            if law.reads is not None:
                size = _size(law, table, counts)
                needs |= dict.fromkeys((law.reads.of, law.reads.at, *((size,) if law.reads.how == "minima" else ())))
            gives = {form.output for form in forms_of(law, {})} - needs.keys()
            said += tuple(_not_fitted(one) for one in findings if one.data.get("quantity") in gives)
        else:
            forms = [form for one in laws for form in forms_of(one, {})]
            needs = dict.fromkeys(columns_of(forms[0], counts, table.columns).values()) if forms else {}
        asked = replace(asked, needs=tuple(needs), uses=("compute", *named))
        table, findings = read_runs(path, project.reader, library, asked)
        if others and set(SIZES.values()) & needs.keys():
            findings = tuple(map(partial(_recounted, count=others[0]), findings))
    return law, table if table is None or law is None else _taken(args, table, law, counts), counts, (*findings, *said)


def _counted_otherwise(law: Law, count: str, header: str, at: Span) -> Finding:
    """That runs do not count params as a law does, and that its form is fitted to how they count them."""
    from runplan.dsl.text.finding import finding
    from runplan.engine.fit.form import COUNTS as SIZES
    from runplan.engine.fit.read.choose import by_column

    message = (
        f"`{law.name}` counts {law.counts} params, and the file has {count} ones: its form is fitted to these, "
        "and the pack says so"
    )
    help = [f"where `{header}` counts {law.counts} ones: `{by_column(SIZES[law.counts], header)}`"]
    return finding("F015", message, at, help=help)


def _not_fitted(found: Finding) -> Finding:
    """A finding on a column that a further formula of a law would have been fitted to."""
    from runplan.dsl.dataclass import replace

    message = f"{found.message}: what the law says of `{found.data['quantity']}` is not fitted"
    return replace(found, severity="warning", message=message)


def _source(path: str, findings: Sequence[Finding]) -> Source:
    """The text of a file of runs, for findings to point into; none where it is no text."""
    for one in findings:
        return one.at.span.source
    with reading(path), open(path, encoding="utf-8", errors="replace") as stream:
        return Source(path, stream.read(MOST_SHOWN))


def _reduced(table: RunTable, law: Law, counts: str, source: Source) -> Reduced | None:
    """What a form of two steps makes of runs; None for a form of one."""
    from runplan.engine.fit.reduce import reduced

    return None if law.reads is None else reduced(table, law.reads, _size(law, table, counts), source)


def _size(law: Law, table: RunTable, counts: str) -> str:
    """The column of the sizes that a form of two steps reads; that which the law counts by where there is none."""
    from runplan.engine.fit.form import quantity_columns

    ways = quantity_columns(law, counts or law.counts, "params")
    return next((way for way in ways if way in table.columns), ways[0])


def _recounted(found: Finding, count: str) -> Finding:
    """A finding on a column of params that is missing or doubtful, and how the form is fitted in what there is."""
    from runplan.dsl.dataclass import replace

    missing = found.code in ("F002", "F012") and found.severity != "info" and "params" in found.message
    help = f"`--counts {count}` fits the form to the count of params that the file has, and the pack says so"
    return replace(found, help=(*found.help, help)) if missing else found


def _off(
    library: Library, whole: RunTable, made: Reduced, counts: str, source: Source, few: bool
) -> tuple[Finding, ...]:
    """By how much parabolas put the best sizes off, where the runs tell a surface too."""
    from runplan.engine.fit.bias import bias_of_parabolas
    from runplan.engine.fit.heads import header_at

    surface = library.law("chinchilla")
    at = header_at("params", whole, source)
    return () if surface is None else bias_of_parabolas(surface, whole, made.profiles, counts, at, few=few)


def _named_in(condition: str | None) -> tuple[str, ...]:
    """The words of a condition, which may be columns."""
    return tuple(dict.fromkeys(re.findall(r"[A-Za-z_]\w*", condition or "")))


def _taken(args: Namespace, table: RunTable, law: Law, counts: str) -> RunTable:
    """The runs that are to be fitted to.

    Raises:
        CannotRun: Where none are left.
    """
    from runplan.engine.fit.fitting import forms_for
    from runplan.engine.fit.kept import without_highest

    whole = table
    if args.drop_highest:
        many = count(args.drop_highest, "--drop-highest", MOST_DROPPED)
        outputs = [columns[form.output] for form, columns in forms_for(law, table, counts, {})]
        losses = [name for name in (*outputs, "loss") if name.startswith("loss") and name in table.columns]
        if not losses:
            raise CannotRun(f"`--drop-highest {many}` leaves out runs of the highest loss, and {args.runs} has no loss")
        table = without_highest(table, many, losses[0])
    if not len(table):
        raise CannotRun(f"none of the {len(whole)} runs of {args.runs} is left to fit to")
    return table
