"""Which assets a person means, by names and Dagster's own selection syntax."""

import difflib
from collections.abc import Sequence

import dagster as dg
from dagster._core.definitions.asset_selection import DagsterInvalidAssetSelectionError
from dagster._core.errors import DagsterInvalidSubsetError

from xai_assets.errors import XaiError


def chosen(job: dg.JobDefinition, wanted: Sequence[str]) -> frozenset[dg.AssetKey]:
    """The assets of a job that any of the selections names, such as "lime_masks", "+mask_tables" or "group:reports".

    Raises:
        XaiError: a selection that names nothing, with the names that are close.
    """
    graph = job.asset_layer.asset_graph
    names = sorted(key.to_user_string() for key in graph.get_all_asset_keys())
    found: set[dg.AssetKey] = set()
    for text in wanted:
        try:
            some = dg.AssetSelection.from_string(text).resolve(graph)
        except (DagsterInvalidAssetSelectionError, DagsterInvalidSubsetError) as error:
            raise _unknown(text, names) from error
        if not some:
            raise _unknown(text, names)
        found |= some
    return frozenset(found)


def _unknown(text: str, names: Sequence[str]) -> XaiError:
    close = difflib.get_close_matches(text.strip("+*"), names, n=3)
    remedy = f"Did you mean {' or '.join(close)}?" if close else f"There are: {', '.join(names)}."
    return XaiError(f"--only {text}", "selects no asset", remedy)
