"""The geometry of charts: where whole numbers are drawn. Pure; no text, no colours, no Django."""

from collections.abc import Sequence
from dataclasses import dataclass

# The box of a sparkline, of any unit; it is stretched to the room there is. The line stays off the
# edge, where half of its width would be cut off.
SPARK_WIDTH, SPARK_HEIGHT, SPARK_EDGE = 100, 24, 1

#: A scale has so many steps at most.
STEPS = 5
# Of a column's room, in per cent: how much the bar takes; and what is not nothing can be seen.
BAR, LEAST = 64, 0.8


@dataclass(frozen=True, slots=True)
class Sparkline:
    """``line`` are points of SVG; ``area`` is what is between the line and zero."""

    line: str
    area: str


def sparkline(values: Sequence[int]) -> Sparkline:
    """A line through at least two values. It is flat, at zero, where all are zero."""
    low, high = min(0, *values), max(0, *values)
    room = SPARK_HEIGHT - 2 * SPARK_EDGE

    def y(value: int) -> float:
        return round(SPARK_HEIGHT - SPARK_EDGE - room * (value - low) / (high - low or 1), 1)

    step = SPARK_WIDTH / (len(values) - 1)
    line = " ".join(f"{round(n * step, 1):g},{y(value):g}" for n, value in enumerate(values))
    zero = f"{y(0):g}"
    return Sparkline(line, f"0,{zero} {line} {SPARK_WIDTH},{zero}")


@dataclass(frozen=True, slots=True)
class Tick:
    """A line of the scale; ``y`` is per cent of the height, from the top."""

    value: int
    y: float


@dataclass(frozen=True, slots=True)
class Column:
    """The room of one value and the bar in it, in per cent of the area."""

    x: float
    width: float
    bar_x: float
    bar_width: float
    bar_y: float
    bar_height: float

    @property
    def middle(self) -> float:
        return round(self.x + self.width / 2, 2)


@dataclass(frozen=True, slots=True)
class Plot:
    """Bars on a scale; ``zero`` is where the bars begin, in per cent from the top."""

    ticks: list[Tick]
    zero: float
    columns: list[Column]


def plot(values: Sequence[int]) -> Plot:
    """Bars from zero up, or down where a value is negative, on a scale of round numbers."""
    low, high = min(0, *values), max(0, *values)
    step = round_step(high - low)
    # The scale ends with a whole step.
    low, high = low // step * step, -(-high // step) * step or step

    def y(value: int) -> float:
        return round(100 * (high - value) / (high - low), 2)

    width = 100 / len(values)
    columns = []
    for n, value in enumerate(values):
        top, bottom = y(max(value, 0)), y(min(value, 0))
        if value and bottom - top < LEAST:
            top, bottom = (y(0) - LEAST, y(0)) if value > 0 else (y(0), y(0) + LEAST)
        columns.append(
            Column(
                x=round(n * width, 2),
                width=round(width, 2),
                bar_x=round((n + (1 - BAR / 100) / 2) * width, 2),
                bar_width=round(width * BAR / 100, 2),
                bar_y=round(top, 2),
                bar_height=round(bottom - top, 2),
            )
        )
    ticks = [Tick(value, y(value)) for value in range(low, high + 1, step)]
    return Plot(ticks, y(0), columns)


def round_step(span: int) -> int:
    """The least of 1, 2, 5, 10, 20, 50 … of which `STEPS` cover ``span``."""
    scale = 1
    while True:
        for step in (scale, 2 * scale, 5 * scale):
            if step * STEPS >= span:
                return step
        scale *= 10
