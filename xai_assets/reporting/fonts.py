"""The bundled fonts: those of every report, and those of scripts that only some names are written in."""

import json
import re
import zipfile
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path

from xai_assets.settings import shipped


@dataclass(frozen=True)
class Script:
    """A font for what the report's own do not have.

    Attributes:
        family: its name in the style sheet.
        file: below `fonts/scripts`: WOFF2, or of a large one a ZIP of slices, whose `index.json` says which characters
            each has.
        characters: a regular expression's class of the characters that call for it.
    """

    family: str
    file: str
    characters: str


SCRIPTS = (
    Script(
        "Plex Arabic",
        "IBMPlexSansArabic-Regular.woff2",
        "\u0600-\u06ff\u0750-\u077f\ufb50-\ufdff\ufe70-\ufefc",
    ),
    Script("Plex Hebrew", "IBMPlexSansHebrew-Regular.woff2", "\u0590-\u05ff\ufb1d-\ufb4f"),
    Script("Plex Devanagari", "IBMPlexSansDevanagari-Regular.woff2", "\u0900-\u097f\ua8e0-\ua8ff"),
    Script(
        "Plex Han",
        "IBMPlexSansSC-Regular.zip",
        "\u2e80-\u2fdf\u3000-\u30ff\u31c0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff00-\uffef",
    ),
    Script("Plex Hangul", "IBMPlexSansKR-Regular.zip", "\u1100-\u11ff\u3130-\u318f\uac00-\ud7af"),
)
"""In the order in which they are asked. Written with the characters' code points: ranges of letters that look alike."""


@cache
def font_files() -> dict[str, bytes]:
    """The fonts of every report by file name, WOFF2 as they are shipped."""
    return {path.name: path.read_bytes() for path in sorted(_folder().glob("*.woff2"))}


@cache
def unpacked_fonts() -> dict[str, bytes]:
    """The same fonts unpacked, once a process: WeasyPrint would do it again for each report, a second each time."""
    from fontTools.ttLib import woff2

    unpacked = {}
    for name, packed in font_files().items():
        out = BytesIO()
        woff2.decompress(BytesIO(packed), out)
        unpacked[name] = out.getvalue()
    return unpacked


@dataclass(frozen=True)
class Face:
    """A font file for a report's style sheet: the family, the file's name and its bytes, WOFF2."""

    family: str
    file: str
    data: bytes


def script_faces(text: str) -> tuple[Face, ...]:
    """The fonts of the scripts that a text is written in, of large ones the slices that it needs."""
    faces = []
    for script in SCRIPTS:
        written = set(re.findall(f"[{script.characters}]", text))
        path = _folder() / "scripts" / script.file
        if written and path.suffix == ".zip":
            with zipfile.ZipFile(path) as slices:
                index: dict[str, str] = json.loads(slices.read("index.json"))
                needed = [name for name, characters in index.items() if not written.isdisjoint(characters)]
                # A family of its own each: WeasyPrint takes the files of one family for one font, and mixes up letters.
                faces += [
                    Face(f"{script.family} {number}", name, _with_space(slices.read(name)))
                    for number, name in enumerate(needed)
                ]
        elif written:
            faces.append(Face(script.family, script.file, path.read_bytes()))
    return tuple(faces)


def _with_space(data: bytes) -> bytes:
    """A slice with a space in it: Pango takes a space from the font of the letter before, whether it is there or not."""
    from fontTools.ttLib import TTFont
    from fontTools.ttLib.tables._g_l_y_f import Glyph

    font = TTFont(BytesIO(data), recalcTimestamp=False)
    if ord(" ") in font.getBestCmap():
        return data
    font["glyf"]["space"] = Glyph()  # which enters it in the order of glyphs as well
    for metrics in {"hmtx", "vmtx"} & set(font.keys()):
        font[metrics]["space"] = (font["head"].unitsPerEm // 4, 0)
    for table in font["cmap"].tables:
        if table.isUnicode():
            table.cmap[ord(" ")] = "space"
    out = BytesIO()
    font.save(out)
    return out.getvalue()


def _folder() -> Path:
    return shipped("reports_templates") / "fonts"
