"""A condition or a goal to its typed form, bare numbers taking the dimension of the side they are held against."""

from __future__ import annotations

from runplan.dsl.expr.dimensions import DimensionClash
from runplan.dsl.expr.text import shown
from runplan.dsl.expr.tree import COMPARISONS, Expr, Num, Op
from runplan.dsl.plan.figures import Figures
from runplan.dsl.plan.ir import Optimize, Requirement
from runplan.dsl.syntax.tree import Node, Word, unquoted
from runplan.dsl.text.finding import finding
from runplan.dsl.typed.fields import HARDWARE, natural
from runplan.dsl.units.dims import NONE
from runplan.dsl.units.show import said_dim, show


class Constraints(Figures):
    """Reads what a plan requires, prefers, minimizes and maximizes."""

    def _constraint(self, node: Node, key: str) -> Requirement | None:
        spec = next(node.nodes())
        logic, because = spec.children
        assert logic is not None
        expr = self._implied(self.expr(logic))
        if expr is None:
            if not (self.findings or self.file.broken):
                raise AssertionError("a constraint was dropped without a finding")
            return None
        if not isinstance(expr, Op) or expr.op not in (*COMPARISONS, "and", "or", "not"):
            help = ["write a comparison, such as `cost <= 30M USD`"]
            self.findings.append(finding("S001", f"`{shown(expr)}` compares nothing", logic.span, help=help))
            return None
        text = unquoted(because.text) if isinstance(because, Word) else None
        return Requirement(self.bound(expr), text, node.rule == "prefer", key, logic.span)

    def _goal(self, node: Node) -> Optimize | None:
        inner = next(node.nodes())
        expr = self.expr(inner)
        if self._checked(expr) is None:
            return None
        if self._value(expr) is not None:
            message = f"`{shown(expr)}` is a fixed number: there is nothing to {node.rule}"
            self.findings.append(finding("C001", message, inner.span))
            return None
        return Optimize(node.rule, self.bound(expr), inner.span)

    def _implied(self, expr: Expr) -> Expr | None:
        """The condition with bare numbers in the dimension of the other side; None, with findings, if it is wrong."""
        if isinstance(expr, Op) and expr.op in ("and", "or", "not", "P"):
            args = [self._implied(arg) for arg in expr.args]
            if any(arg is None for arg in args):
                return None
            return Op(expr.op, tuple(arg for arg in args if arg is not None), expr.span)
        if not (isinstance(expr, Op) and expr.op in COMPARISONS):
            expr = self._implied_inside(expr)
            return None if self._checked(expr) is None else expr
        left, right = (self._implied_inside(side) for side in expr.args)
        dims = []
        for side in (left, right):
            if isinstance(side, Op) and side.op == "P":
                inner = self._implied(side.args[0])
                if inner is None:
                    return None
                left = Op("P", (inner,), side.span) if side is left else left
                right = Op("P", (inner,), side.span) if side is right else right
                dims.append(NONE)
                continue
            dim = self._checked(side)
            if dim is None:
                return None
            dims.append(dim)
        if dims[0] == dims[1]:
            return Op(expr.op, (left, right), expr.span)
        for i in (0, 1):
            side, dim = (left, right)[i], dims[1 - i]
            if dims[i] == NONE and self._value(side) is not None and not _has_unit(side):
                if natural(dim):
                    meant = (
                        Num(side.value, dim, side.text, side.binary, side.span)
                        if isinstance(side, Num)
                        else Op("*", (side, Num(1.0, dim)), side.span)
                    )
                    return Op(expr.op, (meant, right) if i == 0 else (left, meant), expr.span)
                example = next((f.example for f in HARDWARE.values() if self._money(f.dim) == dim), None)
                help = [f"write it with its unit, such as `{example or show(1.0, dim)}`"]
                message = f"`{shown(side)}` has no unit; `{shown((left, right)[1 - i])}` is {said_dim(dim)}"
                assert side.span is not None
                self.findings.append(finding("U003", message, side.span, help=help))
                return None
        clash = DimensionClash(
            f"`{shown(left)}` is {said_dim(dims[0])}, `{shown(right)}` is {said_dim(dims[1])}",
            expr,
            dims[0],
            dims[1],
        )
        self.findings.append(self._clash(clash, expr))
        return None

    def _implied_inside(self, expr: Expr) -> Expr:
        """The expression with what its `if`s test in one dimension; what is wrong in a test stays as it is."""
        if not isinstance(expr, Op):
            return expr
        args = [self._implied_inside(arg) for arg in expr.args]
        if expr.op == "if":
            before = len(self.findings)
            args[0] = self._implied(args[0]) or args[0]
            del self.findings[before:]  # the whole is checked again, and says it then
        return Op(expr.op, tuple(args), expr.span)


def _has_unit(side: Expr) -> bool:
    """Whether a number has a unit that comes to nothing, such as `3 bit/byte`: its dimension is said, not implied."""
    return isinstance(side, Num) and any(c in side.text for c in " /")
