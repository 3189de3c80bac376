"""What puts a model's words in doubt is said beside them."""

import pandas as pd

from xai_assets.reporting.doubts import doubts
from xai_assets.reporting.results import StudyResults

ROWS = [
    ("near-duplicates", "160 of 160 images are of 20 photographs", "warn"),
    ("training domain of encoder", "24 images lie 0.43 from it", "warn"),
    ("training domain of net", "24 images lie 0.80 from it", "warn"),
    ("training domain of other", "24 images lie 0.90 from it", "warn"),
    ("zero-shot accuracy, class", "10.0% of 20 images", "warn"),
    ("modes", "L (3)", "warn"),
    ("most frequent nearest word", "dog, of 12% of the images", "ok"),
]


def test_a_model_s_own_doubts_and_those_of_all_are_said():
    results = StudyResults(study={}, probe_health=pd.DataFrame(ROWS, columns=["key", "value", "level"]))
    said = doubts(results, "net")
    assert [line.split(": ")[1] for line in said] == [ROWS[at][0] for at in (0, 1, 2, 4)]
    assert said[2] == "With care: training domain of net: 24 images lie 0.80 from it."
    assert doubts(StudyResults(study={}), "net") == []
