"""Probe images and concept words in one space, by the study's image-text encoder; and the health of all three."""

import numpy as np
import pandas as pd

from xai_assets.analysis.domain import domain_findings
from xai_assets.analysis.opened_models import open_encoder
from xai_assets.analysis.probe import classes_key, open_probe, probe_groups, probe_labels
from xai_assets.analysis.workbench import Workbench
from xai_assets.dissection.concept_list import read_concept_list
from xai_assets.dissection.health import probe_health
from xai_assets.files import fingerprint
from xai_assets.set_aside import lines
from xai_assets.world.concepts import concepts

CODE_VERSION = 3
HEALTH = "probe_health"
"""The kind of artifact: the rows of the table of that name."""

BATCH = 64


def concept_words(bench: Workbench) -> list[tuple[str, str]]:
    """The study's concepts as (word, category), in order; a text file gives no categories.

    What `read_concept_list` leaves out of a file, or finds to be spelled alike, is told in the tally.

    Raises:
        XaiError: as `read_concept_list`.
    """
    source = bench.dissection.concepts
    if source == "diorama":
        return [(concept.name, concept.category) for concept in concepts()]
    found = read_concept_list(bench.file.resolve(source))
    for place, why in found.left_out:
        bench.tally.leave_out("lines of the concept list", place, why)
    for line in lines(found.alike, "concepts"):
        bench.tally.note(f"{line}. Where the encoder reads both alike, their scores are equal")
    return [(word, "") for word in found.words]


def concept_embeddings(bench: Workbench, probe_table: pd.DataFrame) -> pd.DataFrame:
    """One row: the artifact (kind `embeddings`) with `images` (n d) and `texts` (c d), float32 of length 1.

    Its metadata holds the words, their categories and what was found of the probe. The rows of `probe_health`, with
    those on the networks' domains, are the artifact `health`; those that warn stand in the row.
    """
    encoder = open_encoder(bench)
    bench.tally.facts += [f"{encoder.name}: {note}" for note in encoder.notes]
    words = concept_words(bench)
    bench.same_input(f"the concepts {bench.dissection.concepts}", fingerprint([list(pair) for pair in words]))
    key = fingerprint(
        {
            "code": CODE_VERSION,
            "encoder": encoder.fingerprint(),
            "words": [list(pair) for pair in words],
            "probe": probe_table["sha256"].iloc[0],
            **classes_key(bench),
        }
    )
    if bench.store.has("embeddings", key):
        bench.tally.reused += 1
    else:
        probe = open_probe(bench, probe_table["sha256"].iloc[0])
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
            probe, encoder, words, arrays["images"],
            text_features=arrays["texts"],
            labels=labels,
            groups=probe_groups(bench, probe_table["sha256"].iloc[0]),
        )  # fmt: skip
        bench.store.put(
            "embeddings",
            key,
            arrays,
            {"words": [list(pair) for pair in words], "health": [list(found) for found in health]},
        )
        bench.tally.computed += 1
    _, meta = bench.store.get("embeddings", key)
    sha256 = probe_table["sha256"].iloc[0]
    domains = domain_findings(bench, lambda: open_probe(bench, sha256), sha256, encoder)
    rows = [list(row) for row in (*meta["health"], *domains)]
    health_key = fingerprint({"health": rows})
    if not bench.store.has(HEALTH, health_key):
        bench.store.put(HEALTH, health_key, {}, {"health": rows})
    warnings = [f"{name}: {value}" for name, value, level in rows if level == "warn"]
    return pd.DataFrame(
        [
            {
                "encoder": encoder.name,
                "encoder_sha256": encoder.sha256,
                "concepts": len(words),
                "warnings": "\n".join(warnings),
                "artifact": key,
                "health": health_key,
            }
        ]
    )
