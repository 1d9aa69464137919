"""A site made of answers, for tests of what the client makes of them."""

import asyncio

import httpx2

from gpuagent.client import AsyncClient, Client

ME = {"name": "ada", "joined_at": "2026-01-01T00:00:00Z", "is_moderator": False, "token": {}}
MODEL = {
    "name": "org/m", "title": "M", "organisation": "Org", "family": "F", "parameters_total_b": 8.0,
    "parameters_active_b": None, "licence": None, "source_url": None, "aliases": [], "results": 3, "url": "http://x",
}  # fmt: skip


class Answers:
    """Gives one answer after the other, the last one for ever; keeps what was asked."""

    def __init__(self, *answers):
        self.answers, self.asked = list(answers), []

    def __call__(self, request):
        self.asked.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, (dict, list)):
            return httpx2.Response(200, json=answer)
        return httpx2.Response(200, content=answer) if isinstance(answer, bytes) else answer


def error(status, message="No.", fields=None, headers=None, **extra):
    body = {"error": {"code": "code", "message": message, "fields": fields or {}}, **extra}
    return httpx2.Response(status, json=body, headers=headers)


def sync_client(answers, url="http://localhost:1", token="lem_1_secret", **options):
    return Client(url, token, transport=httpx2.MockTransport(answers), **options)


def ask_both(answers, ask):
    """What a call gives with and without asyncio."""

    async def asked():
        async with AsyncClient("http://localhost:1", "lem_1_secret", transport=httpx2.MockTransport(answers)) as client:
            given = ask(client)
            return [row async for row in given] if hasattr(given, "__anext__") else await given

    given = ask(sync_client(answers))
    plain = list(given) if hasattr(given, "__next__") else given
    return plain, asyncio.run(asked())
