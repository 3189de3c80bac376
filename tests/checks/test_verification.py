"""The check of a verification: what is beyond is named, what cannot be told is neither passed nor failed."""

import numpy as np
import pandas as pd
import pytest

from xai_assets.checks.check import NOT_ASKED, state
from xai_assets.checks.verification import THEIRS
from xai_assets.resources.tables import TABLES

ROW = {
    "target_index": 1, "target_name": "dog", "artifact": "ab" * 16, "note": None, "seconds_library": 1.0,
    "seconds": 1.0, "comparison": "cd" * 16, "sample_seed": 0,
}  # fmt: skip
GRADCAM = {"method": "gradcam", "library": "grad-cam 1.5", "tolerance": 1e-4}
LIME = {"method": "lime", "library": "lime 0.2", "tolerance": 1e-3}
NOT = {"verdict": "not_compared", "difference": np.nan, "note": "the study asks for bfloat16"}


def rows(*given):
    """Rows of the table, each of its own image unless it names one."""
    found = [
        {"image_id": f"{number}.png", "verdict": "within"} | ROW | row for number, row in enumerate(given)
    ]
    return pd.DataFrame(found, columns=list(TABLES["verification"].columns))


def test_every_compared_map_within_its_tolerance_passes_and_the_largest_difference_is_named():
    table = rows(GRADCAM | {"difference": 2e-7}, GRADCAM | {"difference": 3e-7}, LIME | {"difference": 2e-5})
    result = THEIRS.result(table, asked=True)
    assert state(result) == "passed"
    assert result.description == (
        "The 3 compared maps are within the tolerance of those of grad-cam 1.5 and lime 0.2; the largest difference: "
        "lime of 2.png (dog) differs by 2e-05 from lime 0.2, tolerance 0.001."
    )
    assert result.metadata["largest_difference"].value == 2e-5 and result.metadata["beyond"].value == 0


def test_what_could_not_be_compared_is_said_and_fails_nothing():
    result = THEIRS.result(rows(GRADCAM | {"difference": 2e-7}, LIME | NOT), asked=True)
    assert state(result) == "passed"
    assert "The 1 compared map is within" in result.description
    assert result.description.endswith("1 could not be compared: lime: the study asks for bfloat16.")


def test_a_map_beyond_fails_with_method_image_difference_and_tolerance():
    table = rows(
        LIME | {"difference": 0.0009},
        GRADCAM | {"difference": 0.0123, "verdict": "beyond"},
        GRADCAM | {"difference": 0.5, "verdict": "beyond"},
    )
    result = THEIRS.result(table, asked=True)
    assert state(result) == "failed" and result.severity.value == "WARN"
    assert result.description.startswith(
        "2 of 3 compared maps are not those of the library: gradcam of 2.png (dog)"
    )
    assert "gradcam of 1.png (dog) differs by 0.012 from grad-cam 1.5, tolerance 0.0001" in result.description
    assert "lime of" not in result.description
    assert result.metadata["beyond"].value == 2


def test_of_many_beyond_the_worst_are_named():
    many = [GRADCAM | {"difference": 0.1 + number / 100, "verdict": "beyond"} for number in range(5)]
    said = THEIRS.look(rows(*many)).said
    assert "4.png" in said and "2.png" in said and "1.png" not in said and "and 2 more" in said


def test_where_nothing_could_be_compared_it_cannot_be_told():
    result = THEIRS.result(rows(LIME | NOT, LIME | NOT), asked=True)
    assert state(result) == NOT_ASKED and result.passed
    assert result.description == (
        "Cannot be told whether maps are those of the libraries: none of 2 could be compared (lime: the study asks for "
        "bfloat16)."
    )


@pytest.mark.parametrize(("asked", "said"), [(False, NOT_ASKED), (True, "failed")])
def test_without_a_row_it_is_not_asked_unless_the_study_asks(asked, said):
    assert state(THEIRS.result(rows(), asked=asked)) == said
