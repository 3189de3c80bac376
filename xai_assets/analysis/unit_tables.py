"""Rows of `unit_concepts` by study, model and method, or from a file; what is not there is answered with what is."""

from pathlib import Path

import pandas as pd

from xai_assets.dissection.unit_concepts import METHODS
from xai_assets.errors import XaiError
from xai_assets.interop.concept_files import FORMATS, detect_format, read_concept_file
from xai_assets.resources.warehouse import Warehouse


def study_units(warehouse: Warehouse, study: str) -> pd.DataFrame:
    """All rows of a study, in the order in which they were loaded.

    Raises:
        XaiError: the warehouse has none.
    """
    table = warehouse.read(study)["unit_concepts"]
    if table.empty:
        known = ", ".join(warehouse.studies()) or "none"
        raise XaiError(
            f"study {study!r}",
            f"the warehouse {warehouse.path} has no unit concepts of it",
            f"Run it, or import a file. Studies with unit concepts: {known}.",
        )
    return table


def model_units(warehouse: Warehouse, study: str, model: str, method: str | None = None) -> pd.DataFrame:
    """The rows of one model and method.

    Args:
        warehouse: where to read.
        study, model: names.
        method: None: the first of METHODS that the model has.

    Raises:
        XaiError: there are none; the error lists those there are.
    """
    table = study_units(warehouse, study)
    of_model = table[table["model"] == model]
    if of_model.empty:
        known = ", ".join(dict.fromkeys(table["model"]))
        raise XaiError(f"model {model!r}", f"study {study} has no units of it", f"Its models: {known}.")
    present = [name for name in METHODS if (of_model["method"] == name).any()]
    chosen = method or present[0]
    if chosen not in present:
        raise XaiError(
            f"model {model}, method {chosen}",
            f"study {study} has no units of it",
            f"Its methods: {', '.join(present)}.",
        )
    return of_model[of_model["method"] == chosen].reset_index(drop=True)


def side(
    warehouse: Warehouse, text: str, *, method: str | None = None, layer: str | None = None
) -> pd.DataFrame:
    """One side of a comparison: STUDY:MODEL in the warehouse, or the path of a CSV file.

    What ends in .csv is a file. A study's name has no colon, so that the first one ends it; a model's name may have
    more.

    Args:
        warehouse: where to read STUDY:MODEL.
        text: what the user wrote.
        method: of STUDY:MODEL; None: the first that there is.
        layer: of files that name none (NetDissect's).

    Raises:
        XaiError: it is neither, or there is nothing.
    """
    if is_file(text):
        path = Path(text)
        format = detect_format(path)
        return read_concept_file(
            path, text, format=format, layer=None if FORMATS[format].names_layers else layer
        )
    study, colon, model = text.partition(":")
    if not colon or not study or not model:
        raise XaiError(
            f"{text!r}",
            "it is neither STUDY:MODEL nor the path of a .csv file",
            "Write for example demo:diorama/object, or results/descriptions.csv.",
        )
    return model_units(warehouse, study, model, method)


def is_file(text: str) -> bool:
    """Whether a side is a file: what ends in .csv is one."""
    return text.lower().endswith(".csv")
