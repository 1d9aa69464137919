"""What people type into the leaderboard's pages."""

from __future__ import annotations

from django import forms

from leaderboard.board import BoardQuery, Prices
from leaderboard.models import Licence, Visibility
from leaderboard.presenting.board import FORM_LIMITS

MAX_TEXT = 2_000_000


class BoardForm(forms.Form):
    """The reader's question: search, latency limits, own prices and grid. Parsed by `parse_board_query`."""

    q = forms.CharField(label="Search", required=False, max_length=200)
    itl_ms_p50_max = forms.FloatField(label="ITL p50 at most, ms", required=False)
    ttft_ms_p90_max = forms.FloatField(label="TTFT p90 at most, ms", required=False)
    throughput_tokens_per_s_min = forms.FloatField(label="Output tok/s at least", required=False)
    usd_per_gpu_hour = forms.FloatField(label="$ per GPU-hour", required=False)
    usd_per_kwh = forms.FloatField(label="$ per kWh", required=False)
    pue = forms.FloatField(label="PUE", required=False)
    co2_g_per_kwh = forms.FloatField(label="Grid, gCO2/kWh", required=False)

    @classmethod
    def of(cls, query: BoardQuery) -> BoardForm:
        limits = {f"{column}_{edge}": query.limits.get((column, edge)) for column, edge in FORM_LIMITS}
        typed = Prices() if query.are_prices_private else query.prices
        prices = {name: getattr(typed, name) for name in Prices.__slots__}
        values = {name: f"{value:.15g}" for name, value in {**limits, **prices}.items() if value is not None}
        return cls(initial={"q": query.q, **values})


class SubmitForm(forms.Form):
    """The last step: who may see it, under which licence, and a note."""

    visibility = forms.ChoiceField(
        choices=[(Visibility.PUBLIC, "Public"), (Visibility.PRIVATE, "Private")], widget=forms.RadioSelect
    )
    licence = forms.ChoiceField(choices=Licence.choices, required=False)
    note = forms.CharField(required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 2}))


class ShareForm(forms.Form):
    """Whom a private submission is shared with."""

    username = forms.CharField(max_length=151)


class NoteForm(forms.Form):
    """What stands beside the results of a submission."""

    note = forms.CharField(required=False, max_length=2000, strip=False)


class RecallForm(forms.Form):
    """What becomes of a submission that is taken out of the queue."""

    visibility = forms.ChoiceField(choices=[(Visibility.DRAFT, "Draft"), (Visibility.PRIVATE, "Private")])


class UploadForm(forms.Form):
    """Text pasted instead of a file; the files themselves are read from the request."""

    text = forms.CharField(
        label="Or paste JSON",
        required=False,
        max_length=MAX_TEXT,
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false"}),
    )


class ReasonForm(forms.Form):
    """Why something is withdrawn or deleted."""

    reason = forms.CharField(required=False, max_length=2000)
