"""A comparison for people: laws, or plans, side by side, how far apart they are, what a choice costs, and why."""

from __future__ import annotations

from runplan.cli.show.figures import LABELS, NOTHING, bare, figure, per_cent
from runplan.cli.show.summary import plain
from runplan.cli.show.terminal import GAP, Line, Page, column_widths
from runplan.dsl.text.codes import RANK
from runplan.dsl.units.show import show
from runplan.engine.compare import CHOSEN, SAME, TOKENS_PER_PARAM, Column, Comparison, Row, Why, listed, row, times
from runplan.engine.compare_document import rows
from runplan.engine.document import NOISE

MARK = "*"
# Without the mark a figure keeps its place.
_NO_MARK = " "
# What the JSON alone has: it says nothing that another row does not.
_LEFT_OUT = ("perplexity", "price", "rate")


def headline(comparison: Comparison) -> str:
    """How far apart the choices are, in a line that stands alone."""
    parts = []
    for name in CHOSEN:
        found = row(comparison.columns, name)
        if found is not None and found.spread is not None:
            values = [
                value
                for value, column in zip(found.values, comparison.columns, strict=True)
                if value is not None and column.solution.status == "solved"
            ]
            low, high = (show(end, found.dim) for end in (min(values), max(values)))
            same = found.spread <= 1 + SAME
            parts.append(f"{low} everywhere" if same else f"{bare(low)} to {high} ({spread(found.spread)})")
    solved = sum(column.solution.status == "solved" for column in comparison.columns)
    return ", ".join(parts) or f"{solved or 'none'} solved, nothing to compare"


def spread(ratio: float) -> str:
    """A spread as people write it."""
    if ratio <= 1 + SAME:
        return "same"
    return times(ratio) if ratio >= 1.005 else "<1.01x"


def heads(comparison: Comparison) -> list[str]:
    """The names of the columns, and of the spread."""
    return ["", *(plain(column.name) for column in comparison.columns), "spread"]


def table(comparison: Comparison) -> list[Line]:
    """One row a quantity, one cell a column, and the spread."""
    columns = comparison.columns
    out: list[Line] = []
    if any(column.solution.status != "solved" for column in columns):
        out.append(("status", *(column.solution.status + _NO_MARK for column in columns), ""))
    if comparison.by == "plan":
        out.append(("law", *(plain(column.solution.law) + _NO_MARK for column in columns), ""))
    for found in rows(columns):
        # The table of regrets has a law's regret under itself.
        if found.quantity not in _LEFT_OUT and not (found.quantity == "regret" and comparison.judges):
            label = LABELS.get(found.quantity, found.quantity.replace("_", " "))
            apart = NOTHING if found.spread is None else spread(found.spread)
            cells = (_cell(column, found, i) for i, column in enumerate(columns))
            out.append((label, *cells, apart))
    return out


def _cell(column: Column, found: Row, index: int) -> str:
    value = found.values[index]
    if value is None:
        return NOTHING + _NO_MARK
    text = show(value, (), 3) if found.quantity == TOKENS_PER_PARAM else bare(figure(found.quantity, value, found.dim))
    return text + (MARK if found.quantity in column.beyond else _NO_MARK)


def notes(comparison: Comparison) -> list[str]:
    """What must be known to read the table."""
    out = []
    if any(column.beyond for column in comparison.columns):
        out.append(f"{MARK} outside the range of the runs that the law was fitted to.")
    for column in comparison.columns:
        solution = column.solution
        if comparison.by == "law" and solution.resolved != solution.law:
            out.append(f"`{solution.law}` is `{solution.resolved}`.")
        if solution.status == "undecided":
            why = [found.message for found in solution.findings] or ["nothing says why"]
            out.append(f"`{column.name}` is undecided: {why[0]}.")
    if broken := [column.name for column in comparison.columns if column.solution.status == "infeasible"]:
        out.append(f"Nothing keeps all that is asked for under {listed(broken)}: no spread counts such figures.")
    if comparison.losses:
        out.append(f"{comparison.losses[0].upper()}{comparison.losses[1:]}.")
    return [plain(note) for note in out]


