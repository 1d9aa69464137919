"""Waiting for what other threads and processes do."""

import time

import pytest

PATIENCE_S = 20


def wait_for(condition) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"did not happen within {PATIENCE_S} s")
        time.sleep(0.01)
