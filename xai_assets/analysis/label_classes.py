"""What an image's labels mean to the explained model, and the classes that the image is explained by."""

from collections.abc import Sequence

from xai_assets.analysis.reference_masks import Case
from xai_assets.analysis.workbench import Tally
from xai_assets.joined import join_names
from xai_assets.set_aside import listed
from xai_assets.study import Attribution
from xai_assets.vision.class_matching import ClassMatcher, UnknownClass
from xai_assets.vision.geometry import Frame

NAMED = 5
"""Images that are named of a label that the model does not have."""

SAID = 20
"""Labels that are named with their reason; the others are counted."""


class LabelClasses:
    """Finds the model's classes of labels, and remembers the labels that it does not have.

    Args:
        matcher: of the model's classes.
    """

    def __init__(self, matcher: ClassMatcher) -> None:
        self._matcher = matcher
        self._unknown: dict[str, tuple[str, list[str]]] = {}
        self._without: list[str] = []

    def __call__(self, image: str, labels: Sequence[str]) -> list[int]:
        """The classes of an image's labels, each once, in order; those that the model does not have are left out."""
        found: list[int] = []
        for label in labels:
            try:
                index = self._matcher.index(label)
            except UnknownClass as error:
                self._unknown.setdefault(label, (f"{error.why}. {error.remedy}", []))[1].append(image)
            else:
                found += [index] if index not in found else []
        if labels and not found:
            self._without.append(image)
        return found

    def in_words(self, labels: Sequence[str]) -> str | None:
        """An image's labels for a table: as the model names them, or as they are where it has no such class."""
        names = []
        for label in labels:
            found = self._matcher.candidates(label)
            names.append(self._matcher.class_names[found[0]] if len(found) == 1 else label)
        return join_names(dict.fromkeys(names)) or None

    def case(
        self,
        image: str,
        target: int,
        targets: Sequence[int],
        labels: Sequence[str],
        frame: Frame,
        names: tuple[str, ...] = (),
    ) -> Case:
        """An image and target class that a mask or boxes are sought for.

        Args:
            image: the image's name.
            target: the class.
            targets: all classes that the image is explained by.
            labels: the image's labels, as their source writes them.
            frame: how the model's frame lies in the image.
            names: what the image may be called, see `names_of_images`.
        """
        name = self._matcher.class_names[target]
        found = [self._matcher.candidates(label) for label in labels]
        alone = found == [(target,)] if found else len(targets) == 1
        return Case(
            image,
            name,
            alone,
            frame,
            names,
            label=(name if alone else labels[0]) if len(labels) == 1 else None,
            means=lambda word: target in self._matcher.candidates(word),
        )

    @property
    def unknown(self) -> list[tuple[str, str]]:
        """Each label that the model does not have, with its images, and the reason."""
        return [
            (f"label {label!r} of {_images(images)}", why) for label, (why, images) in self._unknown.items()
        ]

    def say(self, tally: Tally) -> None:
        """Put into a tally what the model does not have."""
        unknown = self.unknown
        for what, why in unknown[:SAID]:
            tally.note(f"{what}: {why}")
        if rest := unknown[SAID:]:
            tally.note(f"{len(rest):,} more labels that the model does not have")
        model = self._matcher.model
        for image in self._without:
            tally.remark(
                "images",
                image,
                f"{model} has no class of its label, so that its answer is neither right nor wrong",
            )


def target_classes(attribution: Attribution, best: int, labels: Sequence[int]) -> list[int]:
    """The classes that an image is explained by, in order.

    Args:
        attribution: says whether the predicted class, the labels or both are explained.
        best: the predicted class.
        labels: the classes of the image's labels; where there are none, the predicted class is explained.
    """
    if attribution.explain == "predicted" or not labels:
        return [best]
    return list(labels) if attribution.explain == "labelled" or best in labels else [*labels, best]


def _images(names: Sequence[str]) -> str:
    return f"{len(names):,} image{'s' if len(names) > 1 else ''} ({listed(names, NAMED)})"
