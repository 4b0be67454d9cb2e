"""A file of runs into a table of those that can be used, and findings on all else."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from runplan.dsl.dataclass import replace
from runplan.dsl.packs.library import Library
from runplan.dsl.text.finding import Finding, finding, in_order
from runplan.dsl.text.nearest import nearest
from runplan.dsl.text.reader import Reader
from runplan.dsl.text.source import Span
from runplan.dsl.text.words import counted, cut, enumerated, listing
from runplan.dsl.units.show import said_dim
from runplan.dsl.units.table import Unit
from runplan.engine.fit.read.asked import Asked
from runplan.engine.fit.read.choose import Choice, Chosen, by_column, choose, unit_words
from runplan.engine.fit.read.delimited import SIGNS, NotCells
from runplan.engine.fit.read.derive import APART, Relation, derivable, nearly_derivable, relations
from runplan.engine.fit.read.figures import Figures, figures
from runplan.engine.fit.read.forms import grid_of
from runplan.engine.fit.read.grid import Grid
from runplan.engine.fit.read.kinds import kinds_of, objective_of
from runplan.engine.fit.read.mistaken import mistaken
from runplan.engine.fit.read.rows import POINTED, Rows, ended, repeats, told, twice, usable
from runplan.engine.fit.read.words import Sort, Words, sorts_of, squashed
from runplan.engine.fit.table import Column, Floats, RunTable

# What says how many params there are; a form that counts them one way is told where the file counts them another.
SIZES = ("params", "params_non_embedding", "active_params", "params_with_head")
_MEASURED = ("loss",)
# How many lines a title may be.
_TITLE = 20
# Of a run, what tells whether it came to its end.
_TELLING = ("vocab", "planned_tokens", "planned_steps", "steps")


def read_runs(
    path: str, reader: Reader, library: Library, asked: Asked | None = None
) -> tuple[RunTable | None, tuple[Finding, ...]]:
    """The runs of a file that can be used; None where there are none, or where something must be said first.

    Args:
        asked: What is needed; all that is known of runs where nothing is said.

    Raises:
        OSError: Where the file cannot be read.
        BadCondition: For a condition that cannot be read, or holds of no run.
    """
    asked = asked or Asked()
    content = reader.read(path)
    words = Words(sorts_of(library, asked.dims), asked.dims)
    try:
        grid, wrong = grid_of(path, content, words)
    except NotCells as error:
        from runplan.engine.fit.read.text import text_of

        source, _ = text_of(path, content)
        at = Span(source, source.line_start(error.line), source.line_start(error.line))
        return None, (finding("F013", f"`{cut(path)}`: {error.why}", at, help=[error.help] if error.help else ()),)
    if wrong is not None:
        return None, (wrong,)
    assert grid is not None, "a grid, or what is wrong"
    table, findings = _table(path, content, grid, words, library, asked)
    return table, in_order(findings)


def _table(
    path: str, content: bytes, grid: Grid, words: Words, library: Library, asked: Asked
) -> tuple[RunTable | None, list[Finding]]:
    import hashlib

    start = Span(grid.source, 0, 0)
    if not grid.headers:
        help = [f"write `{asked.header}` and a row a {asked.row}"]
        return None, [finding("F001", f"`{cut(path)}` is empty", start, help=help)]
    choice = choose(grid, words, asked)
    findings = list(choice.findings)
    if not len(grid) and not grid.ragged:
        message = f"`{cut(path)}` has names of columns ({listing(grid.headers[:8])}), and no {asked.row}s"
        return None, [finding("F001", message, grid.header(0), help=[f"add a row a {asked.row} beneath them"])]
    if not choice.columns and not choice.texts and not choice.findings and len(asked.needs) != 1:
        message = f"`{cut(path)}` has no column that is known: {listing(cut(header) for header in grid.headers[:8])}"
        help = [f"it may begin with a line such as `{asked.header}`; `--column loss=HEADER` says what is what"]
        if line := _names_below(grid, words):
            help = [f"the names seem to stand in line {line}: take out what is above it, or begin it with `#`"]
        return None, [finding("F013", message, grid.header(0), help=help)]
    if asked.where and len(grid):
        grid, left = _where(grid, choice.columns, library, asked)
        choice = choose(grid, words, asked)
        findings = [*choice.findings, *left]
    columns = dict(choice.columns)
    asking = {str(f.data.get("quantity")) for f in findings if f.data}
    # What steps make tokens of, where it is told in sequences.
    wanted = {*asked.needs, *asked.uses} - columns.keys()
    batch = ("batch",) if "tokens" in wanted else ()
    for name in (*batch, *asked.needs) if asked.log else (*batch, *asked.needs, *asked.uses):
        if name not in columns and name not in asking:
            derived = _derived(name, grid, columns, library)
            if derived is not None:
                columns[name], said = derived
                findings.append(said)
            elif name in asked.needs:
                findings.append(_lacking(name, grid, choice, columns, asked, words, library))
    if any(f.severity == "error" for f in findings):
        return None, findings
    read = [name for name in dict.fromkeys((*asked.needs, *asked.uses, *_TELLING)) if name in columns]
    read = read if asked.needs or asked.uses else list(columns)
    rows = usable(grid, columns, asked.needs, read, log=asked.log)
    if not asked.log:
        _doubts(rows, columns, choice, words, read, asked, library)
    findings += [*rows.findings, *_taken(grid, columns, read, asked)]
    if any(f.severity == "error" for f in rows.findings):
        return None, findings
    kept = [int(row) for row in np.nonzero(rows.kept)[0]]
    if not kept:
        message = f"none of {counted(len(grid) + len(grid.ragged), 'row')} of `{cut(path)}` can be used"
        why = next((one for one in rows.findings if one.severity == "warning"), None)
        help = ["mend the rows as the findings on them say", *(() if why is None else why.help)]
        return None, [*findings, finding("F001", message, start if why is None else why.at.span, help=help)]
    labels = grid.columns[choice.texts["label"]] if "label" in choice.texts else None
    table = RunTable(
        path=path,
        digest=hashlib.sha256(content).hexdigest(),
        columns={name: _column(name, grid, one, kept) for name, one in columns.items()},
        lines=tuple(grid.lines[row] for row in kept),
        labels=tuple(labels[row].strip() if labels is not None else "" for row in kept),
        kinds=kinds_of(grid, [*choice.unread, *choice.texts.values()], kept),
        objective=objective_of(grid.columns[choice.texts["objective"]], kept) if "objective" in choice.texts else "",
    )
    return table, findings


def _names_below(grid: Grid, words: Words) -> int:
    """The line of the first rows that has names of columns, below a title; 0 where none has."""
    for line, text in enumerate(grid.source.text.split("\n")[:_TITLE], 1):
        names = [name.strip() for sign in SIGNS if sign in text for name in text.split(sign)]
        if sum(words.read(name) is not None for name in names) > 1:
            return line
    return 0


def _doubts(
    rows: Rows,
    columns: Mapping[str, Chosen],
    choice: Choice,
    words: Words,
    read: Sequence[str],
    asked: Asked,
    library: Library,
) -> None:
    """What is wrong or doubtful of runs beside one another: nothing, where a column is no such figures at all."""
    if any(found.severity == "error" for found in rows.findings):
        return
    grid = rows.grid
    twice(rows, grid.columns)
    wrong = [*mistaken(grid, columns, rows.kept, asked)]
    rows.findings += wrong
    if any(found.severity == "error" for found in wrong):
        return
    states = grid.columns[choice.texts["state"]] if "state" in choice.texts else None
    known = {word: one.factor for word, one in words.sorts["state"].units.items() if one is not None}
    ended(rows, columns, states, known)
    repeats(rows, columns, [name for name in read if name not in _MEASURED and name in asked.needs])
    _contradicting(rows, columns, read, library)


def _where(grid: Grid, known: Mapping[str, Chosen], library: Library, asked: Asked) -> tuple[Grid, list[Finding]]:
    """The rows of which the condition holds, before anything is said of the others."""
    from runplan.engine.fit.kept import where

    columns = dict(known)
    for name in (*asked.needs, *asked.uses):
        if name not in columns and (derived := _derived(name, grid, columns, library)) is not None:
            columns[name], _ = derived
    every = range(len(grid))
    found = where(
        {name: _column(name, grid, one, every) for name, one in columns.items()},
        dict(zip(grid.headers, grid.columns, strict=True)),
        asked.where,
    )
    findings = []
    if found.open.any():
        rows = [int(row) for row in np.nonzero(found.open)[0]]
        spans = [grid.at(row) for row in rows[: POINTED + 1]]
        what = "left out, without a figure that `--where` is about"
        findings.append(told("F006", what, [grid.lines[row] for row in rows], spans))
    kept: list[int] = np.nonzero(found.held)[0].tolist()
    cells = tuple([column[row] for row in kept] for column in grid.columns)
    return replace(grid, columns=cells, lines=[grid.lines[row] for row in kept]), findings


def _column(name: str, grid: Grid, one: Chosen, kept: Sequence[int]) -> Column:
    header = grid.headers[one.place] if one.place >= 0 else ""
    return Column(name, header, one.figures.dim, one.figures.values[kept])


def _derived(name: str, grid: Grid, columns: Mapping[str, Chosen], library: Library) -> tuple[Chosen, Finding] | None:
    """A column that the file lacks from its others, and what is said of that."""
    values = {had: one.figures.values for had, one in columns.items()}
    for relation in derivable(name, tuple(columns), library):
        found = relation.solved(name, values)
        if found is None:
            continue
        others = [other for other in (relation.output, *relation.inputs) if other != name]
        if name in SIZES and any(columns[other].place < 0 for other in others):
            continue  # compute that is taken from one count of the params tells no other
        sort = sorts_of(library, {})[name]
        message = (
            f"`{name}` is taken from {enumerated([_said(other, grid, columns) for other in others])}: {relation.text}"
        )
        chosen = Chosen(sort, -1, Figures(found, sort.dim), True)
        sizes = [columns[size] for size in SIZES if size in columns and columns[size].place >= 0]
        if name in SIZES and sizes:
            header = cut(grid.headers[sizes[0].place])
            message += f"; whether `{header}` or the compute counts params so is not said"
            help = [f"if `{header}` does: `{by_column(name, grid.headers[sizes[0].place])}`"]
            at = grid.header(sizes[0].place)
            return chosen, finding("F012", message, at, severity="warning", help=help)
        return chosen, finding("F012", message, grid.header(columns[others[0]].place))
    return None


def _said(name: str, grid: Grid, columns: Mapping[str, Chosen]) -> str:
    place = columns[name].place
    return f"`{cut(grid.headers[place])}`" if place >= 0 else f"`{name}`"


def _lacking(
    name: str, grid: Grid, choice: Choice, columns: Mapping[str, Chosen], asked: Asked, words: Words, library: Library
) -> Finding:
    """What there is instead of a column that is needed."""
    sort = words.sorts[name]
    unread = [grid.headers[place] for place in choice.unread]
    help = [
        f"if `{cut(grid.headers[place])}` is it: `{by_column(name, grid.headers[place])}`"
        for place in choice.texts.values()
        if _may_be(grid, place, sort)
    ]
    near: Sequence[str] = [header for header in unread if squashed(header).startswith(squashed(name))]
    near = near or nearest(name, unread) or [one for word in sort.words[:12] for one in nearest(word, unread)]
    if near:
        help.append(f"if `{near[0]}` is it: `{by_column(name, near[0])}`")
    planned = {"steps": "planned_steps"} if "planned_steps" in columns else {}
    nearly = nearly_derivable(name, tuple(columns), library)
    nearly.sort(key=lambda way: way[1] not in choice.doubtful and way[1] not in planned)
    for relation, other in nearly[:2]:
        if other in planned:
            header = grid.headers[columns[planned[other]].place]
            help.append(f"where each run took all of `{cut(header)}`: `{by_column(other, header)}`")
        elif other in choice.doubtful:
            header = cut(grid.headers[choice.doubtful[other]])
            help.append(f"it would follow from `{header}` in a unit that is said: {relation.text}")
            help += [f"say it: `--unit {other}={word}`" for word in unit_words(words.sorts[other])[:1]]
        else:
            help.append(f"with a column `{other}` it would follow: {relation.text}")
    if not help:
        usual = [word for word in (sort.name, *_aliases(library, name)) if len(word) > 1][:4]
        help.append(
            f"name it {' or '.join(f'`{word}`' for word in usual)}, or say which it is: `--column {name}=HEADER`"
        )
    needed = enumerated([f"`{need}`" for need in asked.needs])
    notes = [f"needed: {needed}", f"the file has: {listing(grid.headers[:20])}"]
    message = f"there is no column for `{name}`, {said_dim(sort.dim)}"
    return finding("F002", message, grid.header(0), notes=notes, help=help)


def _may_be(grid: Grid, place: int, sort: Sort) -> bool:
    """Whether a column of words, such as names of models, has figures of a quantity in it: `7B`, `1.3B`."""
    cells = [cell for cell in grid.columns[place][:50] if cell.strip()]
    found = figures(cells, sort, sort.units[""] or Unit(1.0, sort.dim), ".")
    low, high = sort.between or (0.0, np.inf)
    return bool(cells) and bool(np.mean((found.values >= low) & (found.values <= high)) > 0.5)


def _aliases(library: Library, name: str) -> tuple[str, ...]:
    record = library.record("column", name)
    return record.aliases if record else ()


def _contradicting(rows: Rows, columns: Mapping[str, Chosen], read: Sequence[str], library: Library) -> None:
    """Say where figures of a row do not go together, by the library's own relations."""
    by_output: dict[str, list[Relation]] = {}
    for relation in relations(library):
        every = (relation.output, *relation.inputs)
        own = [columns[name].place for name in every if name in columns]
        if all(name in columns for name in every) and min(own) >= 0 and {*every} & {*read}:
            by_output.setdefault(relation.output, []).append(relation)
    values = {name: one.figures.values for name, one in columns.items()}
    for output, ways in by_output.items():
        ratios = [values[output] / way.at(values) for way in ways]
        off = [np.abs(np.log(np.where(ratio > 0, ratio, np.nan))) for ratio in ratios]
        best = min(range(len(ways)), key=lambda i: _middle(off[i][rows.kept]))
        bad = (off[best] > np.log1p(APART)) & rows.kept
        if not bad.any():
            continue
        ratio, place = ratios[best], columns[output].place
        header = cut(rows.grid.headers[place])
        places = [(int(row), place) for row in np.nonzero(bad)[0]]
        inside = np.unique(np.round(np.log(ratio[bad]), 2))
        by = (
            f"{ratio[places[0][0]]:.3g} times"
            if len(inside) == 1
            else (f"{np.nanmin(ratio[bad]):.3g} to {np.nanmax(ratio[bad]):.3g} times")
        )
        rows.say("F009", f"of which `{header}` is {by} what {ways[best].text} gives", places)


def _middle(off: Floats) -> float:
    """The middle one of what is known; infinite where nothing is."""
    known = off[np.isfinite(off)]
    return float(np.median(known)) if len(known) else math.inf


def _taken(grid: Grid, columns: Mapping[str, Chosen], read: Sequence[str], asked: Asked) -> list[Finding]:
    """Say in which unit columns are read that could be in several of other sizes, and say none."""
    out = []
    for name in read:
        one = columns[name]
        if one.stated or one.place < 0 or asked.log:
            continue
        header, unit = cut(grid.headers[one.place]), one.sort.units[""]
        message = f"`{header}` says no unit, and is read {said_dim(one.figures.dim)}"
        if unit is None:
            message += f": it is too large for `{one.sort.instead}`"
            out.append(finding("F014", message, grid.header(one.place)))
        elif name in _MEASURED:
            help = [f"where it is another: `--unit {name}=bits`, or `nat/byte`"]
            out.append(finding("F014", message, grid.header(one.place), help=help))
    return out
