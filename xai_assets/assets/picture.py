"""The picture on an asset's page: drawn when its tables are others than before, and served by the UI."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import dagster as dg

from xai_assets.resources.table import Table
from xai_assets.web.pictures import picture_entry

if TYPE_CHECKING:
    from xai_assets.analysis.workbench import Workbench


def picture(
    context: dg.AssetExecutionContext,
    bench: "Workbench",
    tables: Sequence[Table],
    draw: Callable[[], tuple[bytes, str] | None],
    *,
    name: str,
    what: str,
    folder: str,
) -> dict[str, Any]:
    """An entry of the asset's metadata, none where there is nothing to draw.

    Args:
        context: of the asset.
        bench: of its study.
        tables: all that the picture is made from.
        draw: makes a PNG and what it says.
        name: of the entry.
        what: what the picture shows, in a word or two, where the UI serves no pictures.
        folder: of the artifacts, where what it is made from is kept.
    """
    from xai_assets.analysis.drawn import drawn

    made = drawn(bench, context.asset_key.to_user_string(), tables, draw)
    kept = f"{bench.settings.shared or bench.settings.artifacts}/{folder}"
    return {} if made is None else {name: picture_entry(context, *made, what=what, kept=kept)}
