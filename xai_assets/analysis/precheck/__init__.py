"""What can be known of a study before an hour is spent on it: files, weights, layers, classes, pictures, room."""

from xai_assets.analysis.needs import needs
from xai_assets.analysis.precheck.found import Found, Sizes
from xai_assets.analysis.precheck.models import dissected, explained
from xai_assets.analysis.precheck.room import Amounts, free_bytes, in_words
from xai_assets.settings import Settings
from xai_assets.study_file import StudyFile

__all__ = ["Found", "precheck"]


def precheck(file: StudyFile, settings: Settings) -> list[Found]:
    """Look at everything that the study names; nothing is downloaded, computed or written."""
    absent = needs(file, settings)
    found = [
        Found(need.what, "missing", str(need).removeprefix(f"missing: {need.what}: ")) for need in absent
    ]
    if found:
        return found  # what fits what is told when all is there
    sizes = Sizes()
    found.append(Found("files", "ok", "all that it names are there"))
    found += explained(file, settings, sizes)
    found += dissected(file, settings, sizes)
    found.append(_room(file, settings, sizes))
    return found


def _room(file: StudyFile, settings: Settings, sizes: Sizes) -> Found:
    attribution, dissection = file.study.attribution, file.study.dissection
    rendered = dissection.probe.diorama.count if dissection and dissection.probe.diorama else 0
    wanted = Amounts(
        picture_pixels=sizes.picture_pixels,
        scenes=bool(attribution and attribution.images.diorama),
        cases=sizes.cases,
        methods=len(attribution.methods.chosen()) if attribution else 0,
        view_pixels=sizes.view_pixels,
        units=sizes.units,
        probe_images=sizes.probe_images,
        rendered=rendered,
    ).bytes
    free = free_bytes(settings.artifacts)
    said = f"results take about {in_words(wanted)}, {in_words(free)} are free at {settings.artifacts}"
    if wanted <= free:
        return Found("room", "ok", said)
    return Found(
        "room", "unfit", f"{said}. Set XAI_DATA or XAI_ARTIFACTS to a folder with room, or `xai prune`."
    )
