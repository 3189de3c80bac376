"""The view `headline`: each number is one of the tables', and its answer is that of all its comparisons together."""

import numpy as np
import pandas as pd
import pytest

from xai_assets.evaluation.accuracy import prediction_summary
from xai_assets.evaluation.comparison import metric_summary, metric_tests
from xai_assets.evaluation.headline import DECISIVE
from xai_assets.resources import headline_view
from xai_assets.resources.tables import TABLES
from xai_assets.resources.views import VIEWS
from xai_assets.resources.warehouse import Warehouse

LEVELS = {"gradcam": 0.7, "lime": 0.5, "centre": 0.5, "edges": 0.2, "random": 0.1, "oracle": 1.0}


def values(metric, variant, truth, images=12):
    generator = np.random.default_rng(0)
    return pd.DataFrame(
        [
            {
                "image_id": str(image), "target_index": 0, "method": method, "metric": metric, "variant": variant,
                "truth": truth, "is_control": method not in ("gradcam", "lime"),
                "value": level + 0.02 * generator.normal(),
            }
            for image in range(images)
            for method, level in LEVELS.items()
        ]
    )  # fmt: skip


@pytest.fixture
def found(tmp_path):
    long = pd.concat([values("average_precision", None, "object"), values("srg", "blur", None)])
    predictions = pd.DataFrame(
        {"image_id": list("abcdef"), "model": "m", "correct": [True, True, True, True, False, None]}
    ).assign(label=None, sure=True, domain="0 of 6 images are far", in_domain=True)
    frames = {
        "prediction_summary": prediction_summary(predictions.astype({"correct": "boolean"})),
        "metric_summary": metric_summary(long).reindex(columns=list(TABLES["metric_summary"].columns)),
        "metric_tests": metric_tests(long).reindex(columns=list(TABLES["metric_tests"].columns)),
    }
    warehouse = Warehouse(tmp_path / "w.duckdb")
    warehouse.replace("s", frames)
    return warehouse.read("s")


def test_its_columns_are_those_of_its_query(found):
    assert [*found["headline"].columns] == [c for c in headline_view.COLUMNS if c not in ("study", "place")]
    assert VIEWS["headline"].of == headline_view.OF


def test_every_number_is_one_of_the_tables(found):
    headline, summary = found["headline"], found["metric_summary"].set_index(["metric", "method"])
    assert headline["section"].tolist() == ["model"] + ["localization"] * 6 + ["faithfulness"] * 6
    assert (headline.loc[0, "value"], headline.loc[0, "n"]) == (0.8, 5)
    for row in headline.iloc[1:].to_dict("records"):
        source = summary.loc[(row["metric"], row["subject"])]
        assert (row["value"], row["low"], row["high"], row["n"]) == tuple(
            source[["mean", "low", "high", "n"]]
        )


def test_the_answer_is_that_of_all_comparisons(found):
    by = found["headline"].set_index(["section", "subject"])
    assert by.loc[("localization", "gradcam"), "answer"] == "yes"
    assert by.loc[("localization", "lime"), "answer"] == "cannot_tell"  # as good as the centre prior
    assert by.loc[("localization", "gradcam"), "against"] == ", ".join(DECISIVE)
    assert (
        by.loc[("faithfulness", "gradcam"), "against"] == "centre, edges, random"
    )  # the oracle is no control
    tests = found["metric_tests"]
    of = tests[
        (tests["metric"] == "srg") & (tests["method_a"] == "gradcam") & (tests["family"] == "controls")
    ]
    assert by.loc[("faithfulness", "gradcam"), "p_holm"] == of["p_holm"].max()
    assert pd.isna(by.loc[("localization", "centre"), "answer"])


def test_nothing_is_made_of_nothing(tmp_path):
    warehouse = Warehouse(tmp_path / "w.duckdb")
    warehouse.replace("s", {"probe_health": pd.DataFrame({"key": ["a"], "value": ["b"], "level": ["ok"]})})
    assert warehouse.read("s")["headline"].empty
