"""A comparison as data for people: side by side, how far apart the columns are, what a choice costs, and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from runplan.cli.show.text.content import NOTHING, Cell, Line, Section, Table, table
from runplan.cli.show.text.figures import bare, figure, per_cent
from runplan.cli.show.text.plain import plain
from runplan.cli.show.text.quantities import label
from runplan.dsl.dataclass import dataclass
from runplan.dsl.text.codes import RANK
from runplan.dsl.units.show import show
from runplan.engine.comparison.compare import CHOSEN, Comparison
from runplan.engine.comparison.rows import SAME, TOKENS_PER_PARAM, Column, Row, grouped, listed, of_money, row, times
from runplan.engine.documents.compare import rows
from runplan.engine.problem.told import NOISE

MARK = "*"
# What the last column says of figures that do not differ.
SAME_EVERYWHERE = "same"
# The head of how wide the intervals are, which a quantity that all agree about has none of.
WITHIN = "within"


@dataclass(frozen=True, slots=True)
class Content:
    """All that a comparison for people says, safe to print.

    Attributes:
        paths: The plans.
        what: What is compared, such as `2 laws`.
        headline: How far apart the choices are, in a line that stands alone.
        table: One row a quantity, one cell a column, and the spread.
        notes: What must be known to read the table.
        regret: The extra compute of each choice under each law; None where there is none to compare.
        decision: What to choose, and where that changes.
        reasons: Why the columns differ.
        findings: The errors, then the warnings: severity, code, message.
    """

    paths: tuple[str, ...]
    what: str
    headline: str
    table: Table
    notes: tuple[str, ...]
    regret: Section | None
    decision: tuple[Section, ...]
    reasons: tuple[str, ...]
    findings: Table


def content(comparison: Comparison) -> Content:
    """All that there is to say of a comparison."""
    columns = comparison.columns
    shown = tuple(_shown(comparison))
    within = any(found.within is not None for found in shown)
    heads = ("", *(plain(column.name) for column in columns), *((WITHIN,) if within else ()), "spread")
    return Content(
        paths=tuple(dict.fromkeys(plain(column.report.source.path) for column in columns)),
        what=f"{len(columns)} {comparison.by}s" if len(columns) > 1 else f"One {comparison.by}",
        headline=_headline(comparison),
        table=table(_rows(comparison, shown, within), heads, figures=True),
        notes=tuple(map(plain, _notes(comparison, within))),
        regret=_regret(comparison),
        decision=_decision(comparison),
        # The corpora only where the note on the losses does not tell them.
        reasons=tuple(
            plain(why.text) for why in comparison.reasons if not (why.kind == "corpus" and comparison.losses)
        ),
        findings=table(_findings(comparison), ("severity", "code", "finding"), wrap=2),
    )


def _decision(comparison: Comparison) -> tuple[Section, ...]:
    """What to choose, and where that changes."""
    if comparison.decision is None:
        return ()
    from runplan.cli.show.comparison.decision import decision

    return tuple(decision(comparison))


def _headline(comparison: Comparison) -> str:
    parts = []
    for name in CHOSEN:
        found = row(comparison.columns, name)
        if found is not None and found.spread is not None:
            values = [
                value
                for value, column in zip(found.values, comparison.columns, strict=True)
                if value is not None and column.solution.status == "solved"
            ]
            low, high = (show(end, found.dims[0]) for end in (min(values), max(values)))
            same = found.spread <= 1 + SAME
            parts.append(f"{low} everywhere" if same else f"{bare(low)} to {high} ({spread(found.spread)})")
    solved = sum(column.solution.status == "solved" for column in comparison.columns)
    return ", ".join(parts) or f"{solved or 'none'} solved, nothing to compare"


def spread(ratio: float) -> str:
    """A spread as people write it."""
    if ratio <= 1 + SAME:
        return SAME_EVERYWHERE
    return times(ratio) if ratio >= 1.005 else "<1.01x"


# ---- side by side


def _shown(comparison: Comparison) -> Iterator[Row]:
    """The quantities that people are shown."""
    columns = comparison.columns
    judged = len(_choices(comparison)) > 1 and bool(comparison.judges)
    for found in rows(columns):
        known = columns[0].solution.problem.quantities
        data_only = found.quantity in known and known[found.quantity].facts.section == "data"
        # The table of regrets has a law's regret under itself.
        if not data_only and not (found.quantity == "regret" and judged):
            yield found


def _rows(comparison: Comparison, shown: Sequence[Row], within: bool) -> list[tuple[str | Cell, ...]]:
    """The rows of the table.

    Args:
        within: Whether any figure has an interval: how far apart its ends are stands beside how far apart the columns
            are.
    """
    columns = comparison.columns
    out: list[tuple[str | Cell, ...]] = []
    last = ("", "") if within else ("",)
    if any(column.solution.status != "solved" for column in columns):
        out.append(("status", *(Cell(column.solution.status, mark="") for column in columns), *last))
    if comparison.by == "plan":
        out.append(("law", *(Cell(plain(column.solution.law), mark="") for column in columns), *last))
    for found in shown:
        apart = NOTHING if found.spread is None else spread(found.spread)
        cells = (_cell(column, found, i) for i, column in enumerate(columns))
        ends = (NOTHING if found.within is None else spread(found.within),) if within else ()
        out.append((label(found.quantity, columns[0].solution.problem.quantities), *cells, *ends, apart))
    return out


def _cell(column: Column, found: Row, index: int) -> Cell:
    value = found.values[index]
    if value is None:
        return Cell(NOTHING, mark="")
    text = bare(figure(found.quantity, value, found.dims[index], column.solution.problem.quantities))
    if found.quantity == TOKENS_PER_PARAM:
        text = show(value, (), 3)
    return Cell(text, mark=MARK if found.quantity in column.beyond else "")


def _lent(columns: Sequence[Column]) -> list[str]:
    """The settings that one law gives itself and another takes from a default law."""
    out = []
    for name in columns[0].solution.problem.quantities.fields.get("optimizer", {}):
        found = [(c, value.by) for c in columns if (value := c.solution.quantity(name)) and value.kind == "law"]
        if any(by in _called(c) for c, by in found):
            for by, names in grouped((by, c) for c, by in found if by not in _called(c)).items():
                out.append(f"`{name}` under {listed(names)} is that of `{by}`.")
    return out


def _called(column: Column) -> tuple[str, ...]:
    """The names of the law that a column is of."""
    return column.solution.law, column.solution.problem.law.name


def _notes(comparison: Comparison, within: bool) -> list[str]:
    out = []
    if any(column.beyond for column in comparison.columns):
        out.append(f"{MARK} outside the range of the runs that the law was fitted to.")
    if within:
        out.append(f"within: how far apart the ends of the widest 80 % interval of one {comparison.by} are.")
    for column in comparison.columns:
        solution = column.solution
        if comparison.by == "law" and solution.lends:
            out.append(f"`{solution.law}` is of settings: they are those at what `{solution.resolved}` chooses.")
        elif comparison.by == "law" and solution.resolved != solution.law:
            out.append(f"`{solution.law}` is `{solution.resolved}`.")
        if solution.status == "undecided":
            why = [found.message for found in solution.findings] or ["nothing says why"]
            out.append(f"`{column.name}` is undecided: {why[0]}.")
    if comparison.by == "law":
        out += _lent(comparison.columns)
    if broken := [column.name for column in comparison.columns if column.solution.status == "infeasible"]:
        out.append(f"Nothing keeps all that is asked for under {listed(broken)}: no spread counts such figures.")
    for said in filter(None, (of_money(comparison.columns), comparison.losses)):
        out.append(f"{said[0].upper()}{said[1:]}.")
    return out


# ---- what a choice costs


def _regret(comparison: Comparison) -> Section | None:
    """The regrets, a choice a row and a judge a column."""
    choices = _choices(comparison)
    if not comparison.judges or len(choices) < 2:
        return None
    judges = [plain(comparison.columns[judge].name) for judge in comparison.judges]
    lines: list[Line] = []
    for i, column in choices:
        cells = [NOTHING if verdict is None else _share(verdict.regret) for verdict in comparison.verdicts[i]]
        worst = comparison.worst(i)
        lines.append((plain(column.name), *cells, NOTHING if worst is None else _share(worst)))
    heads = ("choice of", *judges, "worst")
    notes = [_best(comparison), _which_law(comparison)]
    if any(column.solution.quantity("lifetime_compute") for column in comparison.columns):
        notes.append("The regrets are of training alone: what is served is not in them.")
    return Section(
        "Regret: extra compute for the same loss, of each choice under each law",
        table(lines, heads, figures=True, apart=len(heads) - 1),
        notes=tuple(filter(None, notes)),
    )


def _choices(comparison: Comparison) -> list[tuple[int, Column]]:
    """The columns whose laws choose: one that lends settings shows the choice of another."""
    return [(i, column) for i, column in enumerate(comparison.columns) if not column.solution.lends]


def _share(value: float) -> str:
    """An extra share of compute in per cent; from ten times on as a multiple."""
    if value < 0.001:
        return "0%" if value <= NOISE else "<0.1%"
    return times(value) if value >= 10 else per_cent(float(f"{value:.2g}"))


def _best(comparison: Comparison) -> str:
    """The choice with the least worst regret, in a sentence; empty where there is none."""
    least = comparison.least_worst
    if least is None:
        return ""
    worst = comparison.worst(least) or 0.0
    judges = [comparison.columns[judge].name for judge in comparison.judges]
    who = listed(judges) if len(judges) < 4 else f"{len(judges)} laws"
    of = comparison.columns[least].name
    more = "no more compute than needed" if worst <= NOISE else f"at most {_share(worst)} more compute than needed"
    text = f"Least worst regret: the choice of `{of}`, {more}, as {who} {'sees' if len(judges) == 1 else 'see'} it."
    return plain(text)


def _which_law(comparison: Comparison) -> str:
    """What it is worth to know which law is right, each being as likely, in a sentence; empty where it is nothing."""
    worth = comparison.knowing_law
    if worth is None or worth <= NOISE:
        return ""
    return f"Knowing which law is right is worth {_share(worth)} of the compute, each being as likely."


# ---- findings


def _findings(comparison: Comparison) -> list[Line]:
    """The message names its plan where there are several."""
    plans = {column.report.source.path for column in comparison.columns}
    several = len(plans | {found.at.span.source.path for found in comparison.findings}) > 1
    out: list[Line] = []
    for found in sorted(comparison.findings, key=lambda found: RANK[found.severity]):
        if found.severity != "info":
            where = f"{found.at.span.source.path}:{found.at.span.line}: " if several else ""
            out.append((found.severity, found.code, plain(f"{where}{found.message}")))
    return out
