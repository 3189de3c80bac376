"""Explainability of image classifiers as Dagster assets, with reports worth filing.

For a notebook: `from xai_assets import gradcam, draw_overlay, save_overlay` (and `ablationcam`, `scorecam`, `lime`).
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from xai_assets.attribution.methods import ablationcam, gradcam, lime, scorecam
    from xai_assets.reporting.overlays import draw_overlay, save_overlay

__all__ = ["ablationcam", "draw_overlay", "gradcam", "lime", "save_overlay", "scorecam"]


def __getattr__(name: str) -> Any:
    """The functions, imported when they are asked for: the command and Dagster import this package, and no torch."""
    if name in ("draw_overlay", "save_overlay"):
        from xai_assets.reporting import overlays

        return getattr(overlays, name)
    if name in __all__:
        from xai_assets.attribution import methods

        return getattr(methods, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
