"""Classifiers and encoders as the steps of a run open them: each with the content that the run's other steps used."""

from dataclasses import replace

from xai_assets.analysis.workbench import Workbench
from xai_assets.files import fingerprint
from xai_assets.vision.classifiers import Classifier, load_classifier
from xai_assets.vision.encoders import Encoder, load_encoder
from xai_assets.vision.spec import ModelSpec


def open_classifier(bench: Workbench, spec: ModelSpec) -> Classifier:
    """The classifier of the study's spec.

    Raises:
        XaiError: as `load_classifier`; or its checkpoint or its class names changed since the run began.
    """
    classifier = load_classifier(spec, bench.settings, base=bench.file.path.parent)
    bench.same_input(f"the checkpoint {spec.checkpoint or spec.name}", classifier.sha256)
    names = fingerprint(list(classifier.class_names))
    bench.same_input(f"the class names {spec.class_names or f'of {spec.name}'}", names)
    if bench.study.attribution is None:
        return classifier
    return replace(classifier, memory_mib=bench.batch(bench.study.attribution.memory_mib))


def open_encoder(bench: Workbench) -> Encoder:
    """The study's encoder.

    Raises:
        XaiError: as `load_encoder`; or its weights changed since the run began.
    """
    spec = bench.dissection.encoder
    encoder = load_encoder(spec, bench.settings, base=bench.file.path.parent)
    bench.same_input(f"the encoder {spec.name}", encoder.sha256)
    return encoder
