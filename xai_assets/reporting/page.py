"""A template and its data as one HTML file and one PDF: fonts and pictures in both, nothing is asked of a network."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from xai_assets.reporting.drawing import FAMILY
from xai_assets.reporting.fonts import Face, font_files, script_faces, unpacked_fonts
from xai_assets.reporting.pdf import to_pdf
from xai_assets.reporting.pictures import Pictures
from xai_assets.reporting.templating import environment, in_memory, inlined


def canonical(data: dict[str, Any]) -> bytes:
    """`data` as JSON, the same bytes for the same content; NaN and infinities are refused."""
    return (json.dumps(data, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n").encode(
        "utf-8"
    )


def both(
    name: str, data: dict[str, Any], pictures: Pictures, created: datetime | None
) -> tuple[str, bytes, tuple[str, ...]]:
    """The template `name` (without .html) of `data`, which it knows as `report`.

    Returns:
        HTML that stands alone; PDF/UA-1 with `data` attached as report.json; what WeasyPrint warned of.

    Raises:
        PdfError: when the template asks for what is not in the report.
    """
    faces = script_faces(json.dumps(data, ensure_ascii=False))
    further = {face.file: face.data for face in faces}
    template = environment().get_template(f"{name}.html")
    context = {"report": data, "faces": faces}
    files = pictures.by_name | font_files() | further
    html = _with_scripts(template.render(address=inlined(files), screen=True, **context), faces)
    pdf, complaints = to_pdf(
        _with_scripts(template.render(address=in_memory, screen=False, **context), faces),
        pictures.by_name | unpacked_fonts() | further,
        canonical(data),
        created,
    )
    return html, pdf, complaints


def _with_scripts(html: str, faces: Sequence[Face]) -> str:
    """The charts' labels in the scripts' fonts as well: SVG does not inherit the sheet's.

    What is replaced cannot come from a name, whose quotes are escaped.
    """
    alone = f'font-family="{FAMILY}"'
    return html.replace(alone, f'font-family="{", ".join([FAMILY, *(face.family for face in faces)])}"')
