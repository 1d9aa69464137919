"""The whole site in one command: web server, background worker and, for development, a simulated live race."""

import gc
import logging
import multiprocessing
import os
import secrets
import signal
import socket
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from typing import Any

import uvicorn
from channels.routing import ProtocolTypeRouter
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, connection

from lemsite.children import ChildCommand
from lemsite.observing.shared_counters import count_together, shared_counters
from lemsite.web_server import FINISH_WITHIN_S, WebProcesses, WebServer

logger = logging.getLogger(__name__)

# From this version on, SQLite no longer loses commits when one process writes while another resets the log.
SAFE_SQLITE_VERSION = (3, 51, 3)
WEBSOCKET_MESSAGE_BYTES = 64 * 1024
BACKLOG = 2048
# Longer than proxies keep a connection (nginx 60 s): else one is closed just as it brings the next request.
KEEP_ALIVE_S = 75
# How long a running task may take to finish once the site is told to stop. What is cut off runs again later.
WORKER_STOPS_WITHIN_S = 30
SIMULATION_STOPS_WITHIN_S = 5


class Command(BaseCommand):
    help = "Serve the site and run its background tasks until told to stop."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default=settings.HOST)
        parser.add_argument("--port", type=int, default=settings.PORT)
        parser.add_argument("--without-worker", action="store_true", help="run background tasks elsewhere (qworker)")

    def handle(self, *args: Any, host: str, port: int, without_worker: bool, **options: Any) -> None:
        _require_static_files()
        _require_migrations()
        _warn_about_sqlite()
        config = uvicorn.Config(
            "lemsite.management.commands.serve:web_application",
            factory=True,
            workers=settings.WEB_PROCESSES,
            ws="websockets-sansio",
            # Browsers ask for it, and then each viewer costs a compression of the same bytes.
            ws_per_message_deflate=False,
            ws_max_size=WEBSOCKET_MESSAGE_BYTES,
            lifespan="off",
            timeout_graceful_shutdown=FINISH_WITHIN_S,
            timeout_keep_alive=KEEP_ALIVE_S,
            proxy_headers=bool(settings.TRUSTED_PROXY),
            forwarded_allow_ips=settings.TRUSTED_PROXY,
            server_header=False,
            # lemsite.observing writes one, which holds neither paths nor queries.
            access_log=False,
            log_config=None,
        )
        listener = _listen(host, port)
        children = list(_start_children(host, port, without_worker=without_worker))
        try:
            with listener, shared_counters() if settings.WEB_PROCESSES > 1 else nullcontext():
                _serve(config, listener, children)
        finally:
            for child in children:
                child.stop()


def _start_children(host: str, port: int, *, without_worker: bool) -> Iterator[ChildCommand]:
    if settings.LEMSITE_SIMULATE:
        if not settings.INGEST_TOKEN:
            # Only this process and its children know it; further web processes read it from the environment.
            settings.INGEST_TOKEN = os.environ["INGEST_TOKEN"] = secrets.token_urlsafe(32)
        address = f"[{host}]" if ":" in host else host
        # What listens everywhere is reached on the loopback.
        address = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}.get(address, address)  # noqa: S104
        url = f"http://{address}:{port}"
        arguments = ("simulate", "--forever", "--url", url)
        yield ChildCommand("simulated race", *arguments, stop_within_s=SIMULATION_STOPS_WITHIN_S)
    if not without_worker:
        yield ChildCommand("background worker", "qworker", stop_within_s=WORKER_STOPS_WITHIN_S)


def web_application() -> ProtocolTypeRouter:
    """What each web process runs. One of several ends with its parent, which may have been killed."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_after, args=(parent,), name="parent-watch", daemon=True).start()
    count_together()
    from lemsite.asgi import application

    # What is loaded now stays for good: a full collection that walks it all holds up one request in some hundred.
    gc.collect()
    gc.freeze()
    return application


def _end_after(parent: Any) -> None:
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)


def _serve(config: uvicorn.Config, listener: socket.socket, children: Sequence[ChildCommand]) -> None:
    server = WebServer(config)

    def stop(*_: object) -> None:
        server.should_exit = True

    # For a signal that comes before uvicorn listens for any, or after.
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    for child in children:
        child.watch()
    if settings.WEB_PROCESSES == 1:
        server.run(sockets=[listener])
    elif not server.should_exit:
        WebProcesses(config, sockets=[listener]).run()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise CommandError(
            f"{host}:{port} cannot be used ({error.strerror}); set HOST and PORT to a free one."
        ) from error
    logger.info("Serving %s on port %s of %s", settings.SITE_URL, port, host)
    return listener


def _require_static_files() -> None:
    manifest = settings.STATIC_ROOT / "staticfiles.json"
    hashed = "Manifest" in settings.STORAGES["staticfiles"]["BACKEND"]
    if hashed and not manifest.is_file():
        raise CommandError("The static files are not collected; run: manage.py collectstatic --no-input")


def _require_migrations() -> None:
    """A database that does not answer is no reason not to start: it may come back."""
    # Not above: further web processes import this module before Django has loaded the apps.
    from lemsite.observing.probes import MigrationsMissing, require_migrations

    try:
        require_migrations()
    except MigrationsMissing as missing:
        raise CommandError(f"The database lacks migrations: {missing}. Run: manage.py migrate") from None
    except DatabaseError as error:
        logger.error("The database does not answer (%s); serving, and not ready until it does", error)
    finally:
        connection.close()


def _warn_about_sqlite() -> None:
    if settings.ON_SQLITE and settings.WEB_PROCESSES > 1 and sqlite3.sqlite_version_info < SAFE_SQLITE_VERSION:
        logger.warning(
            "SQLite %s can lose commits when several processes write; use WEB_PROCESSES=1 or a PostgreSQL DATABASE_URL",
            sqlite3.sqlite_version,
        )
