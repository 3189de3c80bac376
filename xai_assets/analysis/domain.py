"""Whether images are of the domain that a network was trained on: rows of `probe_health` and of `prediction_summary`.

The embedded world's own networks are asked with scenes at hand; others by their batch normalisation, where they have any.
"""

from collections.abc import Callable, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from xai_assets.analysis.opened_models import open_classifier
from xai_assets.analysis.workbench import Workbench
from xai_assets.dissection.domain import ASKED_IMAGES, Norms, Shift, evenly, norms_of, said_of
from xai_assets.dissection.domain_reference import (
    FAR,
    FITTED,
    HELD_OUT,
    MAX_P,
    Reference,
    Strange,
    numbers_of,
    reference_of,
    said_of_strange,
)
from xai_assets.dissection.health import Finding
from xai_assets.dissection.probe import ProbeSet
from xai_assets.files import fingerprint, sha256_file
from xai_assets.settings import Settings
from xai_assets.vision.classifiers import Classifier
from xai_assets.vision.encoder_files import DIORAMA as ENCODER
from xai_assets.vision.encoder_files import resolve_encoder
from xai_assets.vision.encoders import Encoder
from xai_assets.vision.zoo import DIORAMA, resolve
from xai_assets.world.description import describe
from xai_assets.world.render import render
from xai_assets.world.vocabulary import WORLD_VERSION

KIND, REFERENCE = "domain", "domain_reference"
CODE_VERSION = 2
BATCH = 16
KNOWN_SPLIT = "validation"
"""Scenes that no network was trained on and no study shows."""

Images = Sequence[np.ndarray]


class Asked(NamedTuple):
    """A network that is asked.

    Attributes:
        network: whose batch normalisations are heard.
        show: passes images (h w 3 uint8) through it.
        sha256: of its weights.
        fingerprint: of all that decides its answers.
    """

    network: nn.Module
    show: Callable[[Images], object]
    sha256: str
    fingerprint: str


def of_classifier(classifier: Classifier) -> Asked:
    """Its images in one batch where their tensors are of one size, else one by one."""

    def show(images: Images) -> None:
        with torch.inference_mode():
            tensors = [classifier.preprocessing.tensor(image) for image in images]  # h w 3 -> 3 h w
            together = len({tensor.shape for tensor in tensors}) == 1
            for batch in [torch.stack(tensors)] if together else [tensor[None] for tensor in tensors]:
                classifier.network(batch.to(classifier.device))

    made_of = fingerprint([classifier.fingerprint, classifier.preprocessing.fingerprint()])
    return Asked(classifier.network, show, classifier.sha256, made_of)


def of_encoder(encoder: Encoder) -> Asked:
    """The image half."""
    return Asked(encoder.model.visual, encoder.embed_images, encoder.sha256, encoder.fingerprint())


def embedded_world_s(sha256: str, settings: Settings) -> bool:
    """Whether the weights are those of one of the embedded world's shipped networks."""
    weights = [resolve_encoder(ENCODER, settings).weights]
    weights += [resolve(name, settings).weights for name in DIORAMA]
    return any(sha256_file(one.path) == sha256 for one in weights if one.path.is_file())


@cache
def known_scenes() -> tuple[np.ndarray, ...]:
    """FITTED + HELD_OUT scenes of the embedded world, h w 3 uint8, drawn once in a process: 20 MB."""
    return tuple(render(describe(KNOWN_SPLIT, index)).image for index in range(FITTED + HELD_OUT))


def heard(asked: Asked, images: Images) -> Norms:
    """What its batch normalisations are given by the images, one after the other."""
    with norms_of(asked.network) as norms:
        batch: list[np.ndarray] = []
        for image in images if norms.modules else ():
            batch.append(image)
            if len(batch) == BATCH:
                asked.show(batch)
                batch.clear()
        if batch:
            asked.show(batch)
    return norms


_references: dict[str, Reference] = {}
"""Those of this process by network: there are three such networks, and all scenes are drawn for each."""


