import pytest

from lemsite.lib import service_urls
from lemsite.lib.env import BadSetting


@pytest.fixture
def variable(monkeypatch):
    monkeypatch.delenv("X", raising=False)
    return lambda value: monkeypatch.setenv("X", value)


def database(folder):
    return service_urls.database("X", default="sqlite:///lemsite.sqlite3", folder=folder)


def test_sqlite_is_relative_to_the_home(tmp_path, variable):
    assert database(tmp_path)["NAME"] == str(tmp_path / "lemsite.sqlite3")


def test_sqlite_may_name_an_absolute_file(tmp_path, variable):
    variable("sqlite:////srv/data/my%20site.sqlite3")

    assert database(tmp_path)["NAME"] == "/srv/data/my site.sqlite3"


def test_sqlite_keeps_its_connections_and_locks_at_once(tmp_path, variable):
    settings = database(tmp_path)

    assert settings["CONN_MAX_AGE"] is None
    assert settings["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    assert settings["OPTIONS"]["timeout"] == 20
    assert "mmap" not in settings["OPTIONS"]["init_command"]


def test_postgresql_is_pooled(tmp_path, variable):
    variable("postgresql://me:p%40ss@db:5433/bench?sslmode=require")

    settings = database(tmp_path)

    assert (settings["HOST"], settings["PORT"], settings["NAME"]) == ("db", "5433", "bench")
    assert (settings["USER"], settings["PASSWORD"]) == ("me", "p@ss")
    assert settings["OPTIONS"]["sslmode"] == "require"
    assert settings["OPTIONS"]["pool"]
    assert settings["CONN_MAX_AGE"] == 0


@pytest.mark.parametrize("url", ["sqlite://", "sqlite://host/file", "postgresql://host", "mysql://host/name", "x"])
def test_database_that_is_incomplete_is_refused(tmp_path, variable, url):
    variable(url)

    with pytest.raises(BadSetting, match="^X "):
        database(tmp_path)


def test_files_stay_in_the_home_by_default(tmp_path, variable):
    assert service_urls.storage("X", folder=tmp_path)["OPTIONS"] == {"location": str(tmp_path)}


def test_s3_takes_its_parts_from_the_url(tmp_path, variable):
    variable("s3://key:se%2Fcret@minio:9000/bench?insecure=1&region=eu-1")

    options = service_urls.storage("X", folder=tmp_path)["OPTIONS"]

    assert options["endpoint_url"] == "http://minio:9000"
    assert (options["access_key"], options["secret_key"]) == ("key", "se/cret")
    assert (options["bucket_name"], options["region_name"]) == ("bench", "eu-1")
    assert options["default_acl"] is None


@pytest.mark.parametrize("url", ["s3://host", "s3://host/a/b", "s3:///bucket", "file://relative", "http://host/x"])
def test_storage_that_is_incomplete_is_refused(tmp_path, variable, url):
    variable(url)

    with pytest.raises(BadSetting, match="^X "):
        service_urls.storage("X", folder=tmp_path)


@pytest.mark.parametrize(
    ("url", "port", "starttls", "direct_tls"),
    [
        ("smtp://mail.example.org", 587, True, False),
        ("smtp://mail.example.org:25?starttls=0", 25, False, False),
        ("smtps://mail.example.org", 465, False, True),
    ],
)
def test_mail_is_encrypted_unless_told_otherwise(variable, url, port, starttls, direct_tls):
    variable(url)

    email = service_urls.email("X", default="console:")

    assert (email.port, email.use_tls, email.use_ssl) == (port, starttls, direct_tls)


def test_mail_goes_to_the_console_by_default(variable):
    assert service_urls.email("X", default="console:").backend.endswith("console.EmailBackend")


def test_mail_without_a_host_is_refused(variable):
    variable("smtp://")

    with pytest.raises(BadSetting, match="X names no host"):
        service_urls.email("X", default="console:")


def test_without_redis_everything_is_in_memory(variable):
    assert service_urls.redis("X") == ""
    assert "InMemory" in service_urls.channel_layer("")["BACKEND"]
    assert "locmem" in service_urls.cache("")["BACKEND"]


def test_redis_serves_cache_and_channel_layer(variable):
    variable("redis://cache:6379/1")

    url = service_urls.redis("X")

    assert service_urls.cache(url)["LOCATION"] == "redis://cache:6379/1"
    # One subscription per viewer: redis-py's own limit of 100 connections is not enough.
    assert service_urls.channel_layer(url)["CONFIG"]["hosts"][0]["max_connections"] > 1000


def test_redis_without_a_host_is_refused(variable):
    variable("redis:///0")

    with pytest.raises(BadSetting, match="X names no host"):
        service_urls.redis("X")
