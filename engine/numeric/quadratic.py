"""A convex quadratic program to its step and multipliers, by the dual method of Goldfarb and Idnani (1983)."""

from __future__ import annotations

import math
from dataclasses import dataclass

from runplan.engine.numeric.algebra import Frame, Matrix, Vector, backward, dot, forward, size_of

FEASIBLE = 1e-9  # what a constraint may be off: constraints are logarithms, so this is relative


@dataclass(slots=True)
class Step:
    """The solution of a quadratic program: its step, multipliers, and the inequalities held as equalities."""

    d: Vector
    c_multipliers: Vector
    e_multipliers: Vector
    working: list[int]


def quadratic(g: Vector, lower: Matrix, e: Vector, e_rows: Matrix, c: Vector, c_rows: Matrix) -> Step | None:
    """Minimise g'd + d'L L'd/2 under e + E d = 0 and c + C d <= 0; None where nothing satisfies these.

    The dual method: from the free minimum, take in violated rows one at a time, and let go of those whose
    multiplier would turn negative. In the coordinates y = L'd the objective is a distance, so all that is
    kept is an orthonormal frame of the rows held. Rows are numbered with equalities first.
    """
    n, p = len(g), len(e)
    d = backward(lower, [-a for a in forward(lower, g)])
    reach = max(1.0, size_of(d))
    rows, values = e_rows + c_rows, e + c
    sizes = [size_of(row) for row in rows]
    allowed = [1e-12 + 4e-16 * reach * size for size in sizes]
    whitened: dict[int, Vector] = {}
    frame = Frame()
    held: list[int] = []
    u: Vector = []
    ignored: set[int] = set()

    def violated() -> int:
        worst, at = 0.0, -1
        for i in range(p, len(rows)):
            over = values[i] + dot(rows[i], d)
            if over > allowed[i] and i not in held and i not in ignored:
                over /= sizes[i] or 1.0
                if over > worst:
                    worst, at = over, i
        return at

    exact = 0
    for turn in range(p + 20 * (len(rows) + n) + 20):
        new = turn if turn < p else violated()
        if new < 0:
            if held:  # take out the rounding of a free minimum that was far away, and look once more
                off = [-values[j] - dot(rows[j], d) for j in held]
                d = [a + b for a, b in zip(d, backward(lower, frame.reach(off, n)), strict=True)]
                allowed = [1e-12 + 4e-16 * max(1.0, size_of(d)) * size for size in sizes]
            exact += 1
            if exact > 2 or not held:
                break
            continue
        if new not in whitened:
            whitened[new] = forward(lower, rows[new])
        row, multiplier = whitened[new], 0.0
        while True:
            parts, rest, length = frame.split(row)
            over = values[new] + dot(rows[new], d)
            if length > 1e-9 * math.sqrt(dot(row, row)):
                full = over / (length * length)
            elif abs(over) <= 0.9 * FEASIBLE + allowed[new]:
                ignored.add(new)  # says what others say, to rounding
                break
            elif new < p:
                return None
            else:
                full = math.inf
            ratios = frame.combine(parts)
            short, leaving = math.inf, -1
            if new >= p:
                for j, (ratio, have) in enumerate(zip(ratios, u, strict=True)):
                    if held[j] >= p and ratio > 1e-14 and have / ratio < short:
                        short, leaving = have / ratio, j
            t = min(short, full)
            if math.isinf(t):
                return None
            if not math.isinf(full):
                move = backward(lower, rest)
                d = [a - t * b for a, b in zip(d, move, strict=True)]
            u = [have - t * ratio for have, ratio in zip(u, ratios, strict=True)]
            multiplier += t
            if full <= short:
                held.append(new)
                u.append(multiplier)
                frame.q.append([a / length for a in rest])
                frame.parts.append([*parts, length])
                break
            del held[leaving], u[leaving]
            frame = Frame()
            for j in held:
                frame.add(whitened[j], 0.0)
    else:
        return None
    c_multipliers, e_multipliers = [0.0] * len(c), [0.0] * p
    for j, have in zip(held, u, strict=True):
        if j < p:
            e_multipliers[j] = have
        else:
            c_multipliers[j - p] = max(0.0, have)
    return Step(d, c_multipliers, e_multipliers, [j - p for j in held if j >= p])
