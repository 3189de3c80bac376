"""A picture on an asset's page, served from the UI's own address."""

import dagster as dg

from xai_assets.web.publish import publish
from xai_assets.web.shown import image, markdown_entry


def picture_entry(
    context: dg.AssetExecutionContext, png: bytes, said: str, *, what: str, kept: str
) -> dg.MarkdownMetadataValue:
    """The picture, published for the asset and its study, as an entry of the asset's metadata.

    Args:
        context: of the asset; its partition is the study.
        png: the picture.
        said: its alternative text, which stands below it as well.
        what: what it shows, in a word or two, where the UI serves no pictures.
        kept: the address of what it is made from.
    """
    key = ("pictures", context.partition_key, context.asset_key.to_user_string())
    served = publish(context.instance, key, "png", png, kept=kept)
    return markdown_entry(image(served, said, what))
