"""What it took to compute artifacts, kept beside them: it is no part of their content, and differs from run to run."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from xai_assets.errors import XaiError
from xai_assets.files import make_way, write_json
from xai_assets.reading import read_text

COST = ".cost.json"
"""The suffix of the file beside an artifact that says what it took to compute it."""

ARTIFACT, OF = "artifact", "of"
MAX_COST = 2**20
"""Bytes."""


def write_cost(path: Path, artifact: str, cost: Mapping[str, Any]) -> None:
    """Write the cost of an artifact (JSON, no NaN)."""
    make_way(path)
    write_json(path, {ARTIFACT: artifact, **cost})


def read_cost(path: Path, artifact: str) -> dict[str, Any] | None:
    """The cost of this artifact in the file; None where there is no such file, or it is anything else."""
    try:
        if not path.is_file():
            return None
        found = json.loads(read_text(path, MAX_COST))
    except (XaiError, ValueError, RecursionError):
        return None  # whoever needs it computes the artifact again
    if not isinstance(found, dict) or found.pop(ARTIFACT, None) != artifact:
        return None
    return found


def members_of(cost: Mapping[str, Any] | None) -> dict[str, dict[str, Any]]:
    """The costs of a block's members by key, from the block's own."""
    found = (cost or {}).get(OF)
    if not isinstance(found, dict):
        return {}
    return {key: one for key, one in found.items() if isinstance(one, dict)}
