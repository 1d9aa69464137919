"""The faults: what each needs before the site starts, how it strikes, what it does meanwhile, and how it is mended."""

from __future__ import annotations

import os
import random
import signal
import tempfile
from contextlib import ExitStack, suppress
from urllib.parse import urlsplit

from benchmarks.faults_at_work import services
from benchmarks.load.cut import CuttableProxy
from benchmarks.load.deployment import Deployment
from benchmarks.load.site import Site, postgresql_database

KILL_EVERY_S = 4.0
DISK_MB = 60


class Fault:
    """One fault. `options` are the site's settings; `prepare` may open what ends with the stack."""

    name = ""
    web = 1
    engine = "postgresql"
    proxy = False
    redis = False

    def prepare(self, stack: ExitStack) -> dict[str, str]:
        """Raises NotHere where this machine cannot show the fault."""
        return {}

    def strike(self, site: Deployment) -> None:
        """It begins."""

    def go_on(self, site: Deployment, for_s: float) -> None:
        """Called each half second, with how long it has gone on."""

    def mend(self, site: Deployment) -> None:
        """It ends."""


class DatabaseAway(Fault):
    """PostgreSQL's connections are dropped, and new ones refused."""

    name = "database away"

    def prepare(self, stack: ExitStack) -> dict[str, str]:
        self.real = stack.enter_context(postgresql_database())
        server = urlsplit(self.real)
        self.proxy_before = stack.enter_context(CuttableProxy(server.port or 5432, host=server.hostname or "127.0.0.1"))
        user = f"{server.username or 'postgres'}{f':{server.password}' if server.password else ''}"
        return {"DATABASE_URL": server._replace(netloc=f"{user}@127.0.0.1:{self.proxy_before.port}").geturl()}

    def strike(self, site: Deployment) -> None:
        self.proxy_before.cut()

    def mend(self, site: Deployment) -> None:
        self.proxy_before.mend()


class DatabaseSilent(DatabaseAway):
    """PostgreSQL takes connections and answers nothing: a frozen machine, a network that swallows packets."""

    name = "database silent"

    def strike(self, site: Deployment) -> None:
        self.proxy_before.hang()


class RedisAway(Fault):
    """Cache and channel layer of two web processes are gone."""

    name = "redis away"
    web = 2
    proxy = True
    redis = True

    def prepare(self, stack: ExitStack) -> dict[str, str]:
        self.proxy_before = stack.enter_context(CuttableProxy(stack.enter_context(services.redis_server())))
        return {"REDIS_URL": f"redis://127.0.0.1:{self.proxy_before.port}/0"}

    def strike(self, site: Deployment) -> None:
        self.proxy_before.cut()

    def mend(self, site: Deployment) -> None:
        self.proxy_before.mend()


class RedisSilent(RedisAway):
    """Redis takes connections and answers nothing."""

    name = "redis silent"

    def strike(self, site: Deployment) -> None:
        self.proxy_before.hang()


class StorageAway(Fault):
    """The S3 server's connections are dropped, and new ones refused."""

    name = "storage away"

    def prepare(self, stack: ExitStack) -> dict[str, str]:
        self.proxy_before = stack.enter_context(CuttableProxy(stack.enter_context(services.s3_server())))
        return {"STORAGE_URL": services.storage_url(self.proxy_before.port)}

    def strike(self, site: Deployment) -> None:
        self.proxy_before.cut()

    def mend(self, site: Deployment) -> None:
        self.proxy_before.mend()


class FolderReadOnly(Fault):
    """The file system of the storage folder can only be read."""

    name = "storage read-only"

    def prepare(self, stack: ExitStack) -> dict[str, str]:
        self.folder = stack.enter_context(services.small_disk(DISK_MB))
        return {"STORAGE_URL": self.folder.as_uri()}

    def strike(self, site: Deployment) -> None:
        services.remount(self.folder, "ro")

    def mend(self, site: Deployment) -> None:
        services.remount(self.folder, "rw")


class DiskFull(Fault):
    """No byte is left on the disk that has database (SQLite) and files."""

    name = "disk full"
    engine = "sqlite"

    def prepare(self, stack: ExitStack) -> dict[str, str]:
        self.disk = stack.enter_context(services.small_disk(DISK_MB))
        stack.callback(setattr, tempfile, "tempdir", tempfile.tempdir)
        # The deployment makes its home there.
        tempfile.tempdir = str(self.disk)
        return {}

    def strike(self, site: Deployment) -> None:
        self._fill()

    def go_on(self, site: Deployment, for_s: float) -> None:
        self._fill()

    def mend(self, site: Deployment) -> None:
        for path in self.disk.glob("filler-*"):
            path.unlink()

    def _fill(self) -> None:
        for size in (1 << 20, 1 << 16, 1 << 12):
            with suppress(OSError), (self.disk / f"filler-{size}").open("ab", buffering=0) as filler:
                while filler.write(bytes(size)) == size:
                    pass


class WebKilled(Fault):
    """One of two web processes is killed every few seconds, and started again."""

    name = "web killed"
    web = 2
    proxy = True
    redis = True
    kills = 0
    next_at_s = 0.0

    def go_on(self, site: Deployment, for_s: float) -> None:
        victim, other = site.webs if self.kills % 2 else site.webs[::-1]
        # Both at once is another fault: on a busy machine a start may take longer than the pause.
        if for_s < self.next_at_s or not _answers(other):
            return
        self.kills += 1
        self.next_at_s = for_s + KILL_EVERY_S
        victim.kill()
        victim.start()


class ClusterKilled(Fault):
    """A process of the background worker is killed every few seconds: worker, monitor, pusher, sentinel, or all."""

    name = "worker killed"
    kills = 0

    def __init__(self) -> None:
        self._dice = random.Random(7)

    def go_on(self, site: Deployment, for_s: float) -> None:
        worker = site.worker
        if worker is None or worker.process is None:
            return
        if worker.process.poll() is not None:
            # What systemd, a container or `serve` does.
            worker.kill()
            worker.start()
        if for_s < (self.kills + 1) * KILL_EVERY_S:
            return
        self.kills += 1
        if self._dice.random() < 0.2:
            worker.kill()
            worker.start()
            return
        with suppress(ProcessLookupError, IndexError):
            os.kill(self._dice.choice(worker.pids()[1:]), signal.SIGKILL)

    def mend(self, site: Deployment) -> None:
        self.go_on(site, 0)


def _answers(web: Site) -> bool:
    with suppress(OSError):
        web.get("/api/runs")
        return True
    return False


KINDS: tuple[type[Fault], ...] = (
    DatabaseAway,
    DatabaseSilent,
    RedisAway,
    RedisSilent,
    StorageAway,
    FolderReadOnly,
    DiskFull,
    WebKilled,
    ClusterKilled,
)
