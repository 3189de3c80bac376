"""What every test may ask for."""

import os
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[1]

TINY_STUDY = """\
title: "A tiny study"
attribution:
  model: diorama/object
  images: {diorama: {singles: 1, pairs: 0}}
  explain: labelled
  methods: {gradcam: {}}
reports: [cam]
"""
"""A study that runs in seconds."""


@pytest.fixture(scope="session")
def reference_data() -> Path:
    """Results of other people's software, beside the checkout or at XAI_REFERENCE_DATA; skipped where absent."""
    folder = Path(os.environ.get("XAI_REFERENCE_DATA") or CHECKOUT.parent / "shared" / "reference")
    if not folder.is_dir():
        pytest.skip(f"no reference data at {folder}; set XAI_REFERENCE_DATA to its folder")
    return folder
