"""`xai concepts`: what units stand for, in and out of the warehouse, summed up and compared."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from xai_assets.cli_main import Group
from xai_assets.cli_say import say, say_json
from xai_assets.errors import XaiError
from xai_assets.settings import Settings

if TYPE_CHECKING:
    from xai_assets.resources.warehouse import Warehouse

USAGE_ERROR = 2
FORMATS = ("clip_dissect", "netdissect", "milan")
METHODS = ("clip_dissect", "netdissect", "clip_dissect_import", "netdissect_import", "milan_import")
LISTED = 12
"""Concepts and units listed on the terminal; `--json` has them all."""

_FILE = click.Path(path_type=Path)
_JSON = click.option("--json", "as_json", is_flag=True, help="print JSON, with everything there is")


@click.group(cls=Group)
def concepts() -> None:
    """What units stand for: import and export, summaries, comparisons.

    A study named here need not exist as a file: it is the name under which the rows stand in the warehouse.
    """


_EXAMPLES_IMPORT = """\b
Examples:
  xai concepts import results/resnet18_24_05_01/descriptions.csv --model resnet18 --study published
  xai concepts import result/layer4/tally.csv --layer layer4 --model resnet18 --study published
"""


@concepts.command("import", epilog=_EXAMPLES_IMPORT)
@click.argument("file", type=_FILE)
@click.option("--model", required=True, help="name of the dissected model")
@click.option("--study", required=True, help="name of the study to put the rows into")
@click.option("--format", "format_", type=click.Choice(FORMATS), help="told by the columns where left out")
@click.option("--layer", help="the layer of a NetDissect tally, which does not name it")
def import_(file: Path, model: str, study: str, format_: str | None, layer: str | None) -> None:
    """Read FILE (CLIP-Dissect's descriptions.csv, NetDissect's tally.csv, MILAN's CSV) into the warehouse.

    The rows take the place of the study's rows of that model and method (NetDissect: and layer), all or none.
    """
    from xai_assets.analysis.concept_import import import_concepts

    with _wrong_input():
        found = import_concepts(_warehouse(), file, study=study, model=model, format=format_, layer=layer)
    say(
        f"{study}: {found.units} units of {model} by {found.method}, {found.named} with a concept, "
        f"in {', '.join(found.layers)}"
    )
    for note in found.notes:
        say(note, err=True)


_EXAMPLES_SUMMARY = """\b
Examples:
  xai concepts summary --study demo
  xai concepts summary --study published --json
"""


@concepts.command(epilog=_EXAMPLES_SUMMARY)
@click.option("--study", required=True, help="name of the study")
@_JSON
def summary(study: str, as_json: bool) -> None:
    """Units, dead units and different concepts by model, method and layer; how far the methods agree."""
    from xai_assets.analysis.concept_summary import summarise

    with _wrong_input():
        found = summarise(_warehouse(), study)
    if as_json:
        _print_json(found)
        return
    for row in found["layers"]:
        dead = "" if row["dead"] is None else f", {row['dead']} dead"
        where = "all layers" if row["layer"] is None else row["layer"]
        say(
            f"{row['model']}  {row['method']}  {where}: {row['units']} units{dead}, "
            f"{row['named']} named, {row['unique_concepts']} different concepts"
        )
    for row in found["models"]:
        if row["layer"] is None:
            say(
                f"{row['model_a']} and {row['model_b']}, {row['method']}: {row['shared']} shared, "
                f"{row['only_a']} and {row['only_b']} in one only, Jaccard {row['jaccard']:.2f}"
            )
    for row in found["agreement"]:
        if row["layer"] is None:
            share = "" if row["agreement"] is None else f" ({row['agreement']:.0%})"
            say(
                f"{row['model']}  {row['words']} and {row['labels']}, {row['category']}: "
                f"{row['agree']} of {row['named']} units agree{share}"
            )


_EXAMPLES_COMPARE = """\b
Examples:
  xai concepts compare demo:diorama/object demo:diorama/scene
  xai concepts compare demo:diorama/object demo:diorama/scene --method netdissect
  xai concepts compare published:resnet18 results/again/descriptions.csv --json
"""


@concepts.command(epilog=_EXAMPLES_COMPARE)
@click.argument("a")
@click.argument("b")
@click.option(
    "--method", type=click.Choice(METHODS), help="of sides in the warehouse [default: the first there is]"
)
@click.option("--layer", help="the layer of NetDissect tallies, which do not name it")
@_JSON
def compare(a: str, b: str, method: str | None, layer: str | None, as_json: bool) -> None:
    """Compare A and B, each STUDY:MODEL in the warehouse or the path of a .csv file.

    Two runs of one model (no two names in the warehouse) are compared unit by unit over the layers that both have: the
    verdict says whether more units changed than a rerun may change. Labels that differ in case, hyphens or number only
    are one.
    """
    from xai_assets.analysis.concept_comparison import compare_concepts

    with _wrong_input():
        found = compare_concepts(_warehouse(), a, b, method=method, layer=layer)
    if as_json:
        _print_json(found)
        return
    for letter in ("a", "b"):
        each = found[letter]
        say(f"{letter.upper()}: {each['name']}, {each['method']}, {each['units']} units")
    for row in found["layers"]:
        where = "all layers" if row["layer"] == "all" else row["layer"]
        say(
            f"{where}: {row['unique_a']} and {row['unique_b']} different concepts, {row['shared']} shared, "
            f"{row['only_a']} in A only, {row['only_b']} in B only, Jaccard {row['jaccard']:.2f}"
        )
    for title, key in (("in A only", "only_a"), ("in B only", "only_b")):
        if found[key]:
            say(f"{title}: {_listed(found[key])}")
    if found["runs"]:
        say(found["runs"]["verdict"])
        for row in found["runs"]["changed"][:LISTED]:
            tie = ", a near-tie" if row["explained"] else ""
            say(f"  {row['layer']} {row['unit']}: {row['concept_a']} -> {row['concept_b']}{tie}")
    for line in found["left_out"]:
        say(f"not compared unit by unit: {line}")
    if method is None and found["methods"]:
        say(f"Both sides also have {', '.join(found['methods'])}: choose with --method.")


_EXAMPLES_EXPORT = """\b
Example:
  xai concepts export --study demo --model diorama/object --output results/object
"""


@concepts.command(epilog=_EXAMPLES_EXPORT)
@click.option("--study", required=True, help="name of the study")
@click.option("--model", required=True, help="name of the dissected model")
@click.option("--method", type=click.Choice(METHODS), default="clip_dissect", show_default=True)
@click.option("--output", type=_FILE, required=True, help="a new folder")
def export(study: str, model: str, method: str, output: Path) -> None:
    """Write descriptions.csv and args.txt, as CLIP-Dissect does, into a new folder."""
    from xai_assets.analysis.concept_import import export_concepts

    with _wrong_input():
        written = export_concepts(_warehouse(), output, study=study, model=model, method=method)
    for path in written:
        say(path)


def _warehouse() -> "Warehouse":
    from xai_assets.resources.warehouse import Warehouse

    settings = Settings.from_environment()
    return Warehouse(settings.warehouse, settings.warehouse_wait, notice=lambda line: say(line, err=True))


@contextmanager
def _wrong_input() -> Iterator[None]:
    """What is missing or wrong ends the command with USAGE_ERROR and the error's own words."""
    try:
        yield
    except XaiError as error:
        say(str(error), err=True)
        sys.exit(USAGE_ERROR)


def _print_json(value: dict[str, Any]) -> None:
    say_json(value)


def _listed(names: list[str]) -> str:
    rest = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return ", ".join(names[:LISTED]) + rest
