"""Is the probe set what it should be, and does the encoder understand it? Asked before anyone believes a number."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple, Protocol

import numpy as np

from xai_assets.dissection.exchangeable import enough, nontrivial, too_few
from xai_assets.dissection.label_segments import LabelSegments, read_labels
from xai_assets.dissection.labels import normalise_label
from xai_assets.dissection.probe import ProbeSet
from xai_assets.dissection.suspicion import looks_like_label_map, looks_normalised, stem
from xai_assets.evaluation.intervals import share_interval
from xai_assets.files import fingerprint
from xai_assets.progress import Progress, silent

ZERO_SHOT_CATEGORIES = ("object", "scene")
MIN_ZERO_SHOT = 0.3
"""Below this skill (accuracy beyond chance) pictures or encoder are suspect: a probe of normalised tensors
shown to CLIP as if they were pictures gives 10 %, the same pictures whole about 68 %. Of 100 scenes of the embedded
world, the shipped encoder names an object that is there in 100 % (chance 14 %) and the scene in 100 %; after
normalising and casting to bytes in 27 % and 13 %."""

MAX_ONE_WORD = 0.5
"""Above this share of pictures with the same nearest word the encoder does not tell them apart. It needs no labels:
1,000 ImageNet pictures and as many class names give 0.10 (ViT-B/16), the embedded world 0.07, its pictures normalised
and saved as bytes 0.74 to 1.00. Cosines between pictures are no such sign: 0.82 on average for the former."""

MAX_NORMALISED = 0.1
"""Line drawings are black and white as well; a corrupted probe set is so throughout."""

_ENOUGH_PICTURES = 20
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
    """Accuracy on the probe's own labels: shares right and right by chance, images, classes, and a 95 % interval."""

    accuracy: float
    chance: float
    images: int
    classes: int
    low: float = 0.0
    high: float = 1.0

    @property
    def skill(self) -> float:
        """Accuracy beyond chance, as a share of what there is beyond it: 0 is chance, 1 all right."""
        return (self.accuracy - self.chance) / (1 - self.chance)


def probe_health(
    probe: ProbeSet,
    encoder: TextEncoder,
    words: Sequence[tuple[str, str]],
    image_features: np.ndarray,
    *,
    text_features: np.ndarray | None = None,
    labels: LabelSegments | None = None,
    groups: np.ndarray | None = None,
    progress: Progress = silent,
) -> list[Finding]:
    """What there is to know about a probe set, its encoder and the concept list.

    Args:
        probe: the images; each is read once.
        encoder: embeds the names of the probe's own labels.
        words: the concept list, (word, category).
        image_features: float32 (n, d), the probe images in the encoder's space.
        text_features: float32 (c, d), the concept list in it; None: the pictures' nearest words are not asked for.
        labels: the probe's labels; None: they are read, where it has any.
        groups: int (n,), which images are of one photograph; None: each is one of its own.
        progress: called after each image.

    Returns:
        Findings: images, sizes, modes, duplicates, near-duplicates, label maps among the images, images that look
        normalised, unreadable and other files, labels, concepts, their hash and head, the word that is nearest to most
        pictures, and zero-shot accuracy by category where there are labels. Level "warn" where something needs a look.
    """
    findings = [*_pictures(probe, progress), near_duplicates(groups), *_concepts(words)]
    if text_features is not None:
        findings.append(_nearest_word(words, image_features, text_features))
    if probe.concepts is None:
        classes = getattr(probe, "classes", {})
        return findings + (_by_class(probe, encoder, image_features, classes) if classes else [_NO_LABELS])
    findings.append(
        Finding(
            "labels",
            ", ".join(f"{name} {count}" for name, count in Counter(probe.concepts["category"]).items()),
            "ok",
        )
    )
    shares = (labels or read_labels(probe)).shares()
    unlabelled = int((shares.sum(1) == 0).sum())
    findings.append(Finding("images without any label", str(unlabelled), "warn" if unlabelled else "ok"))
    for category in ZERO_SHOT_CATEGORIES:
        found = zero_shot(probe, encoder, image_features, shares, category)
        if found is not None:
            findings.append(_accuracy(category, found))
    return findings


