"""What the maps took when they were computed, by method."""

from typing import Any

from xai_assets.reporting import names
from xai_assets.reporting.numbers import in_order, mean, present
from xai_assets.reporting.results import StudyResults

Row = dict[str, Any]


def cost(results: StudyResults) -> list[Row]:
    """What the maps of each method took when they were computed, perhaps in an earlier run, and on what.

    `seconds` is the mean of a map, `images_per_second` its inverse, `peak_memory_mib` the most of any map; None where it
    was not measured.
    """
    if not len(results.maps):
        return []
    found = in_order(
        results.maps.loc[results.maps["seconds"].notna(), "method"]
    )  # other tools' maps are not made here
    known = [key for key in names.METHODS if key in found]
    rows: list[Row] = []
    for key in known + [key for key in found if key not in known]:
        table = results.maps[results.maps["method"] == key]
        seconds, held = mean(table["seconds"]), present(table["peak_memory_mib"])
        rows.append(
            {
                "key": key,
                "maps": len(table),
                "seconds": seconds,
                "images_per_second": 1 / seconds if seconds else None,
                "peak_memory_mib": int(held.max()) if len(held) else None,
                "device": ", ".join(in_order(table["device"])),
                "layer": ", ".join(in_order(table["layer"].dropna())),
                "constant": int(table["constant"].astype(bool).sum()),
                "density": mean(table["density"]),
            }
        )
    return rows
