"""A `law` block to a law, as it is written: what it inherits and whether it is sound is for `law_check`."""

from __future__ import annotations

from collections.abc import Iterable

from runplan.dsl.build import unquoted
from runplan.dsl.definitions import Definitions
from runplan.dsl.expression import Expr, Num, shown
from runplan.dsl.finding import Label, finding
from runplan.dsl.pack import Constant, Function, Golden, Joint, Law, Parameter, Table
from runplan.dsl.syntax import Node, Word
from runplan.dsl.units import NONE

COUNTS = ("total", "non_embedding", "active", "any")


class LawReader(Definitions):
    """Reads laws."""

    def law(self, node: Node) -> Law:
        """One `law` block as it is written: what it inherits is added by `inherit`."""
        name, aliases, parent, title = node.children[:4]
        assert isinstance(name, Word)
        block = node.node("law_block")
        assert block is not None
        single: dict[str, Node] = {}
        for item in block.nodes("law_objective", "law_counts", "law_corpus", "law_jointly", "law_fitted"):
            if item.rule in single:
                also = [Label(single[item.rule].span, "the first is here")]
                what = item.rule.removeprefix("law_")
                self.findings.append(finding("N005", f"`{what}` is given twice", item.span, also=also))
            single[item.rule] = item
        counts = ""
        if "law_counts" in single:
            word = single["law_counts"].word(0)
            counts = word.text
            if counts not in COUNTS:
                self._unknown("way to count params", word, COUNTS)
        fitted = {}
        for item in single["law_fitted"].nodes() if "law_fitted" in single else ():
            quantity, low, high = item.children
            assert isinstance(quantity, Word) and low is not None and high is not None
            pair = (self._figure(self.expr(low), item.span), self._figure(self.expr(high), item.span))
            fitted[quantity.text] = pair
        objectives: tuple[str, ...] = ()
        if "law_objective" in single:
            objectives = tuple(objective_text(item) for item in single["law_objective"].nodes())
        corpus = unquoted(single["law_corpus"].word(0).text) if "law_corpus" in single else ""
        lets = {}
        for item in block.nodes("law_let"):
            body = item.children[1]
            assert body is not None
            lets[item.word(0).text] = self.expr(body)
        return Law(
            name.text,
            self.words(aliases),
            parent.text if isinstance(parent, Word) else None,
            unquoted(title.text) if isinstance(title, Word) else "",
            objectives,
            counts,
            corpus,
            {c.name: c for item in block.nodes("law_constants") for c in self._constants(item)},
            self._joint(single["law_jointly"]) if "law_jointly" in single else None,
            lets,
            tuple(self._function(item) for item in block.nodes("law_function")),
            tuple(self._table(item) for item in block.nodes("law_table")),
            fitted,
            tuple(self.cite(item) for item in block.nodes("law_cites")),
            tuple(self._golden(item) for item in block.nodes("law_golden")),
            tuple(unquoted(item.word(0).text) for item in block.nodes("law_note")),
            name.span,
        )

    def _constants(self, node: Node) -> Iterable[Constant]:
        for item in node.nodes():
            name = item.word(0)
            if item.rule == "free_constant":
                yield Constant(name.text, None, None, None, "free", item.span)
                continue
            _, number, unit_word, error = item.children
            assert isinstance(number, Word)
            sign = -1.0 if item.span.text.split("=", 1)[1].lstrip().startswith("-") else 1.0
            factor, dim = self.unit(unit_word) if isinstance(unit_word, Word) else (1.0, None)
            yield Constant(
                name.text,
                sign * self.number(number) * factor,
                dim,
                self.number(error) * factor if isinstance(error, Word) else None,
                item.span.text.split("=", 1)[1].strip(),
                item.span,
            )

    def _joint(self, node: Node) -> Joint:
        terms = tuple(self.expr(item) for item in node.nodes() if item.rule != "number_row")
        rows = tuple(
            tuple((-1.0 if cell.rule == "negative" else 1.0) * self.number(cell.word(0)) for cell in row.nodes())
            for row in node.nodes("number_row")
        )
        if len(rows) != len(terms) or any(len(row) != len(terms) for row in rows):
            message = f"a covariance of {len(terms)} constants has {len(terms)} rows of {len(terms)} numbers"
            self.findings.append(finding("P001", message, node.span))
            rows = tuple((0.0,) * len(terms) for _ in terms)
        return Joint(terms, rows, node.span)

    def _parameter(self, node: Node) -> Parameter:
        quantity, local, unit_node, default = node.children
        assert isinstance(quantity, Word) and isinstance(local, Word)
        counted = self.counted(unit_node, quantity.text, quantity.span)
        taken = self.number(default) if isinstance(default, Word) else None
        return Parameter(quantity.text, local.text, counted, node.span, taken)

    def _function(self, node: Node) -> Function:
        name = node.word(0)
        unit_node = node.node("out_unit")
        body = node.children[-1]
        assert body is not None
        return Function(
            name.text,
            tuple(self._parameter(item) for item in node.nodes("parameter")),
            self.counted(unit_node, name.text, name.span),
            self._for(node),
            self.expr(body),
            node.span,
        )

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
        if sorted(rows) != rows or len(rows) < 2:
            self.findings.append(finding("P001", "a table has two rows or more, in rising order", node.span))
        return Table(name.text, read, counted, tuple(rows), node.span)

    def _golden(self, node: Node) -> Golden:
        text = node.span.text
        gives_at = text.find(" gives ") + node.span.start
        given: list[tuple[str, Num]] = []
        gives: list[tuple[Expr, Num]] = []
        for item in node.nodes("binding"):
            left, right = (self.expr(child) for child in item.children if child is not None)
            value = Num(self._figure(right, item.span), right.dim if isinstance(right, Num) else NONE, span=right.span)
            if item.span.start < gives_at:
                given.append((shown(left), value))
            else:
                gives.append((left, value))
        tolerance = node.children[-1]
        rtol = self.number(tolerance) if isinstance(tolerance, Word) and tolerance.type == "NUMBER" else 1e-5
        objective = self._for(node)
        return Golden(unquoted(node.word(0).text), objective, tuple(given), tuple(gives), rtol, node.span)

    def _for(self, node: Node) -> str:
        """The objective that a function or a golden value says that it is for; empty where it says none."""
        objective = next(node.nodes("single", "transfer"), None)
        return objective_text(objective, domain=False) if objective else ""


def objective_text(node: Node, domain: bool = True) -> str:
    """An objective as laws name it: `CLM of text`; without its domain where that is not wanted."""
    words = [child.text if isinstance(child, Word) else None for child in node.children]
    where = f" of {words[-1] or 'text'}" if domain else ""
    if node.rule == "single":
        return f"{words[0]}{where}"
    return f"transfer from {words[0]} to {words[1]}{where}"
