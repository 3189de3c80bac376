"""By what a page of a first look is known, so that it may be written over and nothing else is."""

from pathlib import Path

MARK = "xai_assets: a first look"
"""The generator that the HTML and the PDF name."""

_READ = 1 << 16


def is_look(path: Path) -> bool:
    """Whether a file is a page of `xai look`: HTML that names it as its generator, or a PDF with its last line."""
    try:
        with path.open("rb") as file:
            begin = file.read(_READ)
            if not begin.startswith(b"%PDF"):
                return f'name="generator" content="{MARK}"'.encode() in begin
            file.seek(max(0, path.stat().st_size - _READ))
            return file.read().endswith(f"%{MARK}\n".encode())
    except OSError:
        return False
