"""Every number of the summary tables, made again from raw tables and maps with scipy: only a false one disagrees."""

from dataclasses import fields

import pandas as pd
import pytest

from tests.rederived import drawn, everything
from tests.rederived.compared import Found
from tests.rederived.everything import disagreements
from xai_assets.evaluation.chance import OF_TRUTHS
from xai_assets.evaluation.comparison import curve_means, metric_summary, metric_tests
from xai_assets.evaluation.counterfactual_summary import counterfactual_summary
from xai_assets.evaluation.localization import localization_values, of_object
from xai_assets.evaluation.metric_trials import metric_trials
from xai_assets.evaluation.randomisation import veto_table
from xai_assets.evaluation.stability import stability_summary
from xai_assets.resources.headline_view import OF
from xai_assets.resources.tables import TABLES
from xai_assets.resources.warehouse import Warehouse

NO_RANKING = ("randomisation_similarity", "noise_floor", "redrawn")
LOADED = (
    "predictions", "maps", "mask_agreement", "agreement_summary", "localization", "faithfulness", "faithfulness_curves",
    "faithfulness_curve_means", "robustness", "counterfactuals", "counterfactual_summary", "randomisation_veto",
    "stability_summary", "metric_summary", "metric_tests", "metric_trials", "answers", "model_performance", "confusions",
    "reliability_curve", "suspected_labels", "label_quality", *OF,
)  # fmt: skip


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Tables of a study of seven images as DuckDB gives them back, made as `analysis.loading` does, and its maps."""
    results, raw = drawn.study()
    tables = {
        spec.name: getattr(results, spec.name) for spec in fields(results) if spec.type is pd.DataFrame
    } | raw
    of_truths = localization_values(tables["localization"])
    measured = [
        table.astype({"value": float})[[name for name in of_truths if name in table]]
        for table in (raw["faithfulness"], raw["robustness"])
    ]
    values = pd.concat([of_truths, *measured], ignore_index=True)
    chance = _chance(tables)
    robust = raw["robustness"]
    tables |= {
        "metric_summary": metric_summary(values, chance),
        "metric_tests": metric_tests(values[~values["metric"].isin(NO_RANKING)], chance),
        "counterfactual_summary": counterfactual_summary(raw["counterfactuals"]),
        "faithfulness_curve_means": curve_means(raw["faithfulness_curves"]),
        "stability_summary": stability_summary(robust),
        "randomisation_veto": veto_table(robust[robust["metric"] == "randomisation_similarity"], above=0.5),
        "metric_trials": metric_trials(
            pd.concat([of_object(of_truths), measured[0]], ignore_index=True), raw["counterfactuals"]
        ),
    }
    warehouse = Warehouse(tmp_path_factory.mktemp("warehouse") / "warehouse.duckdb")
    warehouse.replace(
        "s",
        {name: tables[name].reindex(columns=list(TABLES[name].columns)) for name in dict.fromkeys(LOADED)},
    )
    of_units = (
        "clip_dissect",
        "netdissect",
        "units_beyond_chance",
        "category_comparison",
        "category_agreement",
    )
    return warehouse.read("s") | {name: tables[name] for name in of_units}, results.artifact


def _chance(tables):
    """The rows about other images as they were loaded: made from the maps, which are read again."""
    tests, means = tables["metric_tests"], tables["metric_summary"]
    of = tests[tests["family"] == "chance"].rename(columns={"method_a": "method"})
    levels = means[["metric", "truth", "method", "chance", "attainable"]]
    return of.merge(levels, on=["metric", "truth", "method"])[list(OF_TRUTHS)]


def test_every_number_is_what_its_raw_data_give(study):
    found = disagreements(*study)
    assert found.wrong == []
    assert found.held > 8_000


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("metric_summary", "mean"), ("metric_summary", "high"), ("metric_summary", "chance"), ("metric_tests", "p"),
        ("metric_tests", "p_holm"), ("metric_tests", "family_size"), ("metric_tests", "effect"),
        ("agreement_summary", "difference_low"), ("agreement_summary", "chance"), ("counterfactual_summary", "low"),
        ("faithfulness_curve_means", "mean"), ("metric_trials", "value"), ("presence_summary", "low"),
        ("category_comparison", "difference"), ("headline", "value"), ("randomisation_veto", "similarity"),
        ("stability_summary", "low"), ("model_performance", "value"), ("model_performance", "high"),
        ("model_performance", "p_holm"), ("confusions", "share"), ("reliability_curve", "correct"),
    ],
)  # fmt: skip
def test_a_number_that_is_a_little_off_is_found(study, table, column):
    tables, read = study
    wrong = tables[table].copy()
    at = (
        wrong[column].first_valid_index()
        if table != "metric_summary" or column != "chance"
        else _of_object(wrong)
    )
    wrong[column] = wrong[column].astype(float)
    wrong.loc[at, column] += 1e-6
    assert any(f"{column} is" in said for said in _few(tables | {table: wrong}, read, table).wrong)


def _of_object(summary):
    chosen = summary[
        (summary["truth"] == "object") & (summary["metric"] == "energy") & summary["chance"].notna()
    ]
    return chosen.index[0]


def _few(tables, read, table):
    """Only the parts that look at a table."""
    found = Found()
    if table in ("agreement_summary", "metric_summary"):
        everything.of_maps.agreement(tables, read, found)
        everything.of_maps.localisation(tables, read, found)
    for part in everything.FROM_TABLES:
        if table in part.__name__ or part.__name__ in table or (table, part.__name__) in ALSO:
            part(tables, found)
    return found


ALSO = {("faithfulness_curve_means", "curve_means"), ("agreement_summary", "agreement_means")}
