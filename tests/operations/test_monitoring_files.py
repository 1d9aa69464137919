"""The dashboard and the alerts ask for what /metrics tells, and each alert says what to do."""

import json
import os
import re
from pathlib import Path

import pytest
import yaml
from prometheus_client.registry import REGISTRY

from lemsite.observing.database_figures import database_figures
from lemsite.observing.processes import process_figures

REPOSITORY = Path(__file__).resolve().parents[2]
FOLDER = REPOSITORY / "deploy" / "monitoring"
DASHBOARD = json.loads((FOLDER / "grafana-dashboard.json").read_text())
ALERTS = [
    rule for group in yaml.safe_load((FOLDER / "lemsite-alerts.yml").read_text())["groups"] for rule in group["rules"]
]
MANUAL = (REPOSITORY / "docs" / "operations.md").read_text()
NAME = re.compile(r"\blemsite_\w+")
#: only PostgreSQL has them, and they are read from it
OF_POSTGRESQL = {"lemsite_database_connections", "lemsite_database_connections_limit"}


@pytest.fixture
def families(db):
    """name of a family -> its labels; {} where it has no sample yet."""
    found = {}
    for family in [*REGISTRY.collect(), *process_figures([os.getpid()]), *database_figures()]:
        if family.name.startswith("lemsite_"):
            found[family.name] = family.type
    return found | dict.fromkeys(OF_POSTGRESQL, "gauge") | {"lemsite_database_up": "gauge"}


def wanted():
    texts = [target["expr"] for panel in DASHBOARD["panels"] for target in panel.get("targets", [])]
    return {name for text in [*texts, *(rule["expr"] for rule in ALERTS)] for name in NAME.findall(text)}


def sampled(families):
    """The names of samples as Prometheus stores them."""
    endings = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}
    return {f"{name}{ending}" for name, kind in families.items() for ending in endings.get(kind, ("",))}


def test_every_metric_of_the_dashboard_and_the_alerts_is_there(families):
    assert wanted() - sampled(families) == set()


def test_every_metric_is_on_the_dashboard(families):
    shown = {re.sub(r"_(total|bucket|sum|count)$", "", name) for name in wanted()}

    assert set(families) - shown == set()


def test_every_metric_is_documented(families):
    assert [name for name in families if f"`{name}`" not in MANUAL] == []


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_every_alert_has_a_runbook(rule):
    anchor = rule["alert"].lower()

    assert rule["annotations"]["runbook"] == f"docs/operations.md#{anchor}"
    assert f"### {rule['alert']}\n" in MANUAL
    assert rule["labels"]["severity"] in ("page", "ticket")


def test_panels_have_units_and_places_of_their_own():
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in DASHBOARD["panels"]]

    assert len(set(places)) == len(places)
    assert all(panel["fieldConfig"]["defaults"]["unit"] for panel in DASHBOARD["panels"] if panel["type"] != "row")
