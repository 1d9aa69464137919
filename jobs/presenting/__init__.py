"""What the pages of jobs and hosts show: rows of the database as ready text."""
