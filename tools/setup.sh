#!/usr/bin/env bash
# Make the environment in the folder $1: Python's venv, uv in it, the locked dependencies, and see that Pango is there.
# Where something of the system is missing, install it if we may, or say the one line to type.
set -euo pipefail
venv=${1:-.venv}

say() { printf '%s\n' "$*" >&2; }

may_install() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; }

updated=
apt_install() {
    say "Installing $* with apt-get"
    [ -n "$updated" ] || { apt-get -qq update && updated=1; }
    DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "$@" >/dev/null
}

need() { # need WHAT PACKAGE...: install, or say how and end
    local what=$1
    shift
    if may_install; then
        apt_install "$@"
    else
        say "$what is missing. Type this, then try again:"
        say "    sudo apt-get install -y $*"
        exit 1
    fi
}

python=
for candidate in python3.13 python3.12 python3.11 python3; do
    if command -v "$candidate" >/dev/null && "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))'; then
        python=$candidate
        break
    fi
done
[ -n "$python" ] || { say "Python 3.11, 3.12 or 3.13 is needed; found $(python3 --version 2>/dev/null || echo none)."; exit 1; }

if [ ! -x "$venv/bin/python" ]; then
    "$python" -c 'import ensurepip, venv' 2>/dev/null || need "Python's venv" python3-venv
    "$python" -m venv "$venv"
fi
[ -x "$venv/bin/uv" ] || "$venv/bin/python" -m pip install --quiet --disable-pip-version-check 'uv>=0.7'

say "Installing the locked dependencies into $venv (several GB; half a minute on a fast line)"
# Compiled here once, so that no process has to, where Python may not write beside the sources (14 s of the demo).
UV_PROJECT_ENVIRONMENT=$venv "$venv/bin/uv" sync --locked --inexact --quiet --compile-bytecode

# WeasyPrint draws text with Pango, which PyPI does not have.
pango() { "$venv/bin/python" -c 'import weasyprint' >/dev/null 2>&1; }
pango || need "Pango" libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0
pango || { say "WeasyPrint still does not load:"; "$venv/bin/python" -c 'import weasyprint'; exit 1; }
