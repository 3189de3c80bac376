"""The failures of a study: a wrong answer and an expected class each, which methods are asked about together.

Each is explained as "the predicted class rather than the expected one" (see `attribution.targets`), beside the maps of
the two classes: where `explain: both` has both of them in the table `predictions`, and nothing where the answer is right.

No mask is its ground truth. The object of the expected class is where evidence for that class should lie, which is not
what sets the predicted class above it; so no difference is localised. What is measured is its faithfulness: whether the
predicted class loses its lead as the pixels of the map are removed.
"""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from xai_assets.attribution.parameters import CLASS_AGNOSTIC, PARAMETERS
from xai_assets.resources.columns import CONTRAST

Row = dict[str, Any]
Case = tuple[str, int, int | None]


def differences(predictions: pd.DataFrame) -> list[Row]:
    """The failures, as rows that name their two classes: `target_index` the predicted one, `contrast_index` the expected.

    Args:
        predictions: the table.

    Returns:
        Rows of the predicted class with CONTRAST, in the order of the table: one a labelled class of an image that is
        answered wrongly, where both classes are explained.
    """
    return [row for _, rows in by_image(predictions) for row in rows if row["contrast_index"] is not None]


def by_image(predictions: pd.DataFrame) -> Iterator[tuple[str, list[Row]]]:
    """All that is explained of each image, one image after the other: its classes, then its differences."""
    images: dict[str, list[Row]] = {}
    for row in predictions.to_dict("records"):
        images.setdefault(str(row["image_id"]), []).append(row | dict.fromkeys(CONTRAST))
    for image, classes in images.items():
        yield image, [*classes, *_of_image(classes)]


def _of_image(classes: list[Row]) -> list[Row]:
    correct = classes[0].get("correct")  # of a table that does not say, no answer is known to be wrong
    if correct is None or pd.isna(correct) or correct:
        return []
    predicted = [row for row in classes if row["target_index"] == row["predicted_index"]]
    return [
        row | {"contrast_index": int(expected["target_index"]), "contrast_name": expected["target_name"]}
        for row in predicted
        for expected in classes
        if expected["target_index"] != row["target_index"]
    ]


def differs(method: str) -> bool:
    """Whether a method can be asked about two classes together: it is made here, and looks at classes."""
    return method in PARAMETERS and method not in CLASS_AGNOSTIC


def contrast_of(row: Row) -> int | None:
    """The second class of a row of a table, where it has one."""
    found = row.get("contrast_index")
    return None if found is None or pd.isna(found) else int(found)


def case_of(row: Row) -> Case:
    """The image, the class, and the second class if there is one, of a row of a table."""
    return str(row["image_id"]), int(row["target_index"]), contrast_of(row)


def of_classes(table: pd.DataFrame) -> pd.DataFrame:
    """The rows that are about one class, without the columns that say so."""
    if "contrast_index" not in table:
        return table
    return table[table["contrast_index"].isna()].drop(columns=list(CONTRAST)).reset_index(drop=True)


def of_differences(table: pd.DataFrame) -> pd.DataFrame:
    """The rows that are about the difference of two classes."""
    if "contrast_index" not in table:
        return table.iloc[:0].reindex(columns=[*table.columns, *CONTRAST])
    found = table[table["contrast_index"].notna()].reset_index(drop=True)
    return found.astype({"contrast_index": "Int64"})
