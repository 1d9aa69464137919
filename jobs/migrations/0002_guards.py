"""What the database itself refuses on PostgreSQL: changing the history, and reopening a job that is over."""

from typing import Any

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from lemsite.lib.append_only import refuse_changes

GUARD = """
CREATE OR REPLACE FUNCTION jobs_terminal_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state IN ('succeeded', 'failed', 'cancelled', 'timed_out') AND NEW.state <> OLD.state THEN
        RAISE EXCEPTION 'job % is over', OLD.id USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER jobs_job_terminal_stays BEFORE UPDATE OF state ON jobs_job
FOR EACH ROW EXECUTE FUNCTION jobs_terminal_stays();
"""


def guard(apps: Any, editor: BaseDatabaseSchemaEditor) -> None:
    if editor.connection.vendor == "postgresql":
        editor.execute(GUARD, None)  # no parameters: its percent sign is not a placeholder


def unguard(apps: Any, editor: BaseDatabaseSchemaEditor) -> None:
    if editor.connection.vendor == "postgresql":
        editor.execute("DROP TRIGGER IF EXISTS jobs_job_terminal_stays ON jobs_job")


class Migration(migrations.Migration):
    dependencies = [("jobs", "0001_initial")]

    operations = [refuse_changes("jobs_jobevent"), migrations.RunPython(guard, unguard)]