_NO_LABELS = Finding(
    "zero-shot accuracy", "not known: the probe set has no labels; `probe.classes` can say them", "warn"
)


def _by_class(
    probe: ProbeSet, encoder: TextEncoder, image_features: np.ndarray, classes: Mapping[str, str]
) -> list[Finding]:
    """Images without a class, and how often the name of an image's class is the nearest of all."""
    unknown = len(probe.ids) - sum(name in classes for name in probe.ids)
    found = [Finding("images without a class", str(unknown), "warn" if unknown else "ok")]
    names = sorted({spoken_name(name) for name in classes.values()})
    if len(names) < 2:
        said = f"not known: all images are of the class {names[0]}"
        return [*found, Finding("zero-shot accuracy, class", said, "warn")]
    asked = [at for at, name in enumerate(probe.ids) if name in classes]
    right = np.array([names.index(spoken_name(classes[probe.ids[at]])) for at in asked])  # m
    texts = np.asarray(encoder.embed_texts(names))  # k d
    answers = (image_features[asked] @ texts.T).argmax(axis=1)  # m d, d k -> m
    measured = _measured(answers == right, 1 / len(names), len(names))
    return [*found, _accuracy("class", measured)]


def _accuracy(of: str, found: ZeroShot) -> Finding:
    said = (
        f"{found.accuracy:.1%} [{found.low:.1%}, {found.high:.1%}] of {found.images} images, {found.classes} classes "
        f"(chance {found.chance:.1%})"
    )
    return Finding(
        f"zero-shot accuracy, {of}",
        said,
        "ok" if found.skill >= MIN_ZERO_SHOT and found.low > found.chance else "warn",
    )


def zero_shot(
    probe: ProbeSet, encoder: TextEncoder, image_features: np.ndarray, shares: np.ndarray, category: str
) -> ZeroShot | None:
    """How often the encoder's nearest label name is one of the labels that the picture shows.

    A picture of a dog on grass under the sky shows all three, and the encoder may name any: which of them covers most
    says nothing about it.

    Args:
        probe: labels and their names.
        encoder: embeds the names as they stand, as CLIP-Dissect embeds its words.
        image_features: (n, d).
        shares: (n, c), how much of each image carries each label: `LabelSegments.shares`.
        category: whose labels are asked.

    Returns:
        None where fewer than two labels of the category occur, or every picture shows them all. Images without a
        label of the category are left out. Chance is the mean share of the category's labels that a picture shows.
    """
    assert probe.concepts is not None
    of_category = np.flatnonzero(probe.concepts["category"] == category)
    used = of_category[shares[:, of_category].max(axis=0) > 0] if len(shares) else of_category
    if len(used) < 2:
        return None
    shown = shares[:, used] > 0  # n k
    if shown.all():
        return None
    asked = np.flatnonzero(shown.any(axis=1))  # m
    names = [spoken_name(probe.concepts["name"].iloc[at]) for at in used]
    texts = np.asarray(encoder.embed_texts(names))  # k d
    answers = (image_features[asked] @ texts.T).argmax(axis=1)  # m d, d k -> m
    return _measured(shown[asked, answers], float(shown[asked].mean()), len(used))


def _measured(right: np.ndarray, chance: float, classes: int) -> ZeroShot:
    found = share_interval(right.astype(float).tolist())
    return ZeroShot(float(right.mean()), chance, len(right), classes, found.low or 0.0, found.high or 1.0)


def spoken_name(name: str) -> str:
    """A label as a person would say it: Broden's endings -s and -c gone, '_' and '/' as blanks, plurals kept."""
    spoken = name.replace("_", " ").replace("/", " ").strip()
    return spoken[:-2] if spoken.endswith(("-s", "-c")) else spoken


