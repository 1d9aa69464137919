"""What is known of a request only where it is answered; found in its scope, by who counts and logs it."""

from __future__ import annotations

from dataclasses import dataclass

KEY = "lemsite"


@dataclass(slots=True)
class Noted:
    """The name of a route, and who is signed in."""

    route: str = "unmatched"
    user_id: int | None = None
