"""`Client` and `AsyncClient`: the whole public API of a lemsite."""

from __future__ import annotations

from types import TracebackType
from typing import Any

import httpx2

from gpuagent.client.benchmarks import Analysis, Benchmarks, Compare
from gpuagent.client.calls import Async, Group, M, Sync, Transport, call
from gpuagent.client.catalogue import Dumps, Hardware, Models
from gpuagent.client.jobs import Jobs
from gpuagent.client.people import Comments, Disputes, Notifications, Users
from gpuagent.client.runs import Runs
from gpuagent.client.steps import Send, Steps, ask, get, parsed
from gpuagent.client.submissions import Batches, Submissions
from gpuagent.client.transport import ANSWER_S, AsyncTransport, SyncTransport, Target


class _Site(Group[M]):
    """What both clients have."""

    def __init__(self, transport: Transport) -> None:
        super().__init__(transport)
        self.analysis: Analysis[M] = Analysis(transport)
        self.batches: Batches[M] = Batches(transport)
        self.benchmarks: Benchmarks[M] = Benchmarks(transport)
        self.comments: Comments[M] = Comments(transport)
        self.compare: Compare[M] = Compare(transport)
        self.disputes: Disputes[M] = Disputes(transport)
        self.dumps: Dumps[M] = Dumps(transport)
        self.hardware: Hardware[M] = Hardware(transport)
        self.jobs: Jobs[M] = Jobs(transport)
        self.models: Models[M] = Models(transport)
        self.notifications: Notifications[M] = Notifications(transport)
        self.runs: Runs[M] = Runs(transport)
        self.submissions: Submissions[M] = Submissions(transport)
        self.users: Users[M] = Users(transport)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._transport.target.url}>"

    @call("root")
    def root(self) -> Steps[dict[str, Any]]:
        """Where the site's API says its parts are."""
        request = get("/api")
        return parsed(request, (yield from ask(Send(request))))  # type: ignore[no-any-return]  # JSON has no type


class Client(_Site[Sync]):
    """A site, for one program; its threads may share it. LEM_URL and LEM_TOKEN unless given. Raises NotConfigured."""

    def __init__(
        self,
        url: str | None = None,
        token: str | None = None,
        *,
        timeout_s: float = ANSWER_S,
        allow_http: bool = False,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        target = Target.of(url, token, timeout_s=timeout_s, allow_http=allow_http)
        self._sync = SyncTransport(target, transport)
        super().__init__(self._sync)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Ends the connections."""
        self._sync.close()


class AsyncClient(_Site[Async]):
    """A site, for one event loop: what `Client` has, to be awaited, and lists for `async for`."""

    def __init__(
        self,
        url: str | None = None,
        token: str | None = None,
        *,
        timeout_s: float = ANSWER_S,
        allow_http: bool = False,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        target = Target.of(url, token, timeout_s=timeout_s, allow_http=allow_http)
        self._async = AsyncTransport(target, transport)
        super().__init__(self._async)

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Ends the connections."""
        await self._async.close()
