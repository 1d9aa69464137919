"""Turns a generator of steps into a method: one that waits for its answer, or one to be awaited.

    class Jobs(Group[M]):
        @call("jobs_read")
        def get(self, id: int) -> Steps[Job]: …

is `client.jobs.get(3)` of a Client and `await client.jobs.get(3)` of an AsyncClient, with the types to match.
"""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import Any, Concatenate, Generic, Literal, ParamSpec, TypeVar, cast, overload

from gpuagent.client.steps import Steps
from gpuagent.client.transport import AsyncTransport, SyncTransport

P = ParamSpec("P")
T = TypeVar("T")
Sync = Literal["sync"]
Async = Literal["async"]
M = TypeVar("M", Sync, Async)
Transport = SyncTransport | AsyncTransport


class Group(Generic[M]):
    """Methods that belong together; `M` says how they are called."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport


class Call(Generic[P, T]):
    """A method with one answer. `operations` are the ids of what it asks in docs/openapi.yaml."""

    def __init__(self, steps: Callable[Concatenate[Any, P], Steps[T]], operations: tuple[str, ...]) -> None:
        self.steps, self.operations = steps, operations
        functools.update_wrapper(cast(Any, self), steps)

    @overload
    def __get__(self, group: None, owner: type) -> Call[P, T]: ...
    @overload
    def __get__(self, group: Group[Sync], owner: type) -> Callable[P, T]: ...
    @overload
    def __get__(self, group: Group[Async], owner: type) -> Callable[P, Coroutine[Any, Any, T]]: ...
    def __get__(self, group: Group[Any] | None, owner: type) -> Any:
        if group is None:
            return self
        return _bound(self.steps, group, group._transport.run)


class Listing(Generic[P, T]):
    """A method that gives one item after the other; the site is asked for what is taken."""

    def __init__(
        self, steps: Callable[Concatenate[Any, P], Steps[None]], operations: tuple[str, ...], item: type[T]
    ) -> None:
        self.steps, self.operations, self.item = steps, operations, item
        functools.update_wrapper(cast(Any, self), steps)

    @overload
    def __get__(self, group: None, owner: type) -> Listing[P, T]: ...
    @overload
    def __get__(self, group: Group[Sync], owner: type) -> Callable[P, Iterator[T]]: ...
    @overload
    def __get__(self, group: Group[Async], owner: type) -> Callable[P, AsyncIterator[T]]: ...
    def __get__(self, group: Group[Any] | None, owner: type) -> Any:
        if group is None:
            return self
        return _bound(self.steps, group, group._transport.iterate)


def call(*operations: str) -> Callable[[Callable[Concatenate[Any, P], Steps[T]]], Call[P, T]]:
    return lambda steps: Call(steps, operations)


def listing(item: type[T], *operations: str) -> Callable[[Callable[Concatenate[Any, P], Steps[None]]], Listing[P, T]]:
    return lambda steps: Listing(steps, operations, item)


def _bound(steps: Callable[..., Any], group: Group[Any], take: Callable[[Any], Any]) -> Callable[..., Any]:
    @functools.wraps(steps)
    def method(*values: Any, **named: Any) -> Any:
        return take(steps(group, *values, **named))

    # What help() and editors show is the method without `self`.
    method.__wrapped__ = steps.__get__(group)
    return method
