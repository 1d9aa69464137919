"""Secrets in a stream of bytes, replaced before anything leaves the host."""

from __future__ import annotations

import base64
import json
import re
import urllib.parse
from collections.abc import Iterable

MARK = b"***"
#: shorter ones would be found in ordinary words
SHORTEST = 6


class Mask:
    """Replaces secrets, also one that is cut across two pieces. What comes out depends on the bytes that went in, not
    on how they were cut, so a stream can be masked again from its beginning with the same outcome. Linear in the input.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        self._forms: list[bytes] = []
        self._starts: set[bytes] = set()
        self._pattern = re.compile(b"(?!)")
        self._held = b""
        self.learn(secrets)

    def learn(self, secrets: Iterable[str]) -> None:
        """From here on these, too: as they are, in base 64, quoted for an address and escaped for JSON."""
        forms = set(self._forms)
        for secret in filter(None, secrets):
            forms |= _forms_of(secret)
        self._forms = sorted(forms, key=lambda form: (len(form), form), reverse=True)
        self._starts = {form[:size] for form in forms for size in range(1, len(form))}
        if self._forms:
            self._pattern = re.compile(b"|".join(map(re.escape, self._forms)))

    def feed(self, piece: bytes, *, last: bool = False) -> bytes:
        """What may leave; what could be the start of a secret is held until more has come or `last` is told."""
        text = self._held + piece
        out: list[bytes] = []
        at = 0
        sure = len(text) if last else self._sure(text, at)
        while (match := self._pattern.search(text, at)) and match.start() < sure:
            out += [text[at : match.start()], MARK]
            at = match.end()
            if at > sure:
                sure = self._sure(text, at)
        out.append(text[at:sure])
        self._held = text[sure:]
        return b"".join(out)

    def _sure(self, text: bytes, at: int) -> int:
        """From there on, the rest may be the start of a secret, or of a longer one than is there already."""
        longest = len(self._forms[0]) if self._forms else 0
        for start in range(max(at, len(text) - longest), len(text)):
            if text[start:] in self._starts:
                return start
        return len(text)


def _forms_of(secret: str) -> set[bytes]:
    raw = secret.encode()
    forms = {raw, urllib.parse.quote(secret, safe="").encode(), json.dumps(secret)[1:-1].encode()}
    forms |= {base64.b64encode(raw).rstrip(b"="), base64.urlsafe_b64encode(raw).rstrip(b"=")}
    return {form for form in forms if len(form) >= SHORTEST}
