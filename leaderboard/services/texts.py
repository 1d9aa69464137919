"""What people write for everyone to read: refused while it is empty, too long, or says something else than it shows."""

from __future__ import annotations

from leaderboard.services.steps import Refused
from lemsite.lib.hidden_characters import hidden_character, is_blank


def clean_text(text: str, *, field: str, most: int, refusal: type[Refused]) -> str:
    """The text with plain line breaks and without the space around it. Raises `refusal`."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    if is_blank(text):
        raise refusal(f"{field}: write something, at most {most:,} characters.", field=field)
    if len(text) > most:
        raise refusal(f"{field}: {len(text):,} characters are too many; at most {most:,}.", field=field)
    hidden = hidden_character(text)
    if hidden:
        raise refusal(f"{field}: it holds {hidden}, which nobody can see; take it out.", field=field)
    return text
