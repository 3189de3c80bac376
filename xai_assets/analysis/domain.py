"""Whether the probe images are of the domain that each network of a study was trained on: rows of `probe_health`."""

from collections.abc import Callable, Sequence

import torch
from torch import nn

from xai_assets.analysis.opened_models import open_classifier
from xai_assets.analysis.workbench import Workbench
from xai_assets.dissection.domain import ASKED_IMAGES, MAX_SHIFT, Shift, evenly, norms_of, said_of
from xai_assets.dissection.health import Finding
from xai_assets.dissection.passes import batch_of
from xai_assets.dissection.probe import ProbeSet
from xai_assets.files import fingerprint
from xai_assets.vision.classifiers import Classifier
from xai_assets.vision.encoders import Encoder

KIND = "domain"
CODE_VERSION = 1
BATCH = 8


def classifier_shift(classifier: Classifier, probe: ProbeSet) -> Shift | None:
    """How far some of the probe images lie from the classifier's training."""

    def show(some: Sequence[int]) -> None:
        with torch.inference_mode():
            classifier.network(batch_of(classifier, probe, some)[0])

    return _shift(classifier.network, show, probe)


def encoder_shift(encoder: Encoder, probe: ProbeSet) -> Shift | None:
    """How far they lie from the training of the encoder's image half."""
    return _shift(
        encoder.model.visual, lambda some: encoder.embed_images([probe.image(at) for at in some]), probe
    )


def domain_findings(
    bench: Workbench, probe: Callable[[], ProbeSet], sha256: str, encoder: Encoder
) -> list[Finding]:
    """One row for the encoder and one for each dissected model; kept, so that nothing is shown twice.

    Args:
        bench: of the study.
        probe: opens the probe set, where it is needed.
        sha256: the probe's, as the step `probe_set` found it.
        encoder: the study's.
    """
    found = [
        domain_row(
            "encoder", _kept(bench, sha256, encoder.fingerprint(), lambda: encoder_shift(encoder, probe()))
        )
    ]
    for entry in bench.dissection.models:
        classifier = open_classifier(bench, entry.model)
        made_of = fingerprint([classifier.fingerprint, classifier.preprocessing.fingerprint()])
        shift = _kept(bench, sha256, made_of, lambda of=classifier: classifier_shift(of, probe()))  # type: ignore[misc]
        found.append(domain_row(classifier.name, shift))
    return found


def domain_row(of: str, shift: Shift | None) -> Finding:
    """The row of `probe_health`. What is not known is no warning: zero-shot accuracy and the nearest words say more."""
    said, known = said_of(shift)
    return Finding(f"training domain of {of}", said, "warn" if known is False else "ok")


def _kept(bench: Workbench, sha256: str, network: str, compute: Callable[[], Shift | None]) -> Shift | None:
    key = fingerprint(
        {"code": CODE_VERSION, "probe": sha256, "network": network, "limits": [ASKED_IMAGES, MAX_SHIFT]}
    )
    if not bench.store.has(KIND, key):
        shift = compute()
        bench.store.put(KIND, key, {}, {"shift": None if shift is None else list(shift)})
    kept = bench.store.get(KIND, key)[1]["shift"]
    return None if kept is None else Shift(*kept)


def _shift(network: nn.Module, show: Callable[[Sequence[int]], object], probe: ProbeSet) -> Shift | None:
    chosen = evenly(len(probe))
    with norms_of(network) as norms:
        if not norms.modules:
            return None
        for start in range(0, len(chosen), BATCH):
            show(chosen[start : start + BATCH])
    return norms.shift()
