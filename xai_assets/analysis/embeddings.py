"""Probe images and concept words in one space, by the study's image-text encoder; and the health of all three."""

import numpy as np
import pandas as pd

from xai_assets.analysis.probe import open_probe, probe_labels
from xai_assets.analysis.workbench import Workbench
from xai_assets.dissection.health import probe_health
from xai_assets.errors import XaiError
from xai_assets.files import fingerprint
from xai_assets.vision.encoders import load_encoder
from xai_assets.world.concepts import concepts

CODE_VERSION = 2
BATCH = 64


def concept_words(bench: Workbench) -> list[tuple[str, str]]:
    """The study's concepts as (word, category), in order; a text file gives no categories.

    Blank lines of a file are passed over. A concept that a file names again is left out, and the tally says so.

    Raises:
        XaiError: there is no such file, or it names no concept or only one.
    """
    source = bench.dissection.concepts
    if source == "diorama":
        return [(concept.name, concept.category) for concept in concepts()]
    path = bench.file.resolve(source)
    if not path.is_file():
        raise XaiError(f"concept list {path}", "does not exist", "Put a text file there, one concept a line.")
    lines: dict[str, int] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        word = line.strip()
        if word in lines:
            bench.tally.note(
                f"concept list {path.name}: line {number} names {word!r} again, as line {lines[word]} did; left out"
            )
        elif word:
            lines[word] = number
    if len(lines) < 2:
        raise XaiError(
            f"concept list {path}",
            f"it names {next(iter(lines))!r} only" if lines else "it is empty",
            "Name at least two concepts, one a line: a best one needs another to be better than.",
        )
    return [(word, "") for word in lines]


def concept_embeddings(bench: Workbench, probe_table: pd.DataFrame) -> pd.DataFrame:
    """One row: the artifact (kind `embeddings`) with `images` (n d) and `texts` (c d), float32 of length 1.

    Its metadata holds the words, their categories and the rows of `probe_health`; those that warn stand in the row.
    """
    encoder = load_encoder(bench.dissection.encoder, bench.settings, base=bench.file.path.parent)
    words = concept_words(bench)
    key = fingerprint(
        {
            "code": CODE_VERSION,
            "encoder": encoder.fingerprint(),
            "words": [list(pair) for pair in words],
            "probe": probe_table["sha256"].iloc[0],
        }
    )
    if bench.store.has("embeddings", key):
        bench.tally.reused += 1
    else:
        probe = open_probe(bench)
        images = []
        size = bench.batch(BATCH)
        for start in range(0, len(probe), size):
            batch = [probe.image(i) for i in range(start, min(start + size, len(probe)))]
            images.append(encoder.embed_images(batch))  # b h w 3 -> b d
            bench.progress(min(start + size, len(probe)), len(probe))
        arrays = {"images": np.concatenate(images), "texts": encoder.embed_texts([word for word, _ in words])}
        labels = None
        if probe.concepts is not None:
            labels = probe_labels(bench, probe, probe_table["sha256"].iloc[0])
        health = probe_health(
            probe, encoder, words, arrays["images"], text_features=arrays["texts"], labels=labels
        )
        bench.store.put(
            "embeddings",
            key,
            arrays,
            {"words": [list(pair) for pair in words], "health": [list(found) for found in health]},
        )
        bench.tally.computed += 1
    _, meta = bench.store.get("embeddings", key)
    warnings = [f"{name}: {value}" for name, value, level in meta["health"] if level == "warn"]
    return pd.DataFrame(
        [
            {
                "encoder": encoder.name,
                "encoder_sha256": encoder.sha256,
                "concepts": len(words),
                "warnings": "\n".join(warnings),
                "artifact": key,
            }
        ]
    )
