"""What a study needs from outside, told all at once before anything runs: weights, data sets, images."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from xai_assets.dissection.class_pattern import is_pattern
from xai_assets.errors import XaiError
from xai_assets.progress import Progress
from xai_assets.settings import Settings
from xai_assets.study_file import StudyFile
from xai_assets.vision.downloads import fetch
from xai_assets.vision.missing import missing_files
from xai_assets.vision.spec import EncoderSpec, ModelSpec
from xai_assets.vision.weights import open_to_change

BRODEN = "http://netdissect.csail.mit.edu/data/broden1_224.zip"
WORDS = "https://raw.githubusercontent.com/Trustworthy-ML-Lab/CLIP-dissect/main/data/20k.txt"


@dataclass(frozen=True)
class Need:
    """Something that is not there.

    Attributes:
        what: what it is.
        place: where it is looked for.
        address: where it can be had, as far as is known.
        downloadable: whether it is one file that can be fetched to its place as it is: not over http without a hash.
        sha256: what its SHA-256 must be or begin with, where that is known.
    """

    what: str
    place: Path
    address: str | None = None
    downloadable: bool = False
    sha256: str | None = None

    def __str__(self) -> str:
        source = f"get it from {self.address} and put" if self.address else "put"
        return f"missing: {self.what}: {source} it at {self.place}"


def needs(file: StudyFile, settings: Settings) -> list[Need]:
    """Everything that the study names and that is not there; nothing is downloaded."""
    specs: list[ModelSpec | EncoderSpec] = []
    own: list[Need] = []
    if dissection := file.study.dissection:
        specs += [entry.model for entry in dissection.models]
        specs.append(dissection.encoder)
        if dissection.probe.broden:
            own.append(Need("the probe set (Broden)", file.resolve(dissection.probe.broden), BRODEN))
        if dissection.probe.folder:
            own.append(Need("the folder of probe images", file.resolve(dissection.probe.folder)))
            classes = dissection.probe.classes
            if classes and not is_pattern(classes):
                own.append(Need("the table of the probe's classes", file.resolve(classes)))
        if dissection.concepts != "diorama":
            own.append(Need("the concept list", file.resolve(dissection.concepts), WORDS))
    if attribution := file.study.attribution:
        specs += attribution.models or (attribution.model,)
        if attribution.images.folder:
            own.append(Need("the folder of images to explain", file.resolve(attribution.images.folder)))
        if attribution.images.label_file:
            own.append(Need("the labels of the images", file.resolve(attribution.images.label_file)))
        own += [
            Need(f"the maps of {method}", file.resolve(given.maps))
            for method, given in attribution.methods.external_sets().items()
        ]
        if truth := attribution.truth:
            given = {"the folder of true masks": truth.masks, "the file of true boxes": truth.boxes}
            own += [Need(what, file.resolve(path)) for what, path in given.items() if path]
    absent = missing_files(specs, settings, base=file.path.parent)
    weights = [
        Need(
            f.what,
            f.place,
            f.address,
            f.address is not None and not open_to_change(f.address, f.sha256),
            f.sha256,
        )
        for f in absent
    ]
    return weights + [need for need in own if not need.place.exists()]


def fetch_needs(missing: list[Need], watch: Callable[[str], Progress]) -> list[str]:
    """Download what can be; nothing is fetched while something is missing that only a person can bring.

    Returns:
        One line for each thing that is still missing.
    """
    if not all(need.downloadable for need in missing):
        return [str(need) for need in missing]
    left = []
    for need in missing:
        assert need.address is not None
        try:
            fetch(need.address, need.sha256, need.place, watch(need.what))
        except XaiError as error:
            left.append(f"missing: {need.what}: {error}")
    return left
