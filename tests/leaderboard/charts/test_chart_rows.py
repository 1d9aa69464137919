"""Rows of a chart's table as a page has them."""

from __future__ import annotations

import pytest

from leaderboard.chart_pages import TableCell
from leaderboard.templatetags.chart_rows import chart_row


@pytest.mark.parametrize(
    ("head", "shown"),
    [
        (TableCell("M", url="/results/1/"), '<th scope="row"><a href="/results/1/">M</a></th>'),
        (TableCell("M"), '<th scope="row">M</th>'),
        (TableCell("a {} <b>"), '<th scope="row">a {} &lt;b&gt;</th>'),
        (TableCell("M", url='/"><script>'), '<th scope="row"><a href="/&quot;&gt;&lt;script&gt;">M</a></th>'),
    ],
    ids=["with-result", "without-result", "markup", "hostile-address"],
)
def test_the_head_of_a_row_leads_to_its_result(head, shown):
    assert chart_row([head]) == shown


def test_numbers_are_set_apart_from_words():
    row = chart_row([TableCell("M"), TableCell("1.5", is_number=True), TableCell("<i>{0}")])

    assert row == '<th scope="row">M</th><td class="n">1.5</td><td>&lt;i&gt;{0}</td>'
