"""The check of a study's verification: compared maps are those of the published library, up to rounding."""

from xai_assets.checks import rules
from xai_assets.checks.check import Check, Verdict, cannot_be_told
from xai_assets.resources.table import Table

REMEDY = (
    "What such a map shows is not what its method is known to show. Look at the versions of torch and of the library, "
    "and compare anew with `xai verify`."
)


def _theirs(table: Table, *_: Table) -> Verdict:
    if not len(table):
        return rules.left_out("the comparison with the published libraries")
    in_order = table[table["verdict"] != "not_compared"]
    compared = in_order.sort_values("difference", ascending=False, kind="stable")
    numbers: dict[str, int | float | str] = {
        "maps": len(compared),
        "not_compared": len(table) - len(compared),
    }
    if not len(compared):
        return cannot_be_told(
            f"whether maps are those of the libraries: none of {len(table)} could be compared ({_notes(table)})",
            numbers,
        )
    numbers["largest_difference"] = float(compared["difference"].iloc[0])
    beyond = compared[compared["verdict"] == "beyond"]
    if len(beyond):
        named = "; ".join(_named(beyond))
        more = f"; and {len(beyond) - rules.NAMED} more" if len(beyond) > rules.NAMED else ""
        said = f"{len(beyond)} of {len(compared)} compared maps are not those of the library: {named}{more}. {REMEDY}"
        return Verdict(False, said, numbers | {"beyond": len(beyond)})
    libraries = " and ".join(dict.fromkeys(in_order["library"]))
    maps = f"{len(compared)} compared map" + ("s are" if len(compared) > 1 else " is")
    said = f"The {maps} within the tolerance of those of {libraries}; the largest difference: {_named(compared)[0]}."
    if len(compared) < len(table):
        said += f" {len(table) - len(compared)} could not be compared: {_notes(table)}."
    return Verdict(True, said, numbers | {"beyond": 0})


def _named(rows: Table) -> list[str]:
    """Method, image, difference and tolerance of the first few rows."""
    return [
        f"{row.method} of {row.image_id} ({row.target_name}) differs by {row.difference:.2g} from {row.library}, "
        f"tolerance {row.tolerance:g}"
        for row in rows.head(rules.NAMED).itertuples()
    ]


def _notes(table: Table) -> str:
    """Why maps were not compared, each reason once with its methods."""
    said: dict[str, list[str]] = {}
    for row in table[table["verdict"] == "not_compared"].itertuples():
        said.setdefault(str(row.note), []).append(row.method)
    return "; ".join(f"{', '.join(dict.fromkeys(methods))}: {note}" for note, methods in said.items())


THEIRS = Check(
    "maps_are_the_libraries",
    "A sample of the maps, made again by the libraries grad-cam and lime on the same network and images, differs by no "
    "more than the rounding that is declared for each method.",
    _theirs,
)