def _pictures(probe: ProbeSet, progress: Progress) -> list[Finding]:
    sizes: Counter[str] = Counter()
    modes: Counter[str] = Counter()
    hashes: Counter[str] = Counter()
    flat, maps, normalised = [], [], []
    stems = {stem(name) for name in probe.ids}
    for index in range(len(probe)):
        picture = probe.load(index)
        height, width = picture.pixels.shape[:2]
        sizes[f"{width} x {height}"] += 1
        modes[picture.mode] += 1
        hashes[picture.sha256] += 1
        if picture.pixels.min() == picture.pixels.max():
            flat.append(probe.ids[index])
        if looks_like_label_map(picture.pixels, probe.ids[index], stems):
            maps.append(probe.ids[index])
        elif looks_normalised(picture.pixels):
            normalised.append(probe.ids[index])
        progress(index + 1, len(probe))
    duplicates = sum(count - 1 for count in hashes.values())
    broken = [bad.path for bad in getattr(probe, "quarantined", ())]
    return [
        Finding("images", str(len(probe)), "ok"),
        Finding("sizes", _most(sizes), "ok"),
        Finding("modes", _most(modes), "ok" if set(modes) <= {"RGB"} else "warn"),
        Finding("duplicates", str(duplicates), "warn" if duplicates else "ok"),
        Finding("images of one colour", _listed(flat), "warn" if flat else "ok"),
        Finding("label maps among the images", _listed(maps), "warn" if maps else "ok"),
        Finding(
            "images that look normalised",
            _listed(normalised),
            "warn" if len(normalised) > MAX_NORMALISED * len(probe) else "ok",
        ),
        Finding("unreadable files", _listed(broken), "warn" if broken else "ok"),
        Finding("files that are no pictures", _listed(getattr(probe, "others", ())), "ok"),
    ]


def near_duplicates(groups: np.ndarray | None) -> Finding:
    """How many images are of a photograph that others show too, and what that means for the nulls."""
    key = "near-duplicates"
    if nontrivial(groups) is None:
        return Finding(key, "0", "ok")
    assert groups is not None
    sizes = np.unique(groups, return_counts=True)[1]
    said = (
        f"{sizes[sizes > 1].sum()} of {len(groups)} images are of {np.count_nonzero(sizes > 1)} photographs (crops, "
        f"bursts, copies; up to {sizes.max()} of one): {len(sizes)} independent groups, which nulls permute as wholes"
    )
    return Finding(key, said if enough(groups) else f"{said}. {too_few(groups)}", "warn")


def _concepts(words: Sequence[tuple[str, str]]) -> list[Finding]:
    spelling = Counter(normalise_label(word) for word, _ in words)
    alike = [label for label, count in spelling.items() if count > 1]
    return [
        Finding("concepts", str(len(words)), "warn" if len(words) < _FEW_CONCEPTS else "ok"),
        Finding("hash of the concept list", fingerprint([list(pair) for pair in words]), "ok"),
        Finding("first concepts", ", ".join(word for word, _ in words[:_SHOWN]), "ok"),
        Finding("concepts that differ in spelling only", _listed(alike), "warn" if alike else "ok"),
    ]


def _nearest_word(
    words: Sequence[tuple[str, str]], image_features: np.ndarray, text_features: np.ndarray
) -> Finding:
    nearest = (image_features @ text_features.T).argmax(axis=1)  # n d, d c -> n
    counts = np.bincount(nearest, minlength=len(words))
    share = counts.max() / len(nearest)
    enough = len(nearest) >= _ENOUGH_PICTURES and len(words) >= _FEW_CONCEPTS
    return Finding(
        "most frequent nearest word",
        f"{words[int(counts.argmax())][0]}, of {share:.0%} of the images; {np.count_nonzero(counts)} words are "
        f"nearest to some",
        "warn" if enough and share > MAX_ONE_WORD else "ok",
    )


def _most(counts: Counter[str]) -> str:
    shown = ", ".join(f"{name} ({count})" for name, count in counts.most_common(_SHOWN))
    return shown + (f" and {len(counts) - _SHOWN} more" if len(counts) > _SHOWN else "")


def _listed(names: Sequence[str]) -> str:
    if not names:
        return "0"
    return f"{len(names)}: {', '.join(names[:_SHOWN])}" + (" …" if len(names) > _SHOWN else "")
