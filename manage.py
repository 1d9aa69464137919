#!/usr/bin/env python3
"""Django's command line for this site."""

import os
import sys

from django.core.management import execute_from_command_line

from lemsite.lib.env import BadSetting


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lemsite.settings")
    try:
        execute_from_command_line(sys.argv)
    except BadSetting as error:
        # An operator's slip deserves one line, not a traceback.
        sys.exit(f"lemsite cannot start: {error}")


if __name__ == "__main__":
    main()
