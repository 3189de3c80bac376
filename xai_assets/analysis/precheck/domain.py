"""Whether images are of the domain that a network was trained on, before a run."""

from collections.abc import Callable

from xai_assets.analysis.domain import Asked, Images, embedded_world_s, looked_at, said
from xai_assets.analysis.precheck.found import Found
from xai_assets.settings import Settings


def foreign(
    what: str, asked: Asked, images: Callable[[], Images], settings: Settings, *, scenes: bool
) -> list[Found]:
    """That they are not; nothing where they are, or where it is not known.

    Args:
        what: the network, as it is named in what was found.
        asked: the network.
        images: opened where they are needed.
        settings: where the embedded world's weights are.
        scenes: whether the images are the embedded world's: its own networks know those, and are not asked.
    """
    if scenes and embedded_world_s(asked.sha256, settings):
        return []
    told, known = said(looked_at(asked, images(), settings))
    return [Found(what, "look", told)] if known is False else []
