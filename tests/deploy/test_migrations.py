"""A release runs beside the one before it, on one database: no migration may take away what that one still uses."""

import pytest
from django.db import models
from django.db.migrations import AddField, AlterField, DeleteModel, RemoveField, RenameField, RenameModel
from django.db.migrations.loader import MigrationLoader

from accounts.apps import AccountsConfig
from jobs.apps import JobsConfig
from leaderboard.apps import LeaderboardConfig
from runs.apps import RunsConfig

OURS = {config.name for config in (AccountsConfig, JobsConfig, LeaderboardConfig, RunsConfig)}
# What the first release begins with: there was none before it.
FIRST = {"accounts": 3, "jobs": 4, "leaderboard": 5, "runs": 2}
TAKES_AWAY = (RemoveField, RenameField, DeleteModel, RenameModel)


def faults(migration, before=None):
    """What a process of the release before would stumble over. `contracts` says why it no longer does.

    class Migration(migrations.Migration):
        contracts = "Job.note is not used since 1.4"

    `before` has the fields as they were, by model and name.
    """
    if getattr(migration, "contracts", ""):
        return []
    return [fault for operation in migration.operations if (fault := _fault(operation, before or {}))]


def _fault(operation, before):
    if isinstance(operation, TAKES_AWAY):
        return f"{operation.describe()}: in the release after the one that stops using it, with contracts = …"
    if isinstance(operation, AddField) and _cannot_be_left_out(operation.field):
        return f"{operation.describe()}: give it null=True or db_default, as the release before leaves it out"
    if isinstance(operation, AlterField) and _becomes_required(operation, before):
        return f"{operation.describe()}: say with contracts = … why the release before can still write it"
    return None


def _cannot_be_left_out(field):
    return not (field.null or field.has_db_default() or field.many_to_many)


def _becomes_required(operation, before):
    old = before.get((operation.model_name_lower, operation.name))
    return old is not None and old.null and not (operation.field.null or operation.field.has_db_default())


def _fields_before(loader, key):
    models = loader.project_state(key, at_end=False).models
    return {(model, name): field for (_, model), state in models.items() for name, field in state.fields.items()}


def test_every_migration_lets_the_release_before_go_on():
    loader = MigrationLoader(None)

    found = {
        f"{app}.{name}": faults(migration, _fields_before(loader, (app, name)))
        for (app, name), migration in loader.disk_migrations.items()
        if app in OURS and int(name[:4]) > FIRST[app]
    }

    assert not {name: some for name, some in found.items() if some}


class Fake:
    contracts = ""

    def __init__(self, *operations):
        self.operations = operations


REQUIRED = models.IntegerField()
BEFORE = {("job", "price"): models.IntegerField(null=True), ("job", "rank"): REQUIRED}


@pytest.mark.parametrize(
    "operation",
    [
        RemoveField("job", "note"),
        RenameField("job", "note", "remark"),
        DeleteModel("job"),
        RenameModel("job", "task"),
        AddField("job", "price", REQUIRED),
        AddField("job", "price", models.IntegerField(default=3)),
        AlterField("job", "price", REQUIRED),
    ],
    ids=["remove", "rename", "delete", "rename-model", "required", "default-of-python-only", "not-null"],
)
def test_what_the_release_before_stumbles_over_is_found(operation):
    assert len(faults(Fake(operation), BEFORE)) == 1


@pytest.mark.parametrize(
    "operation",
    [
        AddField("job", "price", models.IntegerField(null=True)),
        AddField("job", "price", models.IntegerField(db_default=3)),
        AlterField("job", "price", models.IntegerField(null=True, help_text="in USD")),
        AlterField("job", "rank", models.IntegerField(help_text="from 1")),
    ],
    ids=["nullable", "default-of-the-database", "still-nullable", "as-required-as-before"],
)
def test_what_the_release_before_can_leave_out_is_fine(operation):
    assert faults(Fake(operation), BEFORE) == []


def test_a_contracting_migration_says_so():
    migration = Fake(RemoveField("job", "note"))
    migration.contracts = "Job.note is not used since 1.4"

    assert faults(migration) == []
