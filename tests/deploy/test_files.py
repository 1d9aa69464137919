"""Dockerfile, compose file, units and manifests: what they name exists, and nothing in them is a secret."""

import configparser
import json
import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from django.core.management import get_commands

REPOSITORY = Path(__file__).resolve().parents[2]
DEPLOY = REPOSITORY / "deploy"
CONFIGURATION = (REPOSITORY / "docs" / "configuration.md").read_text()
GUIDE = (REPOSITORY / "docs" / "deployment.md").read_text()
ROLE = (DEPLOY / "role.sh").read_text()
ROLES = set(re.findall(r"^    (\w+)\) ", ROLE, re.M))
UNITS = sorted(path.name for path in (DEPLOY / "systemd").iterdir())
COMPOSE = {
    "SITE_HOST": "bench.example.org",
    "SECRET_KEY": "x" * 50,
    "POSTGRES_PASSWORD": "p",
    "S3_PASSWORD": "s",
    "EMAIL_URL": "console:",
}
OF_PYTHON = {"PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE"}
# Settings whose values are secrets.
SECRETS = {"SECRET_KEY", "DATABASE_URL", "STORAGE_URL", "EMAIL_URL", "GITHUB_CLIENT_SECRET", "INGEST_TOKEN", "HF_TOKEN"}


def unit(name):
    # A unit may say a thing twice; here the last one counts.
    parser = configparser.RawConfigParser(strict=False, interpolation=None)
    parser.read(DEPLOY / "systemd" / name)
    return parser


def manifests():
    for path in sorted((DEPLOY / "kubernetes").glob("*.yaml")):
        yield from yaml.safe_load_all(path.read_text())


def pods():
    return {one["metadata"].get("name", "migrate"): one["spec"]["template"] for one in manifests() if _has_pods(one)}


def _has_pods(manifest):
    return manifest["kind"] in {"Deployment", "Job"}


def compose():
    return yaml.safe_load((REPOSITORY / "compose.yaml").read_text())


def ours():
    """The services of the compose file that are roles of the site."""
    return {name: one for name, one in compose()["services"].items() if "build" in one}


def environments():
    """Where -> the settings that a file gives to the site."""
    yield "compose.yaml", set(ours()["web-a"]["environment"])
    dockerfile = (REPOSITORY / "Dockerfile").read_text()
    yield "Dockerfile", set(re.findall(r"([A-Z_]+)=", " ".join(re.findall(r"^ENV (.*)", dockerfile, re.M))))
    for name in UNITS:
        text = (DEPLOY / "systemd" / name).read_text()
        yield name, set(re.findall(r"([A-Z_]+)=", " ".join(re.findall(r"^Environment=(.*)", text, re.M))))
    for manifest in manifests():
        if manifest["kind"] == "ConfigMap":
            yield "config.yaml", set(manifest["data"])
    yield "fly.toml", set(tomllib.loads((DEPLOY / "hosts" / "fly.toml").read_text())["env"])
    render = yaml.safe_load((DEPLOY / "hosts" / "render.yaml").read_text())
    given = [*render["envVarGroups"][0]["envVars"], *render["services"][1]["envVars"]]
    yield "render.yaml", {one["key"] for one in given if "key" in one}
    yield "role.sh", set(re.findall(r"([A-Z_]{4,})=", ROLE))


def test_every_setting_that_a_file_gives_is_one_that_the_site_reads():
    documented = set(re.findall(r"`([A-Z_]{4,})`", CONFIGURATION))

    unknown = {where: names - documented - OF_PYTHON for where, names in environments()}

    assert not {where: names for where, names in unknown.items() if names}


def test_what_the_compose_file_asks_for_is_in_the_guide():
    asked = set(re.findall(r"\$\{([A-Z0-9_]+)", (REPOSITORY / "compose.yaml").read_text()))

    assert {name for name in asked if f"`{name}`" not in GUIDE + CONFIGURATION} == set()


