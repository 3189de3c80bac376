"""What a run of a study would refuse, before an hour is spent on it.

The steps' own code decides: it is run on a few images, without the expensive part, and its words are passed on. What no
look can find beforehand: a file that changes later, numbers that become infinite on an image that was not tried, and
memory that is not there when it is needed.
"""

from dataclasses import replace

from xai_assets.analysis.needs import needs
from xai_assets.analysis.precheck.attribution import explained
from xai_assets.analysis.precheck.dissection import dissected
from xai_assets.analysis.precheck.found import Found, Sizes, refused
from xai_assets.analysis.reports import lacks
from xai_assets.analysis.room import Amounts, free_bytes, in_words, layer_methods, ran_before
from xai_assets.analysis.workbench import Workbench
from xai_assets.resources.warehouse_look import look_at_warehouse
from xai_assets.settings import Settings
from xai_assets.study import Study
from xai_assets.study_file import StudyFile
from xai_assets.vision.devices import resolve_device

__all__ = ["Found", "precheck"]


def precheck(file: StudyFile, settings: Settings) -> list[Found]:
    """Look at everything that the study names; nothing is downloaded or written."""
    absent = needs(file, settings)
    found = [
        Found(need.what, "missing", str(need).removeprefix(f"missing: {need.what}: ")) for need in absent
    ]
    if found:
        return found  # what fits what is told when all is there
    sizes = Sizes()
    found.append(Found("files", "ok", "all that it names are there"))
    with refused("device", found.append):
        resolve_device(settings.device)
    on_cpu = replace(settings, device="cpu")
    if file.study.attribution:
        found += explained(Workbench(on_cpu, file), sizes)
    if file.study.dissection:
        found += dissected(Workbench(on_cpu, file), sizes)
    found += _reports(file.study)
    fit, said = look_at_warehouse(settings.warehouse)
    found.append(Found("warehouse", "ok" if fit else "unfit", said))
    found.append(_room(file, settings, sizes))
    return found


def _reports(study: Study) -> list[Found]:
    """The reports that the study asks for by name and that are not made: they need what it does not have."""
    asked = study.reports if "reports" in study.model_fields_set else ()
    return [
        Found("reports", "look", f"the report {kind} is not made: the study has no {missing}")
        for kind in asked
        if (missing := lacks(study, kind)) is not None
    ]


def _room(file: StudyFile, settings: Settings, sizes: Sizes) -> Found:
    attribution, dissection = file.study.attribution, file.study.dissection
    rendered = dissection.probe.diorama.count if dissection and dissection.probe.diorama else 0
    wanted = Amounts(
        picture_pixels=sizes.picture_pixels,
        scenes=bool(attribution and attribution.images.diorama),
        cases=sizes.cases,
        methods=len(attribution.methods.chosen()) if attribution else 0,
        layer_methods=layer_methods(attribution) if attribution else 0,
        view_pixels=sizes.view_pixels,
        units=sizes.units,
        probe_images=sizes.probe_images,
        rendered=rendered,
    ).bytes
    free = free_bytes(settings.artifacts)
    said = f"results take about {in_words(wanted)}, {in_words(free)} are free at {settings.artifacts}"
    if wanted <= free:
        return Found("room", "ok", said)
    if ran_before(file, settings):
        return Found(
            "room", "look", f"{said}. What an earlier run has left is taken up again, and needs no more."
        )
    return Found(
        "room", "unfit", f"{said}. Set XAI_DATA or XAI_ARTIFACTS to a folder with room, or `xai prune`."
    )
