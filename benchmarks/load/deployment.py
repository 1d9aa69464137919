"""A whole deployment on the loopback: web processes, a background worker, a database, Redis, and a proxy in front.

    with deployed(web=2) as deployment:
        urllib.request.urlopen(deployment.url + "/")

Each part is a process of its own that can be killed and started again; all of it is gone afterwards. The database is
made on the server of DATABASE_URL, Redis is the one of REDIS_URL, where these name any, else this machine's.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import redis as redis_client

from benchmarks.fresh import begins_as_copy
from benchmarks.load.site import ROOT, Site, cpu_s_of, free_port, postgresql_database, process_tree

DEFAULT_REDIS = "redis://127.0.0.1:6379/"
REDIS_DATABASES = range(15, 0, -1)
PROXY_STARTS_WITHIN_S = 60.0
WORKER_STOPS_WITHIN_S = 40.0

CADDYFILE = """
{{
    admin off
    auto_https off
    log default {{
        level ERROR
    }}
}}
http://127.0.0.1:{port} {{
    bind 127.0.0.1
    reverse_proxy {upstreams} {{
        lb_policy least_conn
        lb_try_duration 10s
        lb_try_interval 100ms
        fail_duration 2s
        flush_interval -1
        trusted_proxies 127.0.0.1/8
    }}
}}
"""
NGINX = """
daemon off;
pid {folder}/nginx.pid;
error_log stderr error;
worker_rlimit_nofile 65536;
events {{ worker_connections 16384; }}
http {{
    access_log off;
    client_body_temp_path {folder}/bodies;
    proxy_temp_path {folder}/answers;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    client_max_body_size 80m;
    map $http_upgrade $connection_upgrade {{ default upgrade; "" ""; }}
    upstream site {{ least_conn; {servers} keepalive 64; }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://site;
            proxy_http_version 1.1;
            proxy_buffering off;
            proxy_read_timeout 1h;
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header X-Forwarded-Proto $scheme;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection $connection_upgrade;
        }}
    }}
}}
"""


@dataclass
class Worker:
    """`manage.py qworker`, with all that it forks."""

    environment: dict[str, str]
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "manage.py", "qworker"]
        self.process = subprocess.Popen(command, cwd=ROOT, env=self.environment, start_new_session=True)

    def stop(self) -> None:
        if self.process is None:
            return
        self.process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(WORKER_STOPS_WITHIN_S)
        self.kill()

    def kill(self) -> None:
        """SIGKILL to the command and to its cluster, in the middle of whatever they do."""
        if self.process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def pids(self) -> list[int]:
        return process_tree(self.process.pid) if self.process else []


@dataclass
class Deployment:
    """What runs, and where. `url` is what the public uses: the proxy, or the first web process without one."""

    home: Path
    database_url: str
    redis_url: str
    token: str
    webs: list[Site]
    worker: Worker | None
    proxy_port: int | None
    proxy: subprocess.Popen[bytes] | None = None

    @property
    def port(self) -> int:
        return self.proxy_port or self.webs[0].port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """Of a management command that is to work on the same data."""
        return self.webs[0].environment

    def manage(self, *arguments: str) -> None:
        self.webs[0].manage(*arguments)

    def cpu_s(self) -> dict[str, float]:
        """Processor seconds so far: of the web processes, the worker, the proxy, and the database's own connections."""
        parts = {"web": [pid for web in self.webs for pid in web.pids()]}
        parts["worker"] = self.worker.pids() if self.worker else []
        parts["proxy"] = process_tree(self.proxy.pid) if self.proxy else []
        parts["database"] = _backends(urlsplit(self.database_url).path.removeprefix("/"))
        return {name: cpu_s_of(pids) for name, pids in parts.items()}


