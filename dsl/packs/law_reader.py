"""A `law` block to a law, as it is written: what it inherits and whether it is sound is for `law_check`."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from runplan.dsl.expr.text import shown
from runplan.dsl.expr.tree import Expr, Num
from runplan.dsl.packs.definitions import Definitions
from runplan.dsl.packs.pack import Constant, Function, Golden, Joint, Law, Parameter, Table
from runplan.dsl.syntax.tree import Node, Word, unquoted
from runplan.dsl.text.finding import Label, finding
from runplan.dsl.text.nearest import nearest
from runplan.dsl.typed.fields import OBJECTIVES, Field
from runplan.dsl.units.dims import NONE, Dim
from runplan.dsl.units.show import show

COUNTS = ("total", "non_embedding", "active", "any")
# What a law says once.
SINGLE = ("law_objective", "law_counts", "law_corpus", "law_jointly", "law_fitted")
# What is lost of a printed covariance, as a share of the variances.
ROUNDED = 1e-9


class LawReader(Definitions):
    """Reads laws."""

    def law(self, node: Node) -> Law:
        """One `law` block as it is written: what it inherits is added by `inherit`."""
        name, aliases, parent, title = node.children[:4]
        assert isinstance(name, Word)
        block = node.node("law_block")
        assert block is not None
        single = {item.rule: item for item in block.nodes(*SINGLE)}
        self.given_once((i.rule, i.rule.removeprefix("law_"), i.span) for i in block.nodes(*SINGLE))
        counts = single["law_counts"].word(0) if "law_counts" in single else None
        if counts is not None and counts.text not in COUNTS:
            self._unknown("way to count params", counts, COUNTS)
        constants = [c for item in block.nodes("law_constants") for c in self._constants(item)]
        lets = {item.word(0).text: self._body(item) for item in block.nodes("law_let")}
        functions = tuple(self._function(item) for item in block.nodes("law_function"))
        tables = tuple(self._table(item) for item in block.nodes("law_table"))
        goldens = tuple(self._golden(item) for item in block.nodes("law_golden"))
        fitted = single["law_fitted"].nodes() if "law_fitted" in single else ()
        self._said_once(block, constants, functions, tables, goldens)
        known = dict(self.quantities) | {f.output: f.counted.dim for f in functions}
        known |= {p.quantity: p.counted.dim for f in functions for p in f.parameters if p.quantity not in known}
        return Law(
            name.text,
            self.words(aliases),
            parent.text if isinstance(parent, Word) else None,
            unquoted(title.text) if isinstance(title, Word) else "",
            tuple(self._objective(i) for i in single["law_objective"].nodes()) if "law_objective" in single else (),
            counts.text if counts is not None else "",
            unquoted(single["law_corpus"].word(0).text) if "law_corpus" in single else "",
            {c.name: c for c in constants},
            self._joint(single["law_jointly"]) if "law_jointly" in single else None,
            lets,
            functions,
            tables,
            dict(self._range(item, known, parent is not None) for item in fitted),
            tuple(self.cite(item) for item in block.nodes("law_cites")),
            goldens,
            tuple(unquoted(item.word(0).text) for item in block.nodes("law_note")),
            name.span,
        )

    def _said_once(
        self,
        block: Node,
        constants: Sequence[Constant],
        functions: Sequence[Function],
        tables: Sequence[Table],
        goldens: Sequence[Golden],
    ) -> None:
        """Names of a law mean one thing, and one thing is given by one formula."""
        named = [(name.text, name.span) for name in (item.word(0) for item in block.nodes("law_let"))]
        named = [*((c.name, c.span) for c in constants), *named]
        self.given_once(((name, name, span) for name, span in named))
        self.given_once(
            [
                *(((*f.signature, f.objective), f.output, f.span) for f in functions),
                *(((t.output, (t.parameter.quantity,), ""), t.output, t.span) for t in tables),
            ]
        )
        self.given_once((g.id, g.id, g.span) for g in goldens)
        for p in (p for f in functions for p in f.parameters if p.local in dict(named)):
            also = [Label(dict(named)[p.local], "the law's own is here")]
            self.findings.append(finding("N005", f"`{p.local}` is an input and a name of the law", p.span, also=also))

    def _body(self, node: Node) -> Expr:
        """The formula that a `let` or a function ends with."""
        body = node.children[-1]
        assert body is not None
        return self.expr(body)

    def _range(self, node: Node, known: Mapping[str, Dim], inherits: bool) -> tuple[str, tuple[float, float]]:
        """A range of the runs, its ends held to the quantity; one that is not known here may be a parent's."""
        quantity, *ends = node.children
        assert isinstance(quantity, Word)
        if quantity.text not in known and not inherits:
            self._unknown("quantity", quantity, known)
        dim = known.get(quantity.text)
        field = Field(quantity.text, dim or NONE, show(1e9, dim or NONE), zero=True)

        def end(expr: Expr) -> float | None:
            return self.fixed(expr, node.span).value if dim is None else self.figure(expr, field, node.span)

        low, high = (self.expr(child) for child in ends if child is not None)
        pair = (end(low) or 0.0, end(high) or math.inf)
        if pair[0] > pair[1]:
            message = f"the range runs down: from {shown(low)} to {shown(high)}"
            self.findings.append(finding("U004", message, node.span, help=["write the smaller end first"]))
        return quantity.text, pair

    def _constants(self, node: Node) -> Iterable[Constant]:
        for item in node.nodes():
            name = item.word(0)
            if item.rule == "free_constant":
                yield Constant(name.text, None, None, None, "free", item.span)
                continue
            _, number, unit_word, error = item.children
            assert isinstance(number, Node)
            factor, dim = self.unit(unit_word) if isinstance(unit_word, Word) else (1.0, None)
            if isinstance(error, Word) and self.number(error) == 0.0:
                message = f"the standard error of `{name.text}` is zero"
                help = ["leave it out where it is not known"]
                self.findings.append(finding("P001", message, error.span, help=help))
            yield Constant(
                name.text,
                self._signed(number) * factor,
                dim,
                self.number(error) * factor if isinstance(error, Word) else None,
                item.span.text.split("=", 1)[1].strip(),
                item.span,
            )

    def _signed(self, node: Node) -> float:
        """A number that may have a minus sign."""
        return (-1.0 if node.rule == "negative" else 1.0) * self.number(node.word(0))

    def _joint(self, node: Node) -> Joint:
        terms = tuple(self.expr(item) for item in node.nodes() if item.rule != "number_row")
        rows = tuple(tuple(self._signed(cell) for cell in row.nodes()) for row in node.nodes("number_row"))
        if len(rows) != len(terms) or any(len(row) != len(terms) for row in rows):
            message = f"a covariance of {len(terms)} constants has {len(terms)} rows of {len(terms)} numbers"
            self.findings.append(finding("P001", message, node.span))
            rows = tuple((0.0,) * len(terms) for _ in terms)
        elif any(rows[i][j] != rows[j][i] for i in range(len(rows)) for j in range(i)):
            self.findings.append(finding("P001", "a covariance is symmetric, and this is not", node.span))
        elif not _semidefinite(rows):
            message = "this is no covariance: some sum of the constants would have a negative variance"
            self.findings.append(finding("P001", message, node.span))
        return Joint(terms, rows, node.span)

    def _parameter(self, node: Node) -> Parameter:
        quantity, local, unit_node, default = node.children
        assert isinstance(quantity, Word) and isinstance(local, Word)
        counted = self.counted(unit_node, quantity.text, quantity.span)
        taken = self.number(default) if isinstance(default, Word) else None
        return Parameter(quantity.text, local.text, counted, node.span, taken)

    def _function(self, node: Node) -> Function:
        name = node.word(0)
        parameters = tuple(self._parameter(item) for item in node.nodes("parameter"))
        self.given_once((key, key, p.span) for p in parameters for key in dict.fromkeys((p.quantity, p.local)))
        counted = self.counted(node.node("out_unit"), name.text, name.span)
        return Function(name.text, parameters, counted, self._for(node), self._body(node), node.span)

    def _table(self, node: Node) -> Table:
        name = node.word(0)
        parameter = node.node("parameter")
        assert parameter is not None
        counted = self.counted(node.node("out_unit"), name.text, name.span)
        read = self._parameter(parameter)
        rows = []
        for item in node.nodes("table_row"):
            left, right = item.nodes()
            x, y = self.expr(left), self.expr(right)
            assert isinstance(x, Num) and isinstance(y, Num)
            rows.append(
                (
                    x.value if x.dim else x.value * read.counted.factor,
                    y.value if y.dim else y.value * counted.factor,
                )
            )
        if len(rows) < 2 or any(a[0] >= b[0] for a, b in pairwise(rows)) or min(map(min, rows)) <= 0:
            message = "a table has two rows or more of positive figures, in rising order"
            self.findings.append(finding("P001", message, node.span))
        return Table(name.text, read, counted, tuple(rows), node.span)

    def _golden(self, node: Node) -> Golden:
        given = [(shown(left), number) for item in node.nodes("golden_at") for left, number in self._bindings(item)]
        gives = [binding for item in node.nodes("golden_gives") for binding in self._bindings(item)]
        tolerance = node.children[-1]
        rtol = 1e-5
        if isinstance(tolerance, Word) and tolerance.type == "NUMBER":
            rtol = self.number(tolerance)
            if not 0.0 < rtol < 1.0:
                message = f"`within {tolerance.text}` is no relative tolerance: it lies between 0 and 1"
                self.findings.append(finding("P001", message, tolerance.span))
        objective = self._for(node)
        return Golden(unquoted(node.word(0).text), objective, tuple(given), tuple(gives), rtol, node.span)

    def _bindings(self, node: Node) -> Iterable[tuple[Expr, Num]]:
        for item in node.nodes():
            left, right = (self.expr(child) for child in item.children if child is not None)
            yield left, self.fixed(right, item.span)

    def _for(self, node: Node) -> str:
        """The objective that a function or a golden value says that it is for; empty where it says none."""
        objective = next(node.nodes("single", "transfer"), None)
        return self._objective(objective, domain=False) if objective else ""

    def _objective(self, node: Node, domain: bool = True) -> str:
        """An objective as laws name it, `CLM of text`; without its domain where that is not wanted."""
        words = [child if isinstance(child, Word) else None for child in node.children]
        for word in words[:-1]:
            # What is transferred may be between domains, so only what looks like a misspelling is one there.
            near = word is not None and (node.rule == "single" or nearest(word.text, OBJECTIVES.values()))
            if word is not None and near and word.text not in OBJECTIVES.values():
                self._unknown("objective", word, OBJECTIVES.values())
        said = [word.text if word is not None else "text" for word in words]
        where = f" of {said[-1]}" if domain else ""
        return f"{said[0]}{where}" if node.rule == "single" else f"transfer from {said[0]} to {said[1]}{where}"


def _semidefinite(rows: Sequence[Sequence[float]]) -> bool:
    """Whether a symmetric matrix has no negative eigenvalue, up to the rounding of printed figures: by elimination."""
    scale = [math.sqrt(max(row[i], 0.0)) or 1.0 for i, row in enumerate(rows)]
    left = [[cell / scale[i] / scale[j] for j, cell in enumerate(row)] for i, row in enumerate(rows)]
    for k, row in enumerate(left):
        if row[k] < -ROUNDED or (row[k] <= ROUNDED and max(map(abs, row[k:])) > math.sqrt(ROUNDED)):
            return False
        for i in range(k + 1, len(left)) if row[k] > ROUNDED else ():
            share = left[i][k] / row[k]
            for j in range(k, len(left)):
                left[i][j] -= share * row[j]
    return True