def test_no_secret_has_a_value_in_any_file():
    settings = ours()["web-a"]["environment"]

    for name in SECRETS & settings.keys():
        assert re.search(r"\$\{[A-Z0-9_]+:[?-]", settings[name]), name
        assert not re.search(r":-[^}]", settings[name]), name
    for manifest in manifests():
        assert manifest["kind"] != "Secret"
        assert not SECRETS & set(manifest.get("data") or ())


def test_images_are_pinned():
    images = [one["image"] for one in compose()["services"].values() if "build" not in one]
    images += re.findall(r"^FROM (\S+)", (REPOSITORY / "Dockerfile").read_text(), re.M)

    # PostgreSQL's versions have two numbers.
    pinned = r"postgres:\d+\.\d+\b|:(RELEASE\.)?\d+[.-]\d+[.-]\d+"
    assert [image for image in images if not re.search(pinned, image)] == []


def test_every_command_named_is_a_role_or_a_command_of_the_site():
    named = {one["command"][0] for one in ours().values()}
    named |= set(re.findall(r"^ExecStart=\S+role\.sh (\w+)", "\n".join(_units()), re.M))
    named |= {pod["spec"]["containers"][0]["args"][0] for pod in pods().values()}
    named |= set(tomllib.loads((DEPLOY / "hosts" / "fly.toml").read_text())["processes"].values())

    assert named == ROLES - {"ready"}
    assert set(re.findall(r"manage(?:\.py\")? ([a-z_]+)", ROLE)) - {"py"} <= get_commands().keys()


def _units():
    return [(DEPLOY / "systemd" / name).read_text() for name in UNITS]


def test_every_command_in_the_guide_exists():
    named = set(re.findall(r"(?:manage\.py|role\.sh|lemsite-run|run --rm migrate) ([a-z_]+)", GUIDE))

    assert named <= get_commands().keys() | ROLES


def test_the_roles_leave_the_timetable_to_one():
    assert re.search(r"worker\) LEMSITE_SCHEDULER=0 ", ROLE)
    assert re.search(r"scheduler\) LEMSITE_SCHEDULER=1 ", ROLE)


def test_the_compose_file_waits_for_migrations_and_drains_before_it_kills():
    services = ours()

    for name in set(services) - {"migrate"}:
        assert services[name]["depends_on"] == {"migrate": {"condition": "service_completed_successfully"}}
    for name in ("web-a", "web-b"):
        assert _seconds(services[name]["stop_grace_period"]) > 5 + _finish_within_s()
    for one in services.values():
        assert (one["read_only"], one["cap_drop"]) == (True, ["ALL"])
        assert one["security_opt"] == ["no-new-privileges:true"]


def test_units_wait_for_migrations_drain_and_give_up_what_they_do_not_need():
    for name in UNITS:
        service = unit(name)["Service"]
        assert (service["NoNewPrivileges"], service["ProtectSystem"], service["User"]) == ("yes", "strict", "lemsite")
        if name != "lemsite-migrate.service":
            assert "lemsite-migrate.service" in unit(name)["Unit"]["After"]
            assert "lemsite-migrate.service" in unit(name)["Unit"]["Wants"]
            assert service["KillMode"] == "mixed"
    assert int(unit("lemsite-web@.service")["Service"]["TimeoutStopSec"]) > 5 + _finish_within_s()


def test_pods_run_as_nobody_on_a_read_only_root():
    assert set(pods()) == {"lemsite-web", "lemsite-worker", "lemsite-scheduler", "migrate"}
    for template in pods().values():
        pod, container = template["spec"], template["spec"]["containers"][0]
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}


def test_a_pod_drains_before_it_is_killed():
    pod = pods()["lemsite-web"]["spec"]
    drain_s = next(int(one["data"]["DRAIN_S"]) for one in manifests() if one["kind"] == "ConfigMap")
    before_s = int(pod["containers"][0]["lifecycle"]["preStop"]["exec"]["command"][-1])

    assert pod["terminationGracePeriodSeconds"] > before_s + drain_s + _finish_within_s()


def _finish_within_s():
    from lemsite.web_server import FINISH_WITHIN_S

    return FINISH_WITHIN_S


def _seconds(text):
    return int(text.removesuffix("s"))


