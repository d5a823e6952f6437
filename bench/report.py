"""Tables of figures, printed and written as Markdown."""

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass
class Table:
    """``notes`` say what the figures mean, and what was not run and why."""

    title: str
    columns: Sequence[str]
    rows: list[Sequence[str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def markdown(self) -> str:
        cells = [self.columns, *self.rows]
        widths = [max(len(row[place]) for row in cells) for place in range(len(self.columns))]

        def line(row: Sequence[str]) -> str:
            # The first column names the row; all others are figures.
            padded = [row[0].ljust(widths[0])]
            padded += [text.rjust(width) for text, width in zip(row[1:], widths[1:], strict=True)]
            return f"| {' | '.join(padded)} |"

        rule = "|".join(["-" * (widths[0] + 2), *("-" * (w + 1) + ":" for w in widths[1:])])
        notes = [f"- {note}" for note in self.notes]
        return "\n".join(
            [f"## {self.title}", "", line(self.columns), f"|{rule}|", *map(line, self.rows)]
            + (["", *notes] if notes else [])
        )
