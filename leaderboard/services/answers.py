"""The canned answers that the site begins with."""

from __future__ import annotations

import json
from pathlib import Path

from django.db import transaction

from leaderboard.models import CannedAnswer

ANSWERS = Path(__file__).resolve().parent.parent / "catalogue" / "answers.json"


@transaction.atomic
def load_answers() -> int:
    """Store them where there are none: from then on they are the moderators' own. Returns how many were stored."""
    if CannedAnswer.objects.exists():
        return 0
    rows = json.loads(ANSWERS.read_text(encoding="utf-8"))["answers"]
    return len(CannedAnswer.objects.bulk_create(CannedAnswer(**row) for row in rows))
