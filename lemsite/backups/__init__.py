"""Backups: a snapshot of the database and every stored file, in one folder (docs/backups.md)."""


class BackupError(Exception):
    """No backup was made, or none was restored; the message says why and what would be right."""
