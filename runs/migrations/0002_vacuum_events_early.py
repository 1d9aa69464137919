from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

# By default, PostgreSQL cleans a table up when a fifth of it is dead: of all events of a busy site, that is a million
# rows that were sealed long ago. Cleaned up early and in small steps, their space serves the next run's.
TUNED = """
ALTER TABLE runs_progressevent SET (
    autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 50000,
    autovacuum_analyze_scale_factor = 0.0, autovacuum_analyze_threshold = 50000
)
"""
DEFAULT = """
ALTER TABLE runs_progressevent RESET (
    autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold,
    autovacuum_analyze_scale_factor, autovacuum_analyze_threshold
)
"""


def tune(apps, editor: BaseDatabaseSchemaEditor) -> None:
    if editor.connection.vendor == "postgresql":
        editor.execute(TUNED)


def reset(apps, editor: BaseDatabaseSchemaEditor) -> None:
    if editor.connection.vendor == "postgresql":
        editor.execute(DEFAULT)


class Migration(migrations.Migration):
    dependencies = [("runs", "0001_initial")]

    operations = [migrations.RunPython(tune, reset)]
