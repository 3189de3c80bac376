"""Is the probe set what it should be, and does the encoder understand it? Asked before anyone believes a number."""

from collections import Counter
from collections.abc import Sequence
from typing import Literal, NamedTuple, Protocol

import numpy as np

from xai_assets.dissection.labels import normalise_label
from xai_assets.dissection.presence import concept_pixels
from xai_assets.dissection.probe import ProbeSet
from xai_assets.files import fingerprint
from xai_assets.progress import Progress, silent

ZERO_SHOT_CATEGORIES = ("object", "scene")
MIN_ZERO_SHOT = 0.3
"""Below this accuracy, or below three times chance, pictures or encoder are suspect: a probe of normalised tensors
shown to CLIP as if they were pictures gives 10 %, the same pictures whole about 68 %."""

_TIMES_CHANCE = 3
_SHOWN = 5
_FEW_CONCEPTS = 10


class Finding(NamedTuple):
    """One row of the table `probe_health`."""

    key: str
    value: str
    level: Literal["ok", "warn"]


class TextEncoder(Protocol):
    """What is needed of `vision.encoders.Encoder`."""

    def embed_texts(self, texts: Sequence[str]) -> np.ndarray:
        """Unit vectors, float32 (m, d)."""
        ...


class ZeroShot(NamedTuple):
    """Accuracy on the probe's own labels: share right, chance (one over the classes), images and classes asked."""

    accuracy: float
    chance: float
    images: int
    classes: int


def probe_health(
    probe: ProbeSet,
    encoder: TextEncoder,
    words: Sequence[tuple[str, str]],
    image_features: np.ndarray,
    *,
    progress: Progress = silent,
) -> list[Finding]:
    """What there is to know about a probe set, its encoder and the concept list.

    Args:
        probe: the images; each is read once.
        encoder: embeds the names of the probe's own labels.
        words: the concept list, (word, category).
        image_features: float32 (n, d), the probe images in the encoder's space.
        progress: called after each image.

    Returns:
        Findings: images, sizes, modes, duplicates, unreadable files, labels, concepts, their hash and head, and
        zero-shot accuracy by category where there are labels. Level "warn" where something needs a look.
    """
    findings = _pictures(probe, progress) + _concepts(words)
    if probe.concepts is None:
        return [*findings, Finding("zero-shot accuracy", "not known: the probe set has no labels", "warn")]
    findings.append(
        Finding(
            "labels",
            ", ".join(f"{name} {count}" for name, count in Counter(probe.concepts["category"]).items()),
            "ok",
        )
    )
    shares = concept_pixels(probe)
    unlabelled = int((shares.sum(1) == 0).sum())
    findings.append(Finding("images without any label", str(unlabelled), "warn" if unlabelled else "ok"))
    for category in ZERO_SHOT_CATEGORIES:
        found = zero_shot(probe, encoder, image_features, shares, category)
        if found is not None:
            good = (
                found.accuracy >= max(MIN_ZERO_SHOT, _TIMES_CHANCE * found.chance)
                or found.chance > MIN_ZERO_SHOT
            )
            findings.append(
                Finding(
                    f"zero-shot accuracy, {category}",
                    f"{found.accuracy:.1%} of {found.images} images, {found.classes} "
                    f"classes (chance {found.chance:.1%})",
                    "ok" if good else "warn",
                )
            )
    return findings


def zero_shot(
    probe: ProbeSet, encoder: TextEncoder, image_features: np.ndarray, shares: np.ndarray, category: str
) -> ZeroShot | None:
    """How often the encoder's nearest label name is the label that covers most of the picture.

    Args:
        probe: labels and their names.
        encoder: embeds the names as they stand, as CLIP-Dissect embeds its words.
        image_features: (n, d).
        shares: (n, c), from `concept_pixels`.
        category: whose labels are asked.

    Returns:
        None where fewer than two labels of the category occur. Images without a label of the category are left out.
    """
    assert probe.concepts is not None
    of_category = np.flatnonzero(probe.concepts["category"] == category)
    used = of_category[shares[:, of_category].max(axis=0) > 0] if len(shares) else of_category
    if len(used) < 2:
        return None
    asked = np.flatnonzero(shares[:, used].max(axis=1) > 0)  # m
    truth = shares[np.ix_(asked, used)].argmax(axis=1)  # m
    names = [spoken_name(probe.concepts["name"].iloc[at]) for at in used]
    texts = np.asarray(encoder.embed_texts(names))  # k d
    answers = (image_features[asked] @ texts.T).argmax(axis=1)  # m d, d k -> m
    return ZeroShot(float((answers == truth).mean()), 1 / len(used), len(asked), len(used))


def spoken_name(name: str) -> str:
    """A label as a person would say it: Broden's endings -s and -c gone, '_' and '/' as blanks, plurals kept."""
    spoken = name.replace("_", " ").replace("/", " ").strip()
    return spoken[:-2] if spoken.endswith(("-s", "-c")) else spoken


def _pictures(probe: ProbeSet, progress: Progress) -> list[Finding]:
    sizes: Counter[str] = Counter()
    modes: Counter[str] = Counter()
    hashes: Counter[str] = Counter()
    flat = []
    for index in range(len(probe)):
        picture = probe.load(index)
        height, width = picture.pixels.shape[:2]
        sizes[f"{width} x {height}"] += 1
        modes[picture.mode] += 1
        hashes[picture.sha256] += 1
        if picture.pixels.min() == picture.pixels.max():
            flat.append(probe.ids[index])
        progress(index + 1, len(probe))
    duplicates = sum(count - 1 for count in hashes.values())
    broken = [bad.path for bad in getattr(probe, "quarantined", ())]
    return [
        Finding("images", str(len(probe)), "ok"),
        Finding("sizes", _most(sizes), "ok"),
        Finding("modes", _most(modes), "ok" if set(modes) <= {"RGB"} else "warn"),
        Finding("duplicates", str(duplicates), "warn" if duplicates else "ok"),
        Finding("images of one colour", _listed(flat), "warn" if flat else "ok"),
        Finding("unreadable files", _listed(broken), "warn" if broken else "ok"),
    ]


def _concepts(words: Sequence[tuple[str, str]]) -> list[Finding]:
    spelling = Counter(normalise_label(word) for word, _ in words)
    alike = [label for label, count in spelling.items() if count > 1]
    return [
        Finding("concepts", str(len(words)), "warn" if len(words) < _FEW_CONCEPTS else "ok"),
        Finding("concepts, hash", fingerprint([list(pair) for pair in words]), "ok"),
        Finding("concepts, head", ", ".join(word for word, _ in words[:_SHOWN]), "ok"),
        Finding("concepts that differ in spelling only", _listed(alike), "warn" if alike else "ok"),
    ]


def _most(counts: Counter[str]) -> str:
    shown = ", ".join(f"{name} ({count})" for name, count in counts.most_common(_SHOWN))
    return shown + (f" and {len(counts) - _SHOWN} more" if len(counts) > _SHOWN else "")


def _listed(names: Sequence[str]) -> str:
    if not names:
        return "0"
    return f"{len(names)}: {', '.join(names[:_SHOWN])}" + (" …" if len(names) > _SHOWN else "")
