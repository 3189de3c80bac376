"""The proof that the world is the same everywhere: hashes of a sample of descriptions, pixels and labels."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from xai_assets.files import fingerprint, sha256_bytes, write_json
from xai_assets.settings import shipped
from xai_assets.world.counterfactual import variants
from xai_assets.world.description import describe
from xai_assets.world.errors import WorldError
from xai_assets.world.render import Rendered, render
from xai_assets.world.scene import SPLITS, SceneDescription
from xai_assets.world.vocabulary import PIXEL_CATEGORIES, WORLD_VERSION

_SCENES, _PAIRS, _CHANGED = 16, 4, 4  # in the sample, of each split; of "test" and "demo"; of "test"


@dataclass(frozen=True)
class Difference:
    """A picture of which something is not as the manifest says.

    Attributes:
        id: the scene.
        what: those of "description", "image" and "labels" that differ, or "missing" from the manifest.
    """

    id: str
    what: tuple[str, ...]


@dataclass(frozen=True)
class Verification:
    """What `verify` found: how many pictures were rendered again, and those that differ."""

    checked: int
    differences: tuple[Difference, ...]

    @property
    def passed(self) -> bool:
        """Whether every byte was as the manifest says."""
        return not self.differences


def sample() -> Iterator[SceneDescription]:
    """The descriptions in the manifest: scenes of every split, pairs, and counterfactuals of both."""
    for split in SPLITS:
        yield from (describe(split, index) for index in range(_SCENES))
    for split in ("test", "demo"):
        yield from (describe(split, index, targets=2) for index in range(_PAIRS))
    for index in range(_CHANGED):
        yield from variants(describe("test", index, targets=1 + index % 2)).values()


def hashes(rendered: Rendered) -> dict[str, str]:
    """Hashes of a picture's description, pixels, and label maps with the targets' masks."""
    labels = b"".join(rendered.labels[category].tobytes() for category in PIXEL_CATEGORIES)
    masks = b"".join(target.mask.tobytes() for target in rendered.targets)
    return {
        "description": fingerprint(rendered.description.to_dict()),
        "image": sha256_bytes(rendered.image.tobytes()),
        "labels": sha256_bytes(labels + masks),
    }


def manifest_path() -> Path:
    """Where the manifest is shipped."""
    return shipped("world") / "manifest.json"


def write_manifest(path: Path | None = None) -> Path:
    """Render the sample and write its hashes; returns the path."""
    scenes = {description.id: hashes(render(description)) for description in sample()}
    return write_json(path or manifest_path(), {"world": WORLD_VERSION, "scenes": scenes})


def verify(progress: Callable[[int, int], None] | None = None, *, path: Path | None = None) -> Verification:
    """Render the sample again and compare it with the manifest, byte for byte.

    Args:
        progress: called with pictures done and pictures in all.
        path: another manifest than the shipped one.

    Raises:
        WorldError: the manifest is missing, is no manifest, or is of another version of the world.
    """
    path = path or manifest_path()
    try:
        known = json.loads(path.read_text("utf-8"))
        version, scenes = known["world"], known["scenes"]
    except OSError as error:
        raise WorldError(
            f"manifest {path}", "it cannot be read", "Get a whole copy of the project."
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise WorldError(
            f"manifest {path}", "it is no manifest of the world", "Get a whole copy of it."
        ) from error
    if version != WORLD_VERSION:
        raise WorldError(
            f"manifest {path}", f"it is of world {version}, this is world {WORLD_VERSION}", "Write it anew."
        )
    differences = []
    descriptions = list(sample())
    for done, description in enumerate(descriptions, start=1):
        found, expected = hashes(render(description)), scenes.get(description.id)
        what = tuple(k for k in found if found[k] != expected.get(k)) if expected else ("missing",)
        if what:
            differences.append(Difference(description.id, what))
        if progress is not None:
            progress(done, len(descriptions))
    return Verification(len(descriptions), tuple(differences))
