"""What the steps of a dissection would refuse: their own code, on the first images of the probe set."""

from collections.abc import Iterator

import numpy as np

from xai_assets.analysis.domain import Asked, of_classifier, of_encoder, some
from xai_assets.analysis.embeddings import concept_words
from xai_assets.analysis.pixel_labels import vectors_left_out
from xai_assets.analysis.precheck.domain import foreign
from xai_assets.analysis.precheck.found import Found, Sizes, model_notes, refused
from xai_assets.analysis.probe import PROBE_SPLIT, folder_probe
from xai_assets.analysis.room import SCENE_SIDE
from xai_assets.analysis.workbench import Workbench
from xai_assets.dissection.activations import collect
from xai_assets.dissection.domain import ASKED_IMAGES
from xai_assets.dissection.health import near_duplicates
from xai_assets.dissection.near_duplicates import near_groups
from xai_assets.dissection.probe import ArrayProbe, FolderProbe, ProbeSet
from xai_assets.dissection.similarity.enough import check_images
from xai_assets.errors import XaiError
from xai_assets.interop.broden import BrodenProbe
from xai_assets.set_aside import lines
from xai_assets.study import DissectedModel
from xai_assets.vision.classifiers import Classifier, load_classifier
from xai_assets.vision.encoders import load_encoder
from xai_assets.world.description import describe
from xai_assets.world.render import render

WHOLE = 200
"""Images of a folder that are decoded as in the run."""

LABELLED = 8
"""Images of a Broden folder whose label maps are read as in the run; of all others their being there is asked."""

COMPARED = 64
"""Images that are compared with each other, for crops and copies of one photograph."""

WORDS = 8
"""Concepts that the encoder is tried with."""


def dissected(bench: Workbench, sizes: Sizes) -> list[Found]:
    """The probe set, each dissected model with its layers, the encoder, and the concepts."""
    found: list[Found] = []
    probe: ProbeSet | None = None
    with refused("probe set", found.append):
        probe, count, said = _probe(bench)
        sizes.probe_images = min(count, bench.dissection.probe.limit or count)
        found.append(Found("probe set", "ok", f"{sizes.probe_images} images"))
        found += said
        check_images(bench.dissection.clip_dissect, sizes.probe_images)
        found += _near_duplicates(bench, probe)
    for entry in bench.dissection.models:
        what = f"dissected model {entry.model.name}"
        with refused(what, found.append):
            found += _units(bench, entry, probe, sizes, what)
    found += _encoder(bench, probe)
    return found


def _probe(bench: Workbench) -> tuple[ProbeSet, int, list[Found]]:
    """The first images of the probe set, how many images it has, and what is to be said of it."""
    source = bench.dissection.probe
    if source.folder:
        most = min(source.limit or WHOLE, WHOLE)
        probe = folder_probe(bench, most)
        tried = len(probe) + len(probe.quarantined)
        count = len(probe) + probe.files - tried
        return probe, count, list(_aside(probe))
    if source.broden:
        broden = BrodenProbe(bench.file.resolve(source.broden), limit=source.limit)
        broden.check_files()
        for index in range(min(len(broden), LABELLED)):
            broden.load(index)
            broden.labels(index)
        return broden, len(broden), []
    assert source.diorama is not None
    return _scenes(min(source.diorama.count, ASKED_IMAGES)), source.diorama.count, []


def _aside(probe: FolderProbe) -> Iterator[Found]:
    bad = [(one.path, f"{one.why}. {one.remedy}") for one in probe.quarantined]
    if probe.classes:
        without = len(probe) - len(probe.classes)
        said = f"{len(set(probe.classes.values()))} classes of {len(probe.classes)} images"
        said += f"; of {without} images the class is not known" if without else ""
        yield Found("classes of the probe images", "look" if without else "ok", said)
    for what, things in (
        ("probe images set aside", bad),
        ("probe images to look at", probe.notes),
        ("files left out", [(one.name, one.why) for one in probe.left_out]),
    ):
        yield from (Found(what, "look", line) for line in lines(things, "files"))