def regret(comparison: Comparison) -> tuple[list[str], list[Line]] | None:
    """Heads and rows of the regrets, a choice a row and a judge a column; None where there is none to compare."""
    if not comparison.judges or len(comparison.columns) < 2:
        return None
    judges = [plain(comparison.columns[judge].name) for judge in comparison.judges]
    lines: list[Line] = []
    for i, column in enumerate(comparison.columns):
        cells = [NOTHING if verdict is None else share(verdict.regret) for verdict in comparison.verdicts[i]]
        worst = comparison.worst(i)
        lines.append((plain(column.name), *cells, NOTHING if worst is None else share(worst)))
    return ["choice of", *judges, "worst"], lines


def share(value: float) -> str:
    """An extra share of compute in per cent; from ten times on as a multiple."""
    if value < 0.001:
        return "0%" if value <= NOISE else "<0.1%"
    return times(value) if value >= 10 else per_cent(float(f"{value:.2g}"))


def regret_notes(comparison: Comparison) -> list[str]:
    """The choice with the least worst regret, and what the regrets leave out."""
    out = [text] if (text := best(comparison)) else []
    if any("lifetime_compute" in column.solution.values for column in comparison.columns):
        out.append("The regrets are of training alone: what is served is not in them.")
    return out


def best(comparison: Comparison) -> str:
    """The choice with the least worst regret, in a sentence; empty where there is none."""
    least = comparison.least_worst
    if least is None:
        return ""
    worst = comparison.worst(least) or 0.0
    judges = [comparison.columns[judge].name for judge in comparison.judges]
    who = listed(judges) if len(judges) < 4 else f"{len(judges)} laws"
    of = comparison.columns[least].name
    more = "no more compute than needed" if worst <= NOISE else f"at most {share(worst)} more compute than needed"
    text = f"Least worst regret: the choice of `{of}`, {more}, as {who} {'sees' if len(judges) == 1 else 'see'} it."
    return plain(text)


def reasons(comparison: Comparison) -> list[Why]:
    """Why the columns differ; the corpora only where the note on the losses does not tell them."""
    return [why for why in comparison.reasons if not (why.kind == "corpus" and comparison.losses)]


def findings(comparison: Comparison) -> list[Line]:
    """The errors, then the warnings: severity, code, message, which names its plan where there are several."""
    plans = {column.report.source.path for column in comparison.columns}
    several = len(plans | {found.at.span.source.path for found in comparison.findings}) > 1
    out: list[Line] = []
    for found in sorted(comparison.findings, key=lambda found: RANK[found.severity]):
        if found.severity != "info":
            where = f"{found.at.span.source.path}:{found.at.span.line}: " if several else ""
            out.append((found.severity, found.code, plain(f"{where}{found.message}")))
    return out


def render(comparison: Comparison, *, width: int, color: bool) -> str:
    """The comparison, no line longer than `width` columns."""
    page = Page(max(width, 20), color)
    for path in dict.fromkeys(column.report.source.path for column in comparison.columns):
        page.line(plain(path), style="dim")
    page.blank()
    what = f"{len(comparison.columns)} {comparison.by}s" if len(comparison.columns) > 1 else f"One {comparison.by}"
    page.line(f"{what}: {headline(comparison)}", style="bold", upto=len(what) + 1)
    page.heading("Side by side")
    lines, names = table(comparison), heads(comparison)
    same: list[str] = []
    if sum(column_widths(lines, names)) + GAP * len(names) > page.width:
        # In several parts the spread stands in the first, and what all agree about is said once.
        shared = [line for line in lines if line[-1] == "same" and NOTHING + _NO_MARK not in line]
        same = [f"{line[0]} {line[1].rstrip(MARK + _NO_MARK)}" for line in shared]
        kept = [line for line in lines if line not in shared] or lines
        lines, names = [(line[0], line[-1], *line[1:-1]) for line in kept], [names[0], names[-1], *names[1:-1]]
    page.figures(lines, names)
    _said(page, [f"The same under all: {', '.join(same)}."] if same else [])
    _said(page, notes(comparison))
    if found := regret(comparison):
        page.heading("Regret: extra compute for the same loss, of each choice under each law")
        page.figures(found[1], found[0], apart=len(found[0]) - 1)
        _said(page, regret_notes(comparison))
    if why := reasons(comparison):
        page.heading("Why they differ")
        page.texts([("-", plain(reason.text)) for reason in why], (), wrap=1)
    if lines := findings(comparison):
        page.heading("Findings")
        page.texts(lines, (), wrap=2)
    return page.text()


def _said(page: Page, texts: list[str]) -> None:
    if texts:
        page.blank()
    for text in texts:
        page.line(text, style="dim", indent=2)
