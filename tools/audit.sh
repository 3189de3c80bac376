#!/usr/bin/env bash
# Look up known holes in every locked version, at the advisories of PyPI and OSV, with a pinned pip-audit.
# It ends with 1 where there are some, and with 2 where the advisories could not be asked: that is no clean bill.
set -euo pipefail
venv=${1:-.venv}
pip_audit=pip-audit==2.10.1
locked=$(mktemp)
said=$(mktemp)
trap 'rm -f "$locked" "$said"' EXIT

# Hashes are left out: pip-audit asks by name and version, and resolves nothing.
"$venv/bin/uv" export --locked --all-extras --all-groups --no-emit-project --no-hashes --quiet --output-file "$locked"
"$venv/bin/uv" tool run --quiet "$pip_audit" --version >"$said" 2>&1 || {
    cat "$said" >&2
    echo "Not audited: $pip_audit could not be had from PyPI." >&2
    exit 2
}
code=0
"$venv/bin/uv" tool run --quiet "$pip_audit" --requirement "$locked" --no-deps --disable-pip --progress-spinner off \
    >"$said" 2>&1 || code=$?
cat "$said"
if grep -qE '^Found [0-9]+ known' "$said"; then
    exit 1
fi
# A mirror of PyPI without advisories lets pip-audit skip what it does not find, and end with 0.
skipped=$(grep -c 'could not be audited' "$said" || true)
if [ "$code" -ne 0 ] || [ "$skipped" -gt 0 ]; then
    echo "Not audited: $skipped packages were skipped or the advisories could not be asked (see above). This says nothing" \
        "about the locked versions." >&2
    exit 2
fi
