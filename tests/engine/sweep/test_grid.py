"""Products over a grid are the arrays that they stand for, blocks are all points, systems are solved."""

from __future__ import annotations

import math
from collections.abc import Callable
from operator import add, ge, lt, mul, sub, truediv
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runplan.engine.sweep.blocks import Blocks
from runplan.engine.sweep.grid import FUNCTIONS, Grid, is_above, is_below, range_of, whole
from runplan.engine.sweep.systems import sign_of_determinant, solution

SHAPE = (2, 3, 4)
# Arrays over each axis, over two, over all, and figures.
SHAPES = ((2, 1, 1), (1, 3, 1), (1, 1, 4), (2, 3, 1), SHAPE)
figures = st.floats(0.1, 10.0)


@st.composite
def values(draw: st.DrawFn, signed: bool = False) -> tuple[Any, Any]:
    """A product, and the array that it is."""
    product: Any = draw(figures)
    array: Any = product
    for shape in draw(st.lists(st.sampled_from(SHAPES), max_size=3)):
        size = math.prod(shape)
        factor = np.array(draw(st.lists(figures, min_size=size, max_size=size))).reshape(shape)
        if signed and draw(st.booleans()):
            factor = -factor
        product, array = product * Grid.of(factor), array * factor
    return product, array


def alike(product: Any, array: Any) -> None:
    np.testing.assert_allclose(
        np.broadcast_to(whole(product), SHAPE), np.broadcast_to(array, SHAPE), rtol=1e-12, atol=1e-9
    )


@pytest.mark.parametrize("op", [add, sub, mul, truediv, lt, ge])
@settings(max_examples=20)
@given(values(signed=True), values(signed=True))
def test_arithmetic_of_products_is_that_of_arrays(
    op: Callable[[Any, Any], Any], a: tuple[Any, Any], b: tuple[Any, Any]
) -> None:
    if op in (lt, ge):  # of what is equal but for rounding either may be less
        a, b = (a[0], a[1]), (b[0] * 1.001, b[1] * 1.001)
    for one, other in ((a[0], b[0]), (a[0], b[1]), (a[1], b[0])):
        alike(op(one, other), op(a[1], b[1]))


@settings(max_examples=30)
@given(values(), st.floats(-3.0, 3.0))
def test_functions_of_products_are_those_of_arrays(value: tuple[Any, Any], exponent: float) -> None:
    product, array = value
    alike(FUNCTIONS.power(product, exponent), np.power(array, exponent))
    alike(FUNCTIONS.sqrt(product), np.sqrt(array))
    alike(FUNCTIONS.log(product), np.log(array))
    alike(FUNCTIONS.minimum(product, 1.0), np.minimum(array, 1.0))
    alike(-product, -array)


@settings(max_examples=30)
@given(values(signed=True), st.sampled_from([0.5, 1.0, 2.0, -1.0]))
def test_a_product_of_negative_factors_is_as_positive_as_its_array(value: tuple[Any, Any], exponent: float) -> None:
    with np.errstate(invalid="ignore"):
        for sign in (1.0, -1.0):
            alike(FUNCTIONS.power(value[0] * sign, exponent), np.power(np.asarray(value[1]) * sign, exponent))


def test_what_is_too_large_or_divided_by_zero_is_so_as_in_arrays() -> None:
    product = Grid.of(np.array([[1.0, 2.0]])) * 1e200
    with np.errstate(all="ignore"):
        assert np.isinf(whole(FUNCTIONS.power(product, 3.0))).all()
        assert np.isinf(whole(product / 0.0)).all() and np.isinf(whole(1.0 / (product * 0.0))).all()


@settings(max_examples=40)
@given(values(signed=True), figures)
def test_where_a_product_is_above_or_below_is_where_its_array_is(value: tuple[Any, Any], bound: float) -> None:
    product, array = value
    array = np.asarray(array) * 1.0
    clear = ~np.isclose(array, bound)
    assert ((is_above(product, bound) == (array > bound)) | ~clear).all()
    assert ((is_below(product, bound) == ((array > 0) & (array < bound))) | ~clear).all()
    low, high = range_of(product)
    if low > 0:
        assert low <= array.min() * (1 + 1e-12) and array.max() <= high * (1 + 1e-12)


@given(st.lists(st.integers(1, 9), min_size=1, max_size=4), st.integers(1, 40))
def test_blocks_are_all_points_each_once(sizes: list[int], most: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("runplan.engine.sweep.blocks.MOST", most)
        blocks, point = Blocks.of(sizes), 0
        while point < math.prod(sizes):
            block = blocks.at(point)
            assert block.start == point and block.stop - block.start <= max(most, 1)
            assert all(blocks.at(other) == block for other in range(block.start, block.stop))
            index = np.ravel_multi_index(np.ix_(*map(list, block.sides)), sizes)
            assert index.ravel().tolist() == list(range(block.start, block.stop))
            point = block.stop


@given(st.integers(1, 4), st.integers(0, 2**32 - 1))
def test_systems_are_solved(k: int, seed: int) -> None:
    chance = np.random.default_rng(seed)
    matrix, right = chance.normal(size=(k, k, 7)), chance.normal(size=(k, 7))
    there = np.linalg.solve(np.moveaxis(matrix, 2, 0), right.T[:, :, None])[:, :, 0].T
    np.testing.assert_allclose(solution(matrix, right), there, rtol=1e-6)
    signs = np.sign(np.linalg.det(np.moveaxis(matrix, 2, 0)))
    assert sign_of_determinant(matrix).tolist() == signs.tolist()
