"""`lem watch`: a live run in the terminal, redrawn in place; plain lines where the output is no terminal."""

from __future__ import annotations

import argparse
import queue
import shutil
import sys
import threading
from urllib.parse import unquote, urlsplit

from gpuagent.client.command import BadUse
from gpuagent.client.command.credentials import client
from gpuagent.client.command.lanes import Board, event_line
from gpuagent.client.command.terminal import say
from gpuagent.client.live_shapes import LiveEvent
from gpuagent.client.sites import Client

DRAW_S = 0.2
Heard = LiveEvent | BaseException | None


def watch(options: argparse.Namespace) -> int:
    key = key_of(options.run)
    if "://" in options.run and not options.url:
        parts = urlsplit(options.run)
        options.url = f"{parts.scheme}://{parts.netloc}"
    with client(options) as site:
        board = Board(site.runs.get(key).run)
        if options.json:
            for event in site.runs.watch(key, after=options.after):
                say(event.model_dump_json())
                sys.stdout.flush()
            return 0
        if sys.stdout.isatty():
            _redraw(site, board, options.after)
        else:
            _print(site, board, options.after)
        told = site.runs.get(key)
        board.run = told.run
        for line in [board.head(), *board.end(told.scores)]:
            say(line)
    return 0


def key_of(text: str) -> str:
    """An id as it is, or out of the address of the run's page."""
    if "://" not in text:
        return text
    parts = [unquote(part) for part in urlsplit(text).path.split("/") if part]
    if "runs" not in parts[:-1]:
        raise BadUse(f"{text} is not the page of a run, such as https://bench.example.org/runs/nightly/.")
    return parts[parts.index("runs") + 1]


def _print(site: Client, board: Board, after: int) -> None:
    for event in site.runs.watch(board.run.id, after=after):
        say(event_line(event))
        sys.stdout.flush()


def _redraw(site: Client, board: Board, after: int) -> None:
    """Events come in a thread of their own, so that the picture is never older than a moment."""
    heard: queue.SimpleQueue[Heard] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(site, board.run.id, after, heard), daemon=True).start()
    screen = Screen()
    while True:
        is_over = _take(heard, board)
        screen.draw(board.lines(shutil.get_terminal_size().columns))
        if is_over:
            return


def _listen(site: Client, key: str, after: int, heard: queue.SimpleQueue[Heard]) -> None:
    try:
        for event in site.runs.watch(key, after=after):
            heard.put(event)
    except BaseException as error:  # noqa: BLE001 - it is raised where the picture is drawn
        heard.put(error)
    heard.put(None)


def _take(heard: queue.SimpleQueue[Heard], board: Board) -> bool:
    """All that has come within a moment; whether it was the end. Raises what the listener met."""
    wait_s = DRAW_S
    while True:
        try:
            item = heard.get(timeout=wait_s)
        except queue.Empty:
            return False
        if item is None:
            return True
        if isinstance(item, BaseException):
            raise item
        board.add(item)
        wait_s = 0.0


class Screen:
    """The lines that were drawn last, to be drawn over."""

    def __init__(self) -> None:
        self._drawn: list[str] = []

    def draw(self, lines: list[str]) -> None:
        rows = shutil.get_terminal_size().lines
        shown = lines[: max(1, rows - 1)]
        if shown == self._drawn:
            return
        up = f"\x1b[{len(self._drawn)}A" if self._drawn else ""
        sys.stdout.write(up + "".join(f"\r\x1b[K{line}\n" for line in shown) + "\x1b[J")
        sys.stdout.flush()
        self._drawn = shown
