"""Several pairs of axes in one figure: rows of quantities, columns of results; one below the other on a phone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from leaderboard.charts import look

GAP = 0.08


@dataclass(frozen=True, slots=True)
class Panels:
    """A grid; every row has one scale, so that its columns compare by eye."""

    rows: int
    columns: int

    def key(self, row: int, column: int) -> str:
        """ "", "2", "3": Plotly's number of the pair of axes at this place."""
        number = row * self.columns + column + 1
        return "" if number == 1 else str(number)

    def across(self, column: int) -> list[float]:
        width = (1 - GAP * (self.columns - 1)) / self.columns
        start = column * (width + GAP)
        return [round(start, 4), round(start + width, 4)]

    def axes(self, x_title: str, y_titles: Sequence[str]) -> dict[str, Any]:
        """The axes of all places; titles at the foot and on the left."""
        found: dict[str, Any] = {}
        for row in range(self.rows):
            for column in range(self.columns):
                key = self.key(row, column)
                is_foot, is_left = row == self.rows - 1, column == 0
                x = look.axis(x_title if is_foot else "", domain=self.across(column), anchor=f"y{key}")
                title = y_titles[row] if is_left else ""
                y = look.axis(title, domain=share(row, self.rows), anchor=f"x{key}", tickformat=",~r")
                if not is_left:
                    y["matches"] = f"y{self.key(row, 0)}"
                if row:
                    x["matches"] = f"x{self.key(0, column)}"
                found |= {f"xaxis{key}": x, f"yaxis{key}": y}
        return found

    def narrow_axes(self) -> dict[str, Any]:
        """What a phone lays over them: all of the first column, then all of the next."""
        found: dict[str, Any] = {}
        for row in range(self.rows):
            for column in range(self.columns):
                key = self.key(row, column)
                place = column * self.rows + row
                # The next panels begin where the title of the axis would stand.
                is_last = place == self.rows * self.columns - 1
                found |= {
                    f"xaxis{key}": {"domain": [0, 1], **({} if is_last else {"title": {"text": ""}})},
                    f"yaxis{key}": {"domain": share(place, self.rows * self.columns)},
                }
        return found

    def titles(self, words: Sequence[str], *, is_narrow: bool = False) -> list[dict[str, Any]]:
        """The name of each column above it."""
        return [
            {
                "text": look.plain(text),
                "xref": "paper",
                "yref": "paper",
                "x": 0 if is_narrow else self.across(column)[0],
                "y": share(column * self.rows, self.rows * self.columns)[1] if is_narrow else 1,
                "xanchor": "left",
                "yanchor": "bottom",
                "showarrow": False,
                "font": {"color": "text", "size": 12},
            }
            for column, text in enumerate(words)
        ]


def share(place: int, places: int) -> list[float]:
    """The stretch of the height for the place from the top on."""
    height = (1 - GAP * (places - 1)) / places
    top = 1 - place * (height + GAP)
    return [round(max(top - height, 0), 4), round(top, 4)]
