"""A picture on an asset's page, served from the UI's own address."""

import dagster as dg

from xai_assets.web.publish import publish


def picture_entry(
    context: dg.AssetExecutionContext, png: bytes, said: str, *, what: str, kept: str
) -> dg.MarkdownMetadataValue:
    """The picture, published for the asset and its study, as an entry of the asset's metadata.

    Args:
        context: of the asset; its partition is the study.
        png: the picture.
        said: its alternative text, which stands below it as well; of our own making, never of a file's name.
        what: what it shows, in a word or two, where the UI serves no pictures.
        kept: the address of what it is made from.
    """
    key = ("pictures", context.partition_key, context.asset_key.to_user_string())
    served = publish(context.instance, key, "png", png, kept=kept)
    if served.address is None:
        return dg.MetadataValue.md(served.link(what))
    return dg.MetadataValue.md(f"![{said}]({served.address})\n\n{said}")
