"""Where a report's boxes lie on its pages, as WeasyPrint has laid them out: lengths in mm."""

from collections.abc import Iterator
from typing import Any

from weasyprint.formatting_structure import boxes

MM = 25.4 / 96
Box = boxes.Box


def leaves(box: Box) -> Iterator[Box]:
    """The texts, pictures and drawings within a box, in the order of the document."""
    if isinstance(box, boxes.TextBox):
        if box.text.strip():
            yield box
    elif isinstance(box, (boxes.ReplacedBox, boxes.InlineReplacedBox)):
        yield box
    else:
        for child in getattr(box, "children", ()):
            yield from leaves(child)


def within(box: Box, kind: Any) -> Iterator[Box]:
    """The boxes of a kind within a box, in the order of the document; none within one another."""
    for child in getattr(box, "children", ()):
        if isinstance(child, kind):
            yield child
        else:
            yield from within(child, kind)


def tagged(box: Box, *tags: str) -> Iterator[Box]:
    """The block boxes of elements of these tags within a box."""
    for child in getattr(box, "children", ()):
        if child.element_tag in tags and isinstance(child, boxes.BlockLevelBox):
            yield child
        else:
            yield from tagged(child, *tags)


def of_class(box: Box, name: str) -> list[Box]:
    """The boxes of elements of a class within a box."""
    found = []
    for child in getattr(box, "children", ()):
        of = "" if child.element is None else child.element.get("class") or ""
        found += [child] if name in of.split() else of_class(child, name)
    return found


def said(box: Box) -> str:
    """The text of a box, words apart by one space."""
    return " ".join(" ".join(leaf.text for leaf in leaves(box) if isinstance(leaf, boxes.TextBox)).split())


def body(page: Any) -> Box:
    """The page's text, without its head and foot."""
    (found,) = [child for child in page._page_box.children if not isinstance(child, boxes.MarginBox)]
    return found


def margin(page: Any, place: str) -> str:
    """What stands in a margin of the page, such as "@top-right"."""
    return next(
        (
            said(child)
            for child in page._page_box.children
            if isinstance(child, boxes.MarginBox) and child.at_keyword == place
        ),
        "",
    )


def empty(page: Any) -> float:
    """The share of the page's text area below the last text or picture."""
    area = page._page_box
    bottom = max((leaf.position_y + leaf.height for leaf in leaves(body(page))), default=area.content_box_y())
    return float(1 - (bottom - area.content_box_y()) / area.height)


def gaps(page: Any) -> Iterator[tuple[float, str, str]]:
    """Between the contents of two cells beside one another: mm, and what the two say."""
    for row in within(body(page), boxes.TableRowBox):
        before = None
        for cell in row.children:
            inside = list(leaves(cell))
            if not inside:
                continue
            left, right = (
                min(one.position_x for one in inside),
                max(one.position_x + one.width for one in inside),
            )
            if before is not None:
                yield (left - before[0]) * MM, before[1], said(cell)
            before = right, said(cell)


def beyond(page: Any) -> list[str]:
    """What reaches beyond the text's area to the right."""
    area = page._page_box
    edge = area.content_box_x() + area.width
    return [
        getattr(leaf, "text", "a picture")
        for leaf in leaves(body(page))
        if leaf.position_x + leaf.width > edge + 0.5 / MM
    ]
