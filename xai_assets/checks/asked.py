"""What a study asks for, by asset: the checks of what it leaves out are not asked, and those of what it asks for are."""

from collections.abc import Callable

from xai_assets.study import Attribution, Dissection, Study

FURTHER = {"hirescam", "gradcampp", "xgradcam", "layercam", "eigencam"}
METHODS = {"gradcam": "Grad-CAM", "ablationcam": "AblationCAM", "scorecam": "ScoreCAM", "lime": "LIME"}
ALL_EXTERNAL = "All maps of the study are other tools', which cannot be made again here."


def left_out(study: Study, asset: str) -> str | None:
    """Why the study leaves an asset without rows, as a sentence; None where it asks for it."""
    if study.attribution is not None and asset in _OF_ATTRIBUTION:
        return _OF_ATTRIBUTION[asset](study.attribution)
    if study.dissection is not None and asset == "netdissect_concepts":
        return _labels(study.dissection)
    return None


def _labels(dissection: Dissection) -> str | None:
    unlabelled = dissection.probe.folder is not None
    return "The probe set has no pixel labels, so nothing was dissected by them." if unlabelled else None


def _method(name: str, title: str) -> Callable[[Attribution], str | None]:
    return lambda attribution: (
        None if name in attribution.methods.chosen() else f"The study leaves {title} out."
    )


def _further(attribution: Attribution) -> str | None:
    chosen = FURTHER & set(attribution.methods.chosen())
    return None if chosen else "The study leaves the further CAM methods out."


def _external(attribution: Attribution) -> str | None:
    return None if attribution.methods.external else "The study has no maps of other tools."


def _agreement(attribution: Attribution) -> str | None:
    several = len(attribution.methods.chosen()) > 1
    return None if several else "The study has one method, so there is nothing to compare."


def _localization(attribution: Attribution) -> str | None:
    known = attribution.truth is not None or attribution.images.diorama is not None
    return None if known else "The study has no ground truth."


def _faithfulness(attribution: Attribution) -> str | None:
    return None if attribution.faithfulness else "The study leaves faithfulness out."


def _differences(attribution: Attribution) -> str | None:
    if attribution.explain == "both":
        return _faithfulness(attribution)
    return "The study does not explain both the predicted and the labelled class (`explain: both`)."


def _robustness(attribution: Attribution) -> str | None:
    if attribution.robustness and not attribution.methods.made():
        return ALL_EXTERNAL
    return None if attribution.robustness else "The study leaves robustness out."


def _verification(attribution: Attribution) -> str | None:
    said = "The study does not ask for it: `verify` under `attribution` does with every run, `xai verify` at any time."
    return None if attribution.verify else said


def _models(attribution: Attribution) -> str | None:
    said = "The study has one model; `models` under `attribution` compares several on the same images."
    return None if attribution.models else said


def _counterfactuals(attribution: Attribution) -> str | None:
    scenes = attribution.images.diorama is not None
    return None if scenes else "Only scenes of the embedded world can be changed, and the study has none."


_OF_ATTRIBUTION: dict[str, Callable[[Attribution], str | None]] = {
    **{f"{name}_masks": _method(name, title) for name, title in METHODS.items()},
    "further_cam_masks": _further,
    "external_masks": _external,
    "mask_agreement": _agreement,
    "localization": _localization,
    "evidence_place": _localization,
    "faithfulness": _faithfulness,
    "difference_faithfulness": _differences,
    "robustness": _robustness,
    "counterfactuals": _counterfactuals,
    "verification": _verification,
    "answers_by_model": _models,
    "maps_by_model": _models,
    "model_tables": _models,
}
