"""A background task carries the id of the request that caused it: its log records are found beside that request's."""

from __future__ import annotations

from typing import Any

from django_q.signals import post_execute_in_worker, pre_enqueue, pre_execute

from lemsite.lib import request_ids

KEY = "request_id"


def connect() -> None:
    pre_enqueue.connect(_note, dispatch_uid="lemsite.observing.task_ids")
    pre_execute.connect(_take_up, dispatch_uid="lemsite.observing.task_ids")
    post_execute_in_worker.connect(_put_down, dispatch_uid="lemsite.observing.task_ids")


def _note(task: dict[str, Any], **kwargs: Any) -> None:
    if request_id := request_ids.current():
        task[KEY] = request_id


def _take_up(task: dict[str, Any], **kwargs: Any) -> None:
    """A task of nobody's request, such as a schedule's, has its own id."""
    request_ids.begin(task.get(KEY) or str(task["id"])[:16])


def _put_down(**kwargs: Any) -> None:
    request_ids.begin("")
