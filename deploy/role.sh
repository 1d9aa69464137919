#!/bin/sh
# One role of the site, as containers and services start it; everything else is a command of manage.py.
#
#   deploy/role.sh web | worker | scheduler | migrate | ready | COMMAND …
set -eu

site=$(cd "$(dirname "$0")/.." && pwd)
if [ -x "$site/../venv/bin/python" ]; then python=$site/../venv/bin/python; else python=$site/.venv/bin/python; fi
manage() { exec "$python" "$site/manage.py" "$@"; }

case ${1:-web} in
    web) manage serve --without-worker ;;
    # All but one worker leave the timetable to that one.
    worker) LEMSITE_SCHEDULER=0 manage qworker ;;
    scheduler) LEMSITE_SCHEDULER=1 manage qworker ;;
    migrate) "$python" "$site/manage.py" migrate --no-input && manage load_catalogue ;;
    ready) exec "$python" "$site/deploy/ready.py" ;;
    *) manage "$@" ;;
esac
