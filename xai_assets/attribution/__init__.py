"""Where did a classifier look: one method a module, each giving a raw map in the model's frame.

Here belong class activation maps, LIME, the parameters a study may give them, and how a map becomes a mask.
Not here: what a map is worth (`evaluation`), loading models and images (`vision`), keeping maps
(`resources`).

For a notebook: `from xai_assets.attribution import gradcam, ablationcam, scorecam, lime`.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from xai_assets.attribution.methods import ablationcam, gradcam, lime, scorecam

__all__ = ["ablationcam", "gradcam", "lime", "scorecam"]


def __getattr__(name: str) -> Any:
    """The methods, imported when they are asked for: studies import parameters from here, and no torch with them."""
    if name in __all__:
        from xai_assets.attribution import methods

        return getattr(methods, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
