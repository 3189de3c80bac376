"""`xai verify`: a study's maps against those of the libraries grad-cam and lime."""

import sys
from typing import TYPE_CHECKING, Any

import click

from xai_assets.attribution.parameters import VERIFIED
from xai_assets.cli_say import say, say_json
from xai_assets.settings import Settings

if TYPE_CHECKING:
    from xai_assets.analysis.verify import Planned

BEYOND = 1
"""Exit code where a map differs by more than its tolerance."""

NOTHING = 2
"""Exit code where nothing could be compared."""

HEADING = (
    f"{'method':12} {'library':16} {'maps':>4} {'difference':>10} {'tolerance':>9} {'library s':>9} {'xai s':>8}  "
    "verdict"
)


@click.command()
@click.argument("study")
@click.option(
    "--maps", "count", default=VERIFIED, show_default=True, type=click.IntRange(1), help="maps of each method"
)
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0, 2**32 - 1), help="of the sample")
@click.option(
    "--methods",
    multiple=True,
    metavar="METHOD",
    help="these only, such as gradcam; may be given several times",
)
@click.option("--json", "as_json", is_flag=True, help="print JSON: one entry a method, and every map")
def verify(study: str, count: int, seed: int, methods: tuple[str, ...], as_json: bool) -> None:
    """Make a sample of STUDY's finished maps again with the libraries grad-cam and lime, and compare.

    On the study's own network, images, layers and classes; maps are scaled to 0..1. AblationCAM and ScoreCAM take the
    libraries a forward pass for each channel of the layer, LIME one for each sample: what it takes is said before. Every
    map that was compared is a row of the table `verification`, where those of other maps stay as long as these maps are
    the study's. `verify` under `attribution` in the study asks for the same with every run.

    Exit code 0: every map that could be compared is within its method's tolerance; 1: one is beyond; 2: nothing could be
    compared, such as where there are no maps yet.
    """
    from xai_assets.analysis.verified_rows import summary
    from xai_assets.analysis.verify import plan
    from xai_assets.analysis.verify import verify as compare
    from xai_assets.analysis.workbench import Workbench
    from xai_assets.cli_progress import bar

    bench = Workbench.open(study, Settings.from_environment())
    planned = plan(bench, count=count, seed=seed, methods=methods)
    say(_cost(planned), err=True)
    with bar(f"verifying {bench.study.name}") as progress:
        rows = compare(bench, planned, seed=seed, progress=progress)
    found = summary(rows)
    if as_json:
        maps = [
            {name: None if value != value else value for name, value in row.items()}
            for row in rows.to_dict("records")
        ]
        say_json({"study": bench.study.name, "seed": seed, "methods": found, "maps": maps})
    else:
        say(HEADING)
        for entry in found:
            say(_line(entry))
            for note in entry["notes"]:
                say(f"{'':12} {note}")
    verdicts = {entry["verdict"] for entry in found}
    sys.exit(BEYOND if "beyond" in verdicts else 0 if "within" in verdicts else NOTHING)


def _cost(planned: "Planned") -> str:
    from xai_assets.cli_progress import in_words

    return (
        f"{len(planned.rows)} maps, for which the libraries make {planned.passes:,} forward passes: about "
        f"{in_words(planned.seconds)} on {planned.classifier.device}"
    )


def _line(entry: dict[str, Any]) -> str:
    difference = entry["largest_difference"]
    verdict = entry["verdict"].replace("_", " ")
    if entry["not_compared"] and entry["maps"]:
        verdict += f"; {entry['not_compared']} not compared"
    return (
        f"{entry['method']:12} {entry['library']:16} {entry['maps']:4} "
        f"{'-' if difference is None else format(difference, '.1e'):>10} {entry['tolerance']:9.0e} "
        f"{entry['seconds_library']:9.2f} {entry['seconds']:8.2f}  {verdict}"
    )
