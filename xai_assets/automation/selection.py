"""Which assets a person means: a name, or what the selection box of the UI takes."""

import re
from collections.abc import Sequence

import dagster as dg

from xai_assets.errors import XaiError
from xai_assets.suggest import did_you_mean

_NAME = re.compile(r"(?P<above>\d*\+)?(?P<name>[\w/]+)(?P<below>\+\d*)?")
"""A name by itself, with what is above or below it, which the UI's box would have as `key:`."""


def chosen(job: dg.JobDefinition, wanted: Sequence[str]) -> frozenset[dg.AssetKey]:
    """The assets of a job that any of the selections names.

    Args:
        job: the job.
        wanted: names ("lime_masks"), with all that they are made from ("+mask_tables") or that is made from them
            ("images+"), or selections as the UI writes them ('group:reports and not key:"lime*"').

    Raises:
        XaiError: a selection that names nothing, with the names that are close.
    """
    graph = job.asset_layer.asset_graph
    names = sorted(key.to_user_string() for key in graph.get_all_asset_keys())
    found: set[dg.AssetKey] = set()
    for text in wanted:
        name = _NAME.fullmatch(text)
        if name and name["name"] not in names:
            raise _unknown(text, names)
        written = f'{name["above"] or ""}key:"{name["name"]}"{name["below"] or ""}' if name else text
        try:
            some = dg.AssetSelection.from_string(written).resolve(graph)
        except dg.DagsterError as error:
            raise _unknown(text, names) from error
        if not some:
            raise _unknown(text, names)
        found |= some
    return frozenset(found)


def _unknown(text: str, names: Sequence[str]) -> XaiError:
    remedy = did_you_mean(text.strip("+"), names).strip() or f"There are: {', '.join(names)}."
    return XaiError(f"--only {text}", "selects no asset", remedy)