def test_the_image_is_built_by_the_script_and_has_all_that_the_site_is_made_of():
    script = (DEPLOY / "install.sh").read_text()
    parts = set(re.findall(r"for part in (.*); do", script)[0].split())
    ignored = set((REPOSITORY / ".dockerignore").read_text().split())

    assert (REPOSITORY / "Dockerfile").read_text().count("RUN deploy/install.sh") == 2
    assert all((REPOSITORY / part).exists() for part in parts)
    assert not parts & ignored
    packages = {path.parent.name for path in REPOSITORY.glob("*/apps.py")}
    assert packages <= parts


def test_hosts_wait_for_ready_and_migrate_first():
    fly = tomllib.loads((DEPLOY / "hosts" / "fly.toml").read_text())
    railway = json.loads((DEPLOY / "hosts" / "railway.json").read_text())["deploy"]
    render = yaml.safe_load((DEPLOY / "hosts" / "render.yaml").read_text())["services"][1]

    paths = {fly["http_service"]["checks"][0]["path"], railway["healthcheckPath"], render["healthCheckPath"]}
    assert paths == {"/ready?needs=nothing"}
    assert fly["deploy"]["release_command"] == "migrate"
    assert railway["preDeployCommand"][0].endswith("role.sh migrate")
    assert render["preDeployCommand"].endswith("role.sh migrate")


def test_docker_compose_takes_the_file():
    run_or_skip(["docker-compose", "-f", str(REPOSITORY / "compose.yaml"), "config", "--quiet"], **COMPOSE)


def test_docker_compose_names_what_is_missing():
    missing = COMPOSE | {"SECRET_KEY": ""}

    result = run_or_skip(
        ["docker-compose", "-f", str(REPOSITORY / "compose.yaml"), "config"], expect_failure=True, **missing
    )

    assert "set SECRET_KEY in .env" in result.stderr


def test_caddy_takes_its_file(tmp_path):
    run_or_skip(
        ["caddy", "validate", "--config", str(DEPLOY / "Caddyfile"), "--adapter", "caddyfile"],
        SITE_HOST="bench.example.org",
        UPSTREAMS="127.0.0.1:8001 127.0.0.1:8002",
        HOME=str(tmp_path),
        XDG_DATA_HOME=str(tmp_path),
        XDG_CONFIG_HOME=str(tmp_path),
    )


def test_nginx_takes_its_file(tmp_path):
    site = (DEPLOY / "nginx.conf").read_text()
    # A certificate is the one thing that is not there.
    site = (
        re.sub(r"^ *ssl_certificate.*\n", "", site, flags=re.M)
        .replace("443 ssl http2", "8443")
        .replace(":80;", ":8080;")
    )
    folders = "".join(
        f"{kind}_temp_path {tmp_path}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    whole = tmp_path / "nginx.conf"
    whole.write_text(f"pid {tmp_path}/pid; error_log stderr; events {{}} http {{ access_log off; {folders} {site} }}")

    run_or_skip(["nginx", "-t", "-p", str(tmp_path), "-c", str(whole)])


def test_systemd_takes_the_units(tmp_path):
    for name in UNITS:
        text = (DEPLOY / "systemd" / name).read_text()
        # Where lemsite is not installed, its program is not there either.
        (tmp_path / name).write_text(re.sub(r"^ExecStart=.*", "ExecStart=/bin/true", text, flags=re.M))
    names = [str(tmp_path / name.replace("@.", "@8001.")) for name in UNITS]
    for name in UNITS:
        if "@." in name:
            shutil.copy(tmp_path / name, tmp_path / name.replace("@.", "@8001."))

    result = run_or_skip(["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", *names])

    assert [line for line in result.stderr.splitlines() if "lemsite" in line and "not found" not in line] == []


def run_or_skip(command, *, expect_failure=False, **variables):
    program = shutil.which(command[0], path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        pytest.skip(f"{command[0]} is not installed.")
    environment = {"PATH": os.environ["PATH"], **variables}
    result = subprocess.run(
        [program, *command[1:]], env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert (result.returncode != 0) is expect_failure, result.stdout + result.stderr
    return result
