#!/usr/bin/env bash
# Make the environment in the folder $1: Python's venv, a pinned uv in it, and the locked dependencies.
# What the system lacks is looked for first and all at once. Where we may, it is installed, after saying what and why;
# XAI_NO_APT=1 refuses that. Elsewhere the one line to type is printed.
set -euo pipefail
venv=${1:-.venv}
here=$(cd "$(dirname "$0")/.." && pwd)
gib_needed=8

# Python reads the path of this folder, which may hold any letter, in the encoding of the locale.
for locale in C.UTF-8 C.utf8 en_US.UTF-8; do
    if locale -a 2>/dev/null | grep -qix "$locale"; then
        export LC_ALL=$locale
        break
    fi
done

say() { printf '%s\n' "$*" >&2; }

refuse() { # refuse LINE...: say why nothing was set up, and end
    say "$@"
    exit 1
}

fits='import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))'
python=
for candidate in "${XAI_PYTHON:-}" python3.13 python3.12 python3.11 python3; do
    # A shim of pyenv is there also where no such Python is.
    if [ -n "$candidate" ] && "$candidate" -c "$fits" 2>/dev/null; then
        python=$candidate
        break
    fi
done
if [ -z "$python" ]; then
    found=$(python3 --version 2>/dev/null || echo none)
    say "Python 3.11, 3.12 or 3.13 is needed; found: $found."
    if command -v apt-get >/dev/null && apt-cache show python3.13 python3.12 python3.11 >/dev/null 2>&1; then
        say "Type this, then try again:"
        refuse "    sudo apt-get install -y python3 python3-venv"
    fi
    refuse "Install one of them (on Ubuntu 22.04: from the deadsnakes PPA, or \`uv python install 3.13\`), or set XAI_PYTHON to it."
fi

has_library() { # has_library NAME: whether the shared library can be loaded
    "$python" - "$1" <<'PYTHON'
import ctypes, ctypes.util, sys
name = sys.argv[1]
for file in (ctypes.util.find_library(name), f"lib{name}.so.0"):
    try:
        if file and ctypes.CDLL(file):
            sys.exit(0)
    except OSError:
        continue
sys.exit(1)
PYTHON
}

# What the system has to have, looked for before gigabytes are downloaded.
packages=() reasons=() optional=
if [ ! -x "$venv/bin/python" ] && ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    default=$(/usr/bin/python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null || true)
    if [ "$version" = "$default" ]; then packages+=(python3-venv); else packages+=("python$version-venv"); fi
    reasons+=("Python's venv, for an environment of its own")
fi
if ! has_library pango-1.0 || ! has_library pangoft2-1.0; then
    packages+=(libpango-1.0-0 libpangoft2-1.0-0)
    reasons+=("Pango, which draws the text of the PDFs")
