"""The pictures of a study, by their headers: can they be read, and does the model take their sizes?"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from PIL import Image

from xai_assets.analysis.images import SPLIT
from xai_assets.analysis.precheck.found import NAMED, SCENE_SIDE, Found, Sizes
from xai_assets.errors import XaiError
from xai_assets.study_file import StudyFile
from xai_assets.vision.classifiers import Classifier
from xai_assets.vision.images import FORMATS, MAX_PIXELS, read_folder
from xai_assets.world.images import study_scenes


def pictures(file: StudyFile, classifier: Classifier, sizes: Sizes) -> Iterator[Found]:
    """The pictures to explain, and whether there are classes to explain them by."""
    assert file.study.attribution is not None
    source, labelled = file.study.attribution.images, file.study.attribution.explain == "labelled"
    if source.diorama:
        scenes = study_scenes(SPLIT, source.diorama.singles, source.diorama.pairs)
        targets = [target.class_name for scene in scenes for target in scene.targets]
        sizes.picture_pixels, sizes.cases = len(scenes) * SCENE_SIDE**2, len(targets)
        try:
            for name in sorted(set(targets)) if labelled else ():
                classifier.class_index(name)
        except XaiError as error:
            yield Found("classes", "unfit", str(error))
        yield Found("pictures", "ok", f"{len(scenes)} scenes of the embedded world")
        return
    assert source.folder is not None
    if labelled:
        why = "pictures of a folder have no labels to explain. Use `explain: predicted`."
        yield Found("classes", "unfit", why)
    try:
        paths = read_folder(file.resolve(source.folder))
    except XaiError as error:
        yield Found("pictures", "unfit", str(error))
        return
    yield _of_folder(paths, classifier, sizes)


def _of_folder(paths: Sequence[Path], classifier: Classifier, sizes: Sizes) -> Found:
    bad, good = [], []
    for path in paths:
        try:
            good.append(_size(path, classifier))
        except XaiError as error:
            bad.append(f"{path.name}: {error.why}")
    sizes.picture_pixels, sizes.cases = sum(width * height for width, height in good), len(good)
    first = "; ".join(bad[:NAMED])
    if not good:
        return Found("pictures", "unfit", f"none of {len(paths)} can be used: {first}")
    (least, most) = (pick(good, key=lambda size: size[0] * size[1]) for pick in (min, max))
    said = f"{len(good)} of {least[0]} x {least[1]} to {most[0]} x {most[1]} pixels"
    if not bad:
        return Found("pictures", "ok", said)
    return Found("pictures", "look", f"{said}; {len(bad)} will be set aside: {first}")


def _size(path: Path, classifier: Classifier) -> tuple[int, int]:
    """Width and height, of a picture that can be brought into the model's frame."""
    try:
        with Image.open(path, formats=FORMATS) as picture:
            width, height = picture.size
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        why = f"its header cannot be read ({type(error).__name__})"
        raise XaiError(path.name, why, "Get a whole copy of it.") from error
    if width * height > MAX_PIXELS:
        why = f"{width} x {height} pixels are more than {MAX_PIXELS:,}"
        raise XaiError(path.name, why, "Save it smaller.")
    classifier.preprocessing.frame(height, width)
    return width, height


def probe(file: StudyFile, sizes: Sizes) -> Found:
    """How many images the units are shown."""
    assert file.study.dissection is not None
    source = file.study.dissection.probe
    try:
        if source.diorama:
            count = source.diorama.count
        elif source.folder:
            count = len(read_folder(file.resolve(source.folder)))
        else:
            assert source.broden is not None
            index = file.resolve(source.broden) / "index.csv"
            if not index.is_file():
                raise XaiError(
                    str(index), "there is no such file", "Name a folder in Broden's published layout."
                )
            with index.open(encoding="utf-8") as lines:
                count = sum(1 for line in lines if line.strip()) - 1
    except XaiError as error:
        return Found("probe set", "unfit", str(error))
    sizes.probe_images = min(count, source.limit or count)
    return Found("probe set", "ok", f"{sizes.probe_images} images")
