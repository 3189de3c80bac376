"""How methods, controls and categories are written, coloured and marked; shape goes with every colour."""

from dataclasses import dataclass
from zlib import crc32


@dataclass(frozen=True)
class Style:
    """A name in print, a colour (Okabe and Ito's palette, told apart by the colour-blind) and a marker's shape."""

    title: str
    colour: str
    shape: str


METHODS: dict[str, Style] = {
    "gradcam": Style("Grad-CAM", "#0072b2", "circle"),
    "ablationcam": Style("AblationCAM", "#00795c", "square"),
    "scorecam": Style("ScoreCAM", "#c05000", "triangle"),
    "hirescam": Style("HiResCAM", "#2b8cbe", "down"),
    "gradcampp": Style("Grad-CAM++", "#08589e", "square-open"),
    "xgradcam": Style("XGradCAM", "#4a6fa5", "triangle-open"),
    "layercam": Style("LayerCAM", "#3d7f8f", "diamond-open"),
    "eigencam": Style("EigenCAM", "#7a6c1f", "down-open"),
    "lime": Style("LIME", "#a8497f", "diamond"),
}
FURTHER_CAMS = ("hirescam", "gradcampp", "xgradcam", "layercam", "eigencam")
"""Made only where a study asks for them."""

CAMS = ("gradcam", "ablationcam", "scorecam", *FURTHER_CAMS)

CONTROLS: dict[str, Style] = {
    "centre": Style("Centre prior", "#6b7480", "ring"),
    "edges": Style("Edge map", "#6b7480", "ring"),
    "random": Style("Random map", "#6b7480", "ring"),
    "ones": Style("All ones", "#6b7480", "ring"),
    "oracle": Style("Oracle", "#6b7480", "ring"),
}
CATEGORIES: dict[str, Style] = {
    "object": Style("object", "#0b4f6c", ""),
    "part": Style("part", "#2b7f9e", ""),
    "scene": Style("scene", "#8fc3d3", ""),
    "material": Style("material", "#7a4b2a", ""),
    "texture": Style("texture", "#c68a3d", ""),
    "color": Style("colour", "#eccb8a", ""),
    "": Style("no category", "#c9ced6", ""),
}


EXTERNAL = ("#9a5b00", "#5b4a9c", "#3f6b3a", "#8c2f4b", "#2f5f73")
"""Colours of sets of maps that other tools made."""


def external(key: str) -> Style | None:
    """The style of a set of maps that another tool made, `external` or `external:NAME`; None of other methods."""
    kind, _, name = key.partition(":")
    if kind != "external":
        return None
    return Style(
        f"{name} (external)" if name else "External maps", EXTERNAL[crc32(name.encode()) % 5], "square-open"
    )


def method(key: str) -> Style:
    """The style of a method or control; a name that is not known is printed as it is."""
    return METHODS.get(key) or external(key) or CONTROLS.get(key) or Style(key, "#3b4450", "circle")


def category(key: str | None) -> Style:
    """The style of a concept's category; a category that is not known keeps its name."""
    return CATEGORIES.get(key or "") or Style(str(key), "#9aa3ae", "")