fi
if ! has_library harfbuzz-subset; then
    [ ${#packages[@]} -gt 0 ] || optional=1
    packages+=(libharfbuzz-subset0)
    reasons+=("HarfBuzz's subsetter, which keeps fonts in the PDFs small (without it they are larger, and made more slowly)")
fi

install_packages() {
    local log
    log=$(mktemp)
    if ! { apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "${packages[@]}"; } >"$log" 2>&1; then
        tail -n 5 "$log" >&2
        rm -f "$log"
        return 1
    fi
    rm -f "$log"
}

if [ ${#packages[@]} -gt 0 ]; then
    say "This system lacks:"
    for reason in "${reasons[@]}"; do say "  - $reason"; done
    consent=no
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null && [ -z "${XAI_NO_APT:-}" ]; then
        consent=yes
        if [ -t 0 ] && [ -t 2 ]; then
            printf 'Install %s with apt-get? [Y/n, yes in 20 s] ' "${packages[*]}" >&2
            answer=
            read -r -t 20 answer || say ""
            case $answer in [nN]*) consent=no ;; esac
        fi
    fi
    if [ "$consent" = yes ]; then
        say "Installing with apt-get, for the whole system: ${packages[*]}"
        install_packages || { [ -n "$optional" ] || refuse "apt-get could not install them. Is there a network?"; }
    elif command -v apt-get >/dev/null; then
        say "Type this, then try again:"
        say "    sudo apt-get install -y ${packages[*]}"
        [ -n "$optional" ] || exit 1
    elif command -v brew >/dev/null; then
        say "Type this, then try again:"
        say "    brew install pango harfbuzz"
        [ -n "$optional" ] || exit 1
    else
        say "Install them by your system's packages; Debian calls them ${packages[*]}."
        [ -n "$optional" ] || exit 1
    fi
fi

if [ ! -e "$venv/.ready" ]; then
    free_kib=$(df -Pk "$here" | awk 'NR == 2 {print $4}')
    if [ "${free_kib:-$((gib_needed << 20))}" -lt $((gib_needed << 20)) ]; then
        refuse "Setting up takes about 7.2 GB in $here, most of it torch with CUDA; $((free_kib >> 20)) GiB are free. Make room first."
    fi
fi

# The programs of an environment name its place: one that was moved, or whose Python is gone, is made again.
if [ -d "$venv" ] && [ -e "$venv/bin/python" -o -L "$venv/bin/python" ]; then
    if ! "$venv/bin/python" -c '' 2>/dev/null; then
        say "The Python of $venv does not start; making $venv again."
        rm -rf "${venv:?}"
    elif [ -s "$venv/.ready" ] && [ "$(cat "$venv/.ready")" != "$here" ]; then
        say "This folder was at $(cat "$venv/.ready"); making $venv again at its new place."
        rm -rf "${venv:?}"
    fi
fi
[ -x "$venv/bin/python" ] || "$python" -m venv "$venv"

offline() { # offline WHAT LOG: say that a download failed
    tail -n 3 "$2" >&2
    rm -f "$2"
    refuse "$1 could not be downloaded. Is there a network? Behind a proxy, set HTTPS_PROXY; for another package index," \
        "PIP_INDEX_URL and UV_DEFAULT_INDEX. Then try again: what was downloaded is kept."
}

# pip and uv leave lock files among temporary files: they stay in this folder too.
export TMPDIR=$here/.cache/tmp
mkdir -p "$TMPDIR"
log=$(mktemp)
pinned=$(sed -n 's/^uv==\([0-9.]*\).*/\1/p' "$here/tools/uv.txt")
if [ "$("$venv/bin/uv" --version 2>/dev/null | cut -d' ' -f2)" != "$pinned" ]; then
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --retries 2 \
        --require-hashes --only-binary :all: -r "$here/tools/uv.txt" >"$log" 2>&1 || offline "uv" "$log"
fi

say "Installing the locked dependencies into $venv (7 GB with the cache; half a minute on a fast line)"
# Compiled here once, so that no process has to, where Python may not write beside the sources (14 s of the demo).
if ! UV_PROJECT_ENVIRONMENT=$venv "$venv/bin/uv" sync --project "$here" --locked --inexact --quiet --compile-bytecode 2>"$log"; then
    if grep -qiE 'dns|connect|timed? ?out|network|resolve host' "$log"; then offline "The dependencies" "$log"; fi
    cat "$log" >&2
    rm -f "$log"
    exit 1
fi
rm -f "$log"

# The path of the sources, relative: it holds whatever the locale's encoding is.
"$venv/bin/python" - "$here" <<'PYTHON'
import os, pathlib, sys, sysconfig
here, site = pathlib.Path(sys.argv[1]), pathlib.Path(sysconfig.get_path("purelib"))
for file in site.glob("*xai_assets*.pth"):
    if site.is_relative_to(here) and file.read_text(encoding="utf-8").strip() == str(here):
        file.write_text(os.path.relpath(here, site) + "\n", encoding="utf-8")
PYTHON

"$venv/bin/python" -c 'import xai_assets' || refuse "The Python of $venv does not find xai_assets; see above."
if ! "$venv/bin/python" -c 'import weasyprint' >/dev/null 2>&1; then
    say "WeasyPrint, which makes the PDFs, still does not load:"
    "$venv/bin/python" -c 'import weasyprint' 2>&1 | tail -n 3 >&2
    exit 1
fi
rm -rf "${TMPDIR:?}"
printf '%s\n' "$here" >"$venv/.ready"