def _near_duplicates(bench: Workbench, probe: ProbeSet) -> Iterator[Found]:
    """Crops and copies of one photograph among the first images; scenes of the embedded world are all different."""
    if bench.dissection.probe.diorama is None:
        some = range(min(len(probe), COMPARED))
        _, said, level = near_duplicates(near_groups(probe, indices=some))
        if level == "warn":
            yield Found(
                "probe set", "look", f"of the first {len(some)}, {said}" if len(some) < len(probe) else said
            )


def _domain(bench: Workbench, what: str, asked: Asked, probe: ProbeSet) -> list[Found]:
    """That the probe images are not of the domain that a network was trained on."""
    scenes = bench.dissection.probe.diorama is not None
    return foreign(what, asked, lambda: some(probe), bench.settings, scenes=scenes)


def _scenes(count: int) -> ArrayProbe:
    """The first scenes of the probe set, as the run renders them."""
    return ArrayProbe([render(describe(PROBE_SPLIT, index)).image for index in range(count)])


def _blank() -> ArrayProbe:
    return ArrayProbe([np.full((SCENE_SIDE, SCENE_SIDE, 3), 128, np.uint8)])


def _units(
    bench: Workbench, entry: DissectedModel, probe: ProbeSet | None, sizes: Sizes, what: str
) -> Iterator[Found]:
    """The units of each layer, as the step `unit_activations` hears them on the first image."""
    classifier = load_classifier(entry.model, bench.settings, base=bench.file.path.parent)
    shown = probe or _blank()
    indices = [0, *_of_another_size(shown)] if _keeps_sizes(classifier) else [0]
    quantile = bench.dissection.netdissect.quantile
    try:
        heard = collect(
            classifier, entry.layers, shown, indices=indices, layouts=entry.layout, quantile=quantile
        )
    except (RuntimeError, ValueError) as error:
        raise XaiError(
            classifier.name,
            f"it does not answer an image ({error})",
            "Look at the size in its preprocessing.",
        ) from error
    units = {name: layer.pooled.shape[1] for name, layer in heard.layers.items()}
    sizes.units.append(sum(units.values()))
    yield Found(what, "ok", f"units: {', '.join(f'{name} of {count}' for name, count in units.items())}")
    vectors = [name for name, layer in heard.layers.items() if layer.kind == "vector"]
    if vectors and bench.dissection.probe.folder is None:
        yield Found(what, "look", vectors_left_out(entry.model.name, vectors))
    yield from model_notes(what, classifier)
    if probe is not None:
        yield from _domain(bench, what, of_classifier(classifier), probe)


def _keeps_sizes(classifier: Classifier) -> bool:
    spec = classifier.preprocessing.spec
    return spec.mode == "native" and spec.size is None


def _of_another_size(probe: ProbeSet) -> list[int]:
    """The first of the first images whose size is not that of the very first, where there is one."""
    size = probe.image(0).shape
    return [index for index in range(1, min(len(probe), WHOLE)) if probe.image(index).shape != size][:1]


def _encoder(bench: Workbench, probe: ProbeSet | None) -> list[Found]:
    found: list[Found] = []
    words: list[tuple[str, str]] = []
    with refused("concepts", found.append):
        words = concept_words(bench)
        found.append(Found("concepts", "ok", f"{len(words)} concepts"))
        found += [Found("concepts", "look", line) for line in bench.tally.problems]
    with refused("encoder", found.append):
        encoder = load_encoder(bench.dissection.encoder, bench.settings, base=bench.file.path.parent)
        encoder.embed_images([(probe or _blank()).image(0)])
        if words:
            encoder.embed_texts([word for word, _ in words[:WORDS]])
        found.append(Found("encoder", "ok", encoder.name))
        found += [Found("encoder", "look", note) for note in encoder.notes]
        if probe is not None:
            found += _domain(bench, "encoder", of_encoder(encoder), probe)
    return found
