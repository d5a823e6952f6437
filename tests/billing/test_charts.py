"""Where whole numbers are drawn."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.charts import STEPS, Column, plot, round_step, sparkline

amounts = st.lists(st.integers(-(10**20), 10**20), min_size=2, max_size=40)


def points(text: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in (point.split(",") for point in text.split())]


def test_a_sparkline_goes_from_its_least_to_its_greatest_value() -> None:
    spark = sparkline([0, 50, 100])
    assert points(spark.line) == [(0, 23), (50, 12), (100, 1)]
    assert points(spark.area) == [(0, 23), (0, 23), (50, 12), (100, 1), (100, 23)]


def test_where_nothing_is_the_sparkline_is_flat_at_zero() -> None:
    assert {y for _, y in points(sparkline([0] * 30).line)} == {23}


def test_a_sparkline_of_credits_hangs_from_zero() -> None:
    assert points(sparkline([0, -100]).line) == [(0, 1), (100, 23)]


@given(amounts)
def test_a_sparkline_stays_in_its_box_in_the_order_of_its_values(values: list[int]) -> None:
    drawn = points(sparkline(values).line)
    assert len(drawn) == len(values)
    assert all(0 <= x <= 100 and 1 <= y <= 23 for x, y in drawn)
    pairs = sorted(zip(values, (y for _, y in drawn), strict=True))
    assert all(y >= next_y for (_, y), (_, next_y) in pairwise(pairs))


@pytest.mark.parametrize(
    ("span", "step"),
    [(0, 1), (1, 1), (5, 1), (6, 2), (10, 2), (11, 5), (25, 5), (26, 10), (99_999, 20_000)],
)
def test_steps_are_round(span: int, step: int) -> None:
    assert round_step(span) == step


def test_bars_stand_on_a_scale_of_whole_steps() -> None:
    drawn = plot([0, 30, 45])
    assert [(tick.value, tick.y) for tick in drawn.ticks] == [
        (0, 100),
        (10, 80),
        (20, 60),
        (30, 40),
        (40, 20),
        (50, 0),
    ]
    assert drawn.zero == 100
    assert [(bar.bar_y, bar.bar_height) for bar in drawn.columns] == [(100, 0), (40, 60), (10, 90)]


def test_a_negative_bar_hangs_from_zero() -> None:
    drawn = plot([10, -10])
    assert [tick.value for tick in drawn.ticks] == [-10, -5, 0, 5, 10]
    assert drawn.zero == 50
    assert [(bar.bar_y, bar.bar_height) for bar in drawn.columns] == [(0, 50), (50, 50)]


def test_what_is_not_nothing_can_be_seen() -> None:
    one, nothing, minus_one, _much = plot([1, 0, -1, 10**9]).columns
    assert one.bar_height > 0.5
    assert minus_one.bar_height > 0.5
    assert nothing.bar_height == 0


def test_where_nothing_is_there_is_a_scale_still() -> None:
    drawn = plot([0] * 12)
    assert [tick.value for tick in drawn.ticks] == [0, 1]
    assert {bar.bar_height for bar in drawn.columns} == {0}


@given(amounts)
def test_bars_stay_in_the_area_and_apart(values: list[int]) -> None:
    drawn = plot(values)

    def fits(column: Column) -> bool:
        within = column.x <= column.bar_x < column.middle < column.bar_x + column.bar_width
        return within and column.bar_x + column.bar_width <= column.x + column.width + 0.02

    assert all(fits(column) for column in drawn.columns)
    assert all(c.bar_y >= -1 and c.bar_y + c.bar_height <= 101 for c in drawn.columns)
    assert 2 <= len(drawn.ticks) <= STEPS + 2
    lowest, highest = drawn.ticks[0], drawn.ticks[-1]
    assert lowest.value <= min(0, *values)
    assert max(0, *values) <= highest.value
    assert (lowest.y, highest.y) == (100, 0)
