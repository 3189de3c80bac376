"""The pictures of one report, by name: what the URL fetcher may answer with, and nothing else."""

from dataclasses import dataclass, field
from typing import Any

from xai_assets.files import sha256_bytes


@dataclass
class Pictures:
    """Encoded pictures by a name made from their content, so that a picture shown twice is stored once."""

    by_name: dict[str, bytes] = field(default_factory=dict)

    def add(self, data: bytes, alt: str) -> dict[str, Any]:
        """Keep a JPEG and describe it for the template: its name and its alt text."""
        name = f"{sha256_bytes(data)[:16]}.jpg"
        self.by_name[name] = data
        return {"file": name, "alt": alt}
