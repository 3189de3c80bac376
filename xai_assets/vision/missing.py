"""Every file that a study's models need and that is not here: told all at once, before anything starts."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from xai_assets.settings import Settings
from xai_assets.vision.spec import EncoderSpec, ModelSpec
from xai_assets.vision.weights import WeightsFile


@dataclass(frozen=True)
class MissingFile:
    """A file that is needed and absent.

    Attributes:
        what: what it is ("weights of torchvision/resnet50").
        address: where it can be had; None for shipped files and the user's own.
        place: where to put it.
        sha256: what its SHA-256 must be or begin with, where that is known.
        remedy: what to do, in a sentence.
    """

    what: str
    address: str | None
    place: Path
    sha256: str | None
    remedy: str


def missing_files(
    specs: Iterable[ModelSpec | EncoderSpec],
    settings: Settings,
    *,
    base: Path | None = None,
    world: Path | None = None,
) -> tuple[MissingFile, ...]:
    """The files that the specs need and that are absent, each once; nothing is downloaded.

    Arguments are those of `load_classifier`.

    Raises:
        XaiError: a name that neither the zoo nor open_clip knows.
    """
    found: dict[Path, MissingFile] = {}
    for spec in specs:
        for file in _files(spec, settings, base, world):
            if not file.present():
                found.setdefault(file.path, _missing(file))
    return tuple(found.values())


def _files(
    spec: ModelSpec | EncoderSpec, settings: Settings, base: Path | None, world: Path | None
) -> tuple[WeightsFile, ...]:
    # Imported here: open_clip takes seconds, and a study without an encoder does without.
    if isinstance(spec, EncoderSpec):
        from xai_assets.vision.encoder_files import resolve_encoder

        return resolve_encoder(spec, settings, base=base, world=world).files()
    from xai_assets.vision.zoo import resolve

    return resolve(spec, settings, base=base, world=world).files()


def _missing(file: WeightsFile) -> MissingFile:
    by_hand = f"Run with a network, or fetch {file.url} and put it at {file.path}."
    return MissingFile(file.what, file.url, file.path, file.sha256, by_hand if file.url else file.remedy)