def scene_reference(asked: Asked) -> Reference:
    """What scenes of the embedded world give in a network that was trained on such; made once in a process."""
    if asked.fingerprint not in _references:
        _references[asked.fingerprint] = reference_of(numbers_of(heard(asked, known_scenes()).moments()))
    return _references[asked.fingerprint]


def domain_of(asked: Asked, images: Images, reference: Reference | None) -> Shift | Strange | None:
    """What of the images' domain can be told: against known scenes, else by the batch normalisation's statistics."""
    norms = heard(asked, images)
    moments = norms.moments()
    if reference is not None and moments:
        return reference.strange(numbers_of(moments))
    return norms.shift()


def looked_at(asked: Asked, images: Images, settings: Settings) -> Shift | Strange | None:
    """The same for once, with nothing kept."""
    own = embedded_world_s(asked.sha256, settings)
    return domain_of(asked, images, scene_reference(asked) if own else None)


def some(probe: ProbeSet) -> list[np.ndarray]:
    """At most ASKED_IMAGES of a probe set, evenly spaced."""
    return [probe.image(at) for at in evenly(len(probe))]


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

    def images() -> list[np.ndarray]:
        return some(probe())

    found = [domain_row("encoder", kept_domain(bench, of_encoder(encoder), sha256, images))]
    for entry in bench.dissection.models:
        classifier = open_classifier(bench, entry.model)
        found.append(
            domain_row(classifier.name, kept_domain(bench, of_classifier(classifier), sha256, images))
        )
    return found


def explained_domain(
    bench: Workbench, classifier: Classifier, pictures: Sequence[str]
) -> tuple[str, bool | None]:
    """What is said of the images that the study explains, as `said`.

    Args:
        bench: of the study.
        classifier: the explained one.
        pictures: artifacts of kind `pictures`, of the images that it answered.
    """
    chosen = [pictures[at] for at in evenly(len(pictures))]
    return said(
        kept_domain(
            bench,
            of_classifier(classifier),
            fingerprint(chosen),
            lambda: [bench.store.get("pictures", key)[0]["pixels"] for key in chosen],
        )
    )


def domain_row(of: str, found: Shift | Strange | None) -> Finding:
    """The row of `probe_health`. What is not known is no warning: zero-shot accuracy and the nearest words say more."""
    told, known = said(found)
    return Finding(f"training domain of {of}", told, "warn" if known is False else "ok")


def said(found: Shift | Strange | None) -> tuple[str, bool | None]:
    """What is said, and whether the images can be of the network's domain; None where it is not known."""
    return said_of_strange(found) if isinstance(found, Strange) else said_of(found)


def kept_domain(
    bench: Workbench, asked: Asked, sha256: str, images: Callable[[], Images]
) -> Shift | Strange | None:
    """`domain_of` as an artifact.

    Args:
        bench: of the study.
        asked: the network.
        sha256: of the images, which `images` gives.
        images: opened where they are needed.
    """
    key = fingerprint(
        {
            "code": CODE_VERSION,
            "images": sha256,
            "network": asked.fingerprint,
            "limits": [ASKED_IMAGES, MAX_P, FAR],
        }
    )
    if not bench.store.has(KIND, key):
        found = domain_of(asked, images(), _kept_reference(bench, asked))
        kind = None if found is None else type(found).__name__
        bench.store.put(KIND, key, {}, {"kind": kind, "found": None if found is None else list(found)})
    kept = bench.store.get(KIND, key)[1]
    kinds: dict[str | None, type[Shift] | type[Strange]] = {"Shift": Shift, "Strange": Strange}
    return None if kept["kind"] is None else kinds[kept["kind"]](*kept["found"])


def _kept_reference(bench: Workbench, asked: Asked) -> Reference | None:
    if not embedded_world_s(asked.sha256, bench.settings):
        return None
    made_of = {
        "code": CODE_VERSION,
        "world": WORLD_VERSION,
        "split": KNOWN_SPLIT,
        "images": [FITTED, HELD_OUT],
    }
    key = fingerprint({**made_of, "network": asked.fingerprint})
    if not bench.store.has(REFERENCE, key):
        bench.store.put(REFERENCE, key, scene_reference(asked).to_arrays(), {})
    return Reference.from_arrays(bench.store.get(REFERENCE, key)[0])
