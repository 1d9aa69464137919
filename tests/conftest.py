"""What every test may rely on: settings for tests, no network, and the fixtures that several apps share."""

import atexit
import gc
import math
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

# Settings are read from the environment once, so all of this comes before Django is touched.
# Each process (each xdist worker, too) has a home of its own: database file, uploads, secret key, static files.
TEST_HOME = Path(tempfile.mkdtemp(prefix="lemsite-test-"))
atexit.register(shutil.rmtree, TEST_HOME, ignore_errors=True)
os.environ |= {
    "DJANGO_SETTINGS_MODULE": "lemsite.settings",
    "LEMSITE_ENV": "development",
    "LEMSITE_ENV_FILE": os.devnull,
    "LEMSITE_HOME": str(TEST_HOME),
    "ALLOWED_HOSTS": "testserver,localhost,127.0.0.1",
    "SITE_URL": "http://testserver",
    "SECRET_KEY": "a-key-for-tests-that-signs-nothing-of-worth",
    "DEBUG": "0",
    "LOG_LEVEL": "WARNING",
}
for name in ("GITHUB_CLIENT_ID", "GITHUB_CLIENT_SECRET", "GITHUB_URL", "WEBHOOK_PRIVATE_HOSTS"):
    os.environ.pop(name, None)
for name in ("STORAGE_URL", "EMAIL_URL", "CSRF_TRUSTED_ORIGINS", "HF_TOKEN", "HF_DATASET", "HF_ENDPOINT"):
    os.environ.pop(name, None)

import hypothesis  # noqa: E402
from django.conf import settings  # noqa: E402

from lemsite.lib import service_urls  # noqa: E402

if settings.LEMSITE_HOME != TEST_HOME:
    # A worker of xdist has the environment of its parent, and reads the settings before this file.
    settings.LEMSITE_HOME = TEST_HOME
    settings.STORAGES["default"] = service_urls.storage("STORAGE_URL", folder=TEST_HOME / "files")

# Slow on purpose in production; a suite signs in hundreds of times.
settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# Plain names, so that no test needs collectstatic.
settings.STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"
settings.STATIC_ROOT = TEST_HOME / "static"
settings.STATIC_ROOT.mkdir()

if settings.REDIS_URL:
    # One Redis for all processes of the suite, which must not see each other's entries.
    settings.CACHES["default"]["KEY_PREFIX"] = settings.CHANNEL_LAYERS["default"]["CONFIG"]["prefix"] = TEST_HOME.name
    # Clearing the cache empties a whole database of Redis, so each process has one of its own for it.
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    settings.CACHES["default"]["LOCATION"] = urlsplit(settings.REDIS_URL)._replace(path=f"/{1 + worker % 15}").geturl()

# How long an example takes says more about the machine than about the code.
hypothesis.settings.register_profile("untimed", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("untimed")

REPOSITORY = Path(__file__).resolve().parent.parent
FRESH_DATABASE = "fresh.sqlite3"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--services-only", action="store_true", help="only what reaches a database, cache or channel layer"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--services-only"):
        from tests.services import reaches_a_service

        config.hook.pytest_deselected(items=[item for item in items if not reaches_a_service(item)])
        items[:] = [item for item in items if reaches_a_service(item)]
    # One that begins last would go on alone, with the other processes done.
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


def pytest_collection_finish() -> None:
    """The thousands of tests stay until the end: looking through them for garbage again and again takes a tenth."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real result files that are too large to keep in this repository."""
    folder = REPOSITORY.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the shared data folder is not here")
    return folder


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings: None, pytestconfig: pytest.Config) -> Any:
    """Migrations run once for all processes, and once more only when one of them changes."""
    from tests import migrated

    with pytest.MonkeyPatch.context() as patch:
        # Without pytest's cache (-p no:cacheprovider) there is nowhere to keep them.
        if settings.ON_SQLITE and (cache := getattr(pytestconfig, "cache", None)):
            migrated.start_from_kept(patch, cache.mkdir("migrated"))
        yield


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Any:
    """The test database can be dropped at the end, even while a thread of a test server holds a connection to it."""
    from django.db import connection

    from tests import migrated

    with pytest.MonkeyPatch.context() as patch:
        with django_db_blocker.unblock():
            migrated.put_back_after_flush(patch)
            if settings.ON_SQLITE:
                migrated.write_to(TEST_HOME / FRESH_DATABASE)
        yield
    if connection.vendor == "postgresql":
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )


@pytest.fixture
def fresh_database(db: None) -> Path | None:
    """What `migrate` makes of nothing, for sites that are processes of their own; not there on PostgreSQL."""
    path = TEST_HOME / FRESH_DATABASE
    return path if path.exists() else None


@pytest.fixture(autouse=True)
def _as_a_new_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """What one test counted or limited is not there for the next, whose data version and event loop are others."""
    from channels.layers import channel_layers
    from django.core.cache import cache

    from leaderboard.queries import facets
    from lemsite.lib import rendered_pages

    cache.clear()
    rendered_pages.pages.clear()
    # Many tests change rows behind the back of the data version.
    monkeypatch.setattr(rendered_pages, "KEEP_S", 0.0)
    channel_layers.backends.clear()
    # Counts that took long are stored, so that the queries of a page would depend on how busy the machine is.
    monkeypatch.setattr(facets, "WORTH_STORING_S", math.inf)


@pytest.fixture
def owner(db: None) -> Any:
    """Gives results and owns them."""
    from tests.factories import UserFactory

    return UserFactory(username="owner")


@pytest.fixture
def stranger(db: None) -> Any:
    """Signed in, with nothing to do with what is looked at."""
    from tests.factories import UserFactory

    return UserFactory(username="stranger")


@pytest.fixture
def moderator(db: None) -> Any:
    """Decides on submissions of others, in the admin and out of it."""
    from django.contrib.auth.models import Permission

    from tests.factories import UserFactory

    user = UserFactory(username="moderator", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="moderate"))
    return user


@pytest.fixture(scope="session")
def catalogue_rows() -> dict[Any, list[Any]]:
    """The rows of the real catalogue, once they have been loaded: copying them takes a tenth of the time."""
    return {}


@pytest.fixture
def catalogue(db: None, catalogue_rows: dict[Any, list[Any]]) -> None:
    """The real catalogue: models, hardware and backends with their aliases."""
    from django.core.management.color import no_style
    from django.db import connection

    from leaderboard import models
    from leaderboard.services.catalogue import load_catalogue

    tables: list[Any] = [models.LanguageModel, models.Hardware, models.Backend]
    tables += [models.ModelAlias, models.HardwareAlias, models.BackendAlias]
    if not catalogue_rows:
        load_catalogue()
        catalogue_rows |= {table: list(table.objects.all()) for table in tables}
        return
    for table in tables:
        table.objects.bulk_create(catalogue_rows[table])
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), tables):
            cursor.execute(statement)


@pytest.fixture
def small_catalogue(db: None) -> None:
    """One model, one GPU and one backend: what `factories.NORMAL` names."""
    from tests import factories

    factories.small_catalogue()


@pytest.fixture
def stored_files() -> Any:
    """The names of the raw files in the storage; uploads are cleared out of it before and after."""
    folders = [settings.LEMSITE_HOME / "files" / kind for kind in ("raw", "batches")]
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
    yield lambda: sorted(path.name for path in folders[0].rglob("*") if path.is_file())
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
