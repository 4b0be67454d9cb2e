"""A file of runs, and the laws that may be meant, to the one whose form the runs can be held to."""

from __future__ import annotations

import re
from argparse import Namespace
from collections.abc import Sequence
from functools import partial

from runplan.cli.arguments import reading
from runplan.cli.columns import COUNTS, pairs
from runplan.cli.crew import count
from runplan.cli.forms import for_objective
from runplan.cli.outcome import CannotRun
from runplan.cli.paths import Projects
from runplan.dsl.dataclass import dataclass, replace
from runplan.dsl.packs.library import Library
from runplan.dsl.packs.pack import Law
from runplan.dsl.text.finding import Finding, finding
from runplan.dsl.text.source import Source, Span
from runplan.engine.fit.fitting import forms_for
from runplan.engine.fit.form import COUNTS as SIZES
from runplan.engine.fit.form import asked_of, chosen, columns_of, forms_of, quantity_columns
from runplan.engine.fit.heads import header_at
from runplan.engine.fit.kept import BadCondition, without_highest
from runplan.engine.fit.read.asked import Asked
from runplan.engine.fit.read.choose import by_column
from runplan.engine.fit.read.read import read_runs
from runplan.engine.fit.read.words import sorts_of
from runplan.engine.fit.table import RunTable

# Counts of params of which a form may be fitted to one in place of the other: both count the same model.
WITH_EMBEDDINGS_OR_NOT = ("total", "non_embedding")
MOST_SHOWN = 1_000_000
MOST_DROPPED = 100_000_000


@dataclass(frozen=True, slots=True)
class Runs:
    """The runs of a file, and the law whose form they can be held to.

    Attributes:
        law: None where they lack what every law needs that may be meant; the findings say what.
        table: None where they cannot be read.
        counts: How their params are counted; empty where that is not said, and as the law does.
        findings: What is said of them.
    """

    law: Law | None
    table: RunTable | None
    counts: str
    findings: tuple[Finding, ...]


def runs_for(args: Namespace, laws: Sequence[Law], library: Library) -> Runs:
    """The runs of a file, by the options of `add_fit`, and the first of some laws that they can be held to.

    Raises:
        CannotRun: For a file that cannot be read, a quantity that there is not, and a condition that cannot be used or
            leaves no run.
    """
    counts, asked = args.counts or "", _asked(args, laws, library)
    with reading(args.runs):
        path, project = Projects().of(args.runs)
        try:
            table, findings = read_runs(path, project.reader, library, asked)
        except BadCondition as error:
            raise CannotRun(f"--where {error}") from error
        if table is None:
            return Runs(None, None, counts, findings)
        if table.objective and not args.objective_of:
            laws = tuple(for_objective(law, table.objective) for law in laws)
        others = [count for count in COUNTS if SIZES[count] in table.columns]
        ways = (counts,) if counts else ("", *WITH_EMBEDDINGS_OR_NOT)
        law, counts = chosen(laws, ways, table.columns) or (None, counts)
        said: tuple[Finding, ...] = ()
        if law is not None and counts and not args.counts:
            at = header_at(SIZES[counts], table, source_of(args.runs, findings))
            said = (_counted_otherwise(law, counts, table.columns[SIZES[counts]].header, at),)
        if law is not None:
            needs = _needs(law, table, counts)
            gives = {form.output for form in forms_of(law, {})} - needs.keys()
            said += tuple(_not_fitted(one) for one in findings if one.data.get("quantity") in gives)
        else:
            forms = [form for one in laws for form in forms_of(one, {})]
            needs = dict.fromkeys(columns_of(forms[0], counts, table.columns).values()) if forms else {}
        asked = replace(asked, needs=tuple(needs), uses=("compute", *_named_in(args.where)))
        table, findings = read_runs(path, project.reader, library, asked)
    if others and set(SIZES.values()) & needs.keys():
        findings = tuple(map(partial(_recounted, count=others[0]), findings))
    if table is not None and law is not None:
        table = _taken(args, table, law, counts)
    return Runs(law, table, counts, (*findings, *said))


def _asked(args: Namespace, laws: Sequence[Law], library: Library) -> Asked:
    """What is asked of a file, whichever of some laws its runs are held to."""
    uses, dims = asked_of(laws, args.counts or "")
    known = sorts_of(library, dims)
    return Asked(
        uses=(*uses, *_named_in(args.where)),
        columns=pairs(args.column, "--column", "tokens=D", known),
        units=pairs(args.unit, "--unit", "loss=bits", known),
        dims=dims,
        decimal=args.decimal,
        where=args.where or "",
    )


def _needs(law: Law, table: RunTable, counts: str) -> dict[str, None]:
    """The columns without which runs are not held to a law, each once, in order."""
    needs = dict.fromkeys(c for _, columns in forms_for(law, table, counts, {}) for c in columns.values())
    if law.reads is not None:
        sizes = (size_of(law, table, counts),) if law.reads.how == "minima" else ()
        needs |= dict.fromkeys((law.reads.of, law.reads.at, *sizes))
    return needs


def _counted_otherwise(law: Law, count: str, header: str, at: Span) -> Finding:
    """That runs do not count params as a law does, and that its form is fitted to how they count them."""
    message = (
        f"`{law.name}` counts {law.counts} params, and the file has {count} ones: its form is fitted to these, "
        "and the pack says so"
    )
    help = [f"where `{header}` counts {law.counts} ones: `{by_column(SIZES[law.counts], header)}`"]
    return finding("F015", message, at, help=help)


def _not_fitted(found: Finding) -> Finding:
    """A finding on a column that a further formula of a law would have been fitted to."""
    message = f"{found.message}: what the law says of `{found.data['quantity']}` is not fitted"
    return replace(found, severity="warning", message=message)


def source_of(path: str, findings: Sequence[Finding]) -> Source:
    """The text of a file of runs, for findings to point into; none where it is no text."""
    for one in findings:
        return one.at.span.source
    with reading(path), open(path, encoding="utf-8", errors="replace") as stream:
        return Source(path, stream.read(MOST_SHOWN))


def size_of(law: Law, table: RunTable, counts: str) -> str:
    """The column of the sizes that a form of two steps reads; that which the law counts by where there is none."""
    ways = quantity_columns(law, counts or law.counts, "params")
    return next((way for way in ways if way in table.columns), ways[0])


def _recounted(found: Finding, count: str) -> Finding:
    """A finding on a column of params that is missing or doubtful, and how the form is fitted in what there is."""
    missing = found.code in ("F002", "F012") and found.severity != "info" and "params" in found.message
    help = f"`--counts {count}` fits the form to the count of params that the file has, and the pack says so"
    return replace(found, help=(*found.help, help)) if missing else found


def _named_in(condition: str | None) -> tuple[str, ...]:
    """The words of a condition, which may be columns."""
    return tuple(dict.fromkeys(re.findall(r"[A-Za-z_]\w*", condition or "")))


def _taken(args: Namespace, table: RunTable, law: Law, counts: str) -> RunTable:
    """The runs that are to be fitted to.

    Raises:
        CannotRun: Where none are left.
    """
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