@contextmanager
def deployed(
    *,
    web: int,
    engine: str = "postgresql",
    redis: bool = True,
    proxy: bool = True,
    worker: bool = True,
    storage_url: str = "",
    **options: str,
) -> Iterator[Deployment]:
    """`options` are settings of all processes; DATABASE_URL or REDIS_URL among them stand for ones made here."""
    # By default SIGTERM, unlike Ctrl-C, would leave everything behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    home = Path(tempfile.mkdtemp(prefix="lemsite-deployment-"))
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, home, ignore_errors=True)
        database_url = options.pop("DATABASE_URL", "") or (
            "sqlite:///live.sqlite3" if engine == "sqlite" else stack.enter_context(postgresql_database())
        )
        redis_url = options.pop("REDIS_URL", "") or (stack.enter_context(redis_database()) if redis else "")
        proxy_port = free_port() if proxy else None
        shared = {"REDIS_URL": redis_url, "TRUSTED_PROXY": "127.0.0.1", "STORAGE_URL": storage_url} | options
        if proxy_port:
            shared.setdefault("SITE_URL", f"http://127.0.0.1:{proxy_port}")
        token = secrets.token_urlsafe(16)
        webs = [Site(home, database_url, shared, token) for _ in range(web)]
        background = Worker(webs[0].environment) if worker else None
        deployment = Deployment(home, database_url, redis_url, token, webs, background, proxy_port)
        if engine != "sqlite" or not begins_as_copy(home / "live.sqlite3"):
            deployment.manage("migrate", "--no-input", "--verbosity", "0")
        _start(deployment, stack)
        yield deployment


def _start(deployment: Deployment, stack: ExitStack) -> None:
    for site in deployment.webs:
        stack.callback(site.stop)
        site.start()
    if deployment.worker:
        stack.callback(deployment.worker.stop)
        deployment.worker.start()
    for site in deployment.webs:
        site.wait_until_up()
    if deployment.proxy_port:
        deployment.proxy = stack.enter_context(
            proxied(deployment.proxy_port, [site.port for site in deployment.webs], deployment.home)
        )


@contextmanager
def proxied(port: int, upstreams: list[int], folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A reverse proxy on `port` before these ports: caddy where it is installed, else nginx."""
    command = _proxy_command(port, upstreams, folder)
    environment = os.environ | {"HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    log = folder / "proxy.log"
    with log.open("ab") as told:
        process = subprocess.Popen(command, env=environment, stderr=told, process_group=0)
    try:
        if not _listens(port, process):
            raise RuntimeError(f"The proxy did not start on port {port}: {log.read_text()[-500:]}")
        yield process
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            # It waits for sockets that viewers hold open; nginx is several processes.
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _proxy_command(port: int, upstreams: list[int], folder: Path) -> list[str]:
    if caddy := shutil.which("caddy"):
        addresses = " ".join(f"127.0.0.1:{each}" for each in upstreams)
        (folder / "Caddyfile").write_text(CADDYFILE.format(port=port, upstreams=addresses))
        return [caddy, "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]
    if nginx := shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin"):
        servers = " ".join(f"server 127.0.0.1:{each} max_fails=1 fail_timeout=2s;" for each in upstreams)
        (folder / "nginx.conf").write_text(NGINX.format(port=port, servers=servers, folder=folder))
        return [nginx, "-p", str(folder), "-c", str(folder / "nginx.conf")]
    raise RuntimeError("A deployment with a proxy needs caddy or nginx; neither is installed.")


def _listens(port: int, process: subprocess.Popen[bytes]) -> bool:
    deadline = time.monotonic() + PROXY_STARTS_WITHIN_S
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
        time.sleep(0.05)
    return False


@contextmanager
def redis_database() -> Iterator[str]:
    """REDIS_URL where it names one, else an empty one of this machine's; emptied again if it was empty."""
    given = os.environ.get("REDIS_URL") or ""
    urls = [given] if given else [f"{DEFAULT_REDIS}{number}" for number in REDIS_DATABASES]
    for url in urls:
        with redis_client.Redis.from_url(url) as server:
            was_empty = server.dbsize() == 0
            if not (was_empty or given) or not (given or server.set("lemsite:deployment", os.getpid(), nx=True)):
                continue
            try:
                yield url
            finally:
                if was_empty:
                    with suppress(redis_client.RedisError):
                        server.flushdb()
            return
    raise RuntimeError("All of Redis's databases are in use; name one in REDIS_URL.")


def _backends(database: str) -> list[int]:
    """PostgreSQL's processes for this database, where its server runs on this machine."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            title = (folder / "cmdline").read_bytes().decode(errors="replace")
            if database and title.startswith("postgres:") and f" {database} " in title:
                found.append(int(folder.name))
    return found
