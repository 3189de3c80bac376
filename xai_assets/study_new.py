"""A new study as commented YAML: the fields that most people set, each with its description from the schema."""

import os
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel

from xai_assets.study import Attribution, ImageSource, Methods, Study
from xai_assets.vision.spec import ModelSpec

_WIDTH = 100

_METHODS: Mapping[str, str] = {"gradcam": "{}", "ablationcam": "{}", "lime": "{num_samples: 500}"}
"""Methods of a new study, with their parameters; ScoreCAM, which takes a pass a channel, is left for who wants it."""


def study_text(
    *,
    title: str,
    model: Mapping[str, Any],
    images: str,
    labels: str | None = None,
    layer: str | None = None,
) -> str:
    """The YAML of a study that explains a model on a folder of images.

    Args:
        title: of its front page.
        model: the fields of a `ModelSpec`, paths as they are to be written; `{name: ...}` alone is written as its name.
        images: the folder, as it is to be written.
        labels: `subfolders`, or a file of labels; None: there are none.
        layer: the target layer; None: it is left out, and the comment says what is then taken.
    """
    return "\n".join(_lines(title, model, images, labels, layer)) + "\n"


def _lines(
    title: str, model: Mapping[str, Any], images: str, labels: str | None, layer: str | None
) -> Iterator[str]:
    yield "# A study of xai_assets. Paths start at this file's folder. `xai studies --fields` lists every field."
    yield from _field(Study, "title", "", value=title)
    yield ""
    yield from _comment("attribution", Study, "")
    yield "attribution:"
    yield from _comment("model", Attribution, "  ")
    yield from _model(model)
    yield ""
    yield from _comment("images", Attribution, "  ")
    yield "  images:"
    yield from _field(ImageSource, "folder", "    ", value=images)
    yield from _field(ImageSource, "labels", "    ", value=labels, example="subfolders")
    yield ""
    yield from _field(Attribution, "layer", "  ", value=layer, example="layer4")
    yield from _field(Attribution, "explain", "  ", value="both" if labels else "predicted")
    yield ""
    yield from _comment("methods", Attribution, "  ")
    yield "  methods:"
    for method, parameters in _METHODS.items():
        yield from _comment(method, Methods, "    ")
        yield f"    {method}: {parameters}"
    yield from _comment(
        "scorecam",
        Methods,
        "    ",
        "one forward pass a channel, so that it takes the longest; `{mode: fast}` takes fewer",
    )
    yield "    # scorecam: {}"
    yield ""
    yield from _comment("faithfulness", Attribution, "  ", "leave this line out to measure it")
    yield "  faithfulness: null"
    yield from _comment(
        "robustness", Attribution, "  ", "leave this line out to measure it; it takes the longest"
    )
    yield "  robustness: null"
    yield ""
    yield from _field(Study, "reports", "", value=["cam", "lime", "study"])


def _model(model: Mapping[str, Any]) -> Iterator[str]:
    if set(model) == {"name"}:
        yield f"  model: {_plain(model['name'])}"
        return
    yield "  model:"
    for name, value in model.items():
        yield from _field(ModelSpec, name, "    ", value=value)


def _field(
    part: type[BaseModel], name: str, indent: str, *, value: Any = None, example: str = ""
) -> Iterator[str]:
    """A field with its description above; where it has no value, an example that is commented out."""
    yield from _comment(name, part, indent)
    yield f"{indent}{name}: {_plain(value)}" if value is not None else f"{indent}# {name}: {example}"


def _comment(name: str, part: type[BaseModel], indent: str, more: str = "") -> Iterator[str]:
    said = "; ".join(text for text in ((part.model_fields[name].description or "").rstrip("."), more) if text)
    prefix = f"{indent}# "
    yield from textwrap.wrap(
        f"{name}: {said}", _WIDTH, initial_indent=prefix, subsequent_indent=prefix, break_long_words=False,
        break_on_hyphens=False,
    )  # fmt: skip


def _plain(value: Any) -> str:
    """A value in one line of YAML, text in quotes where it needs them."""
    dumped = yaml.safe_dump(
        value, default_flow_style=True, width=float("inf"), allow_unicode=True, sort_keys=False
    )
    return dumped.strip().removesuffix("...").strip()


def from_folder(path: str | Path, folder: Path) -> str:
    """A path as a study in `folder` has it: relative where the two are near, else whole."""
    whole = Path(os.path.abspath(Path(path).expanduser()))
    relative = os.path.relpath(whole, os.path.abspath(folder))
    return str(whole) if relative.count("..") > 3 else relative
