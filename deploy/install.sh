#!/bin/sh
# Installs lemsite from this checkout into a folder of its own: the packages, then the site. The image is built with
# this script, and a machine without containers runs the same one. It starts nothing and touches no database.
#
#   deploy/install.sh /opt/lemsite/releases/2 [packages|site]
set -eu

prefix=${1:?the folder to install into, as in deploy/install.sh /opt/lemsite/releases/1}
step=${2:-all}
source=$(cd "$(dirname "$0")/.." && pwd)
python=${PYTHON:-python3}

packages() {
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11) and "lemsite needs Python 3.11 or newer")'
    "$python" -m venv "$prefix/venv"
    "$prefix/venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-cache-dir --only-binary :all: \
        --require-hashes -r "$source/requirements.txt"
}

site() {
    mkdir -p "$prefix/site"
    for part in accounts deploy jobs leaderboard lemsite runs static templates manage.py LICENSE; do
        rm -rf "${prefix:?}/site/$part"
        cp -R "$source/$part" "$prefix/site/$part"
    done
    build=$(mktemp -d)
    # Settings of the machine, such as a database that is not up yet, play no part in it.
    env -i PATH="$PATH" LEMSITE_HOME="$build" LEMSITE_ENV_FILE=/dev/null \
        "$prefix/venv/bin/python" "$prefix/site/manage.py" collectstatic --no-input --clear --verbosity 0
    rm -rf "$build"
    # The site runs as a user who may not write here.
    "$prefix/venv/bin/python" -m compileall -q "$prefix/site"
}

case $step in
    packages) packages ;;
    site) site ;;
    all) packages && site ;;
    *) echo "unknown step $step; packages or site" >&2; exit 2 ;;
esac
