"""The step that holds maps against the published libraries, and what of it stands in the warehouse."""

import pandas as pd
import pytest

from tests.test_cli_verify import STUDY, made, prepared, study  # noqa: F401  (fixtures)
from xai_assets.analysis import verification as module
from xai_assets.analysis.explanations import maps
from xai_assets.analysis.verification import sample, verification
from xai_assets.analysis.verified_rows import verified
from xai_assets.analysis.verify import finished, plan, verify
from xai_assets.analysis.workbench import Workbench
from xai_assets.attribution.parameters import PARAMETERS, VerifyParameters
from xai_assets.attribution.verification import REFERENCES
from xai_assets.resources.tables import TABLES
from xai_assets.settings import Settings
from xai_assets.study_file import StudyError

ASKED = STUDY.replace("reports:", "  verify: {maps: 2, methods: [gradcam, lime]}\nreports:")


@pytest.fixture
def asking(made, study):  # noqa: F811
    """The same study, which asks for two maps of two methods."""
    study.write_text(ASKED, encoding="utf-8")
    return reopened(study)


def reopened(path):
    return Workbench.open(str(path), Settings.from_environment())


def step(bench):
    found = finished(bench)
    return verification(bench, found, bench.table("predictions"), bench.table("images")), found


def load(bench, rows, of):
    stored = bench.warehouse.read("small")["verification"]
    bench.warehouse.replace("small", verified(rows, stored, of))
    tables = bench.warehouse.read("small")
    return tables["verification"], tables["verification_summary"].set_index("method")


def alter(bench, row):
    """Turn a map upside down where it is kept."""
    arrays, meta = bench.store.get("maps", row["artifact"])
    bench.store.put("maps", row["artifact"], arrays | {"values": arrays["values"][::-1].copy()}, meta)


def test_a_study_that_does_not_ask_has_no_rows(made):  # noqa: F811
    rows, _ = step(made)
    assert rows.empty and list(rows.columns) == list(TABLES["verification"].columns)


def test_what_is_asked_for_is_compared_and_summed_up(asking):
    rows, of = step(asking)
    assert rows["method"].tolist() == ["gradcam"] * 2 + ["lime"] * 2
    assert (rows["verdict"] == "within").all() and set(rows["sample_seed"]) == {0}
    stored, summary = load(asking, rows, of)
    assert len(stored) == 4
    assert list(summary.index) == ["gradcam", "lime"]
    turned = of.sort_values(
        "method", ascending=False, kind="stable"
    )  # steps hand on the methods by another order
    pd.testing.assert_frame_equal(load(asking, rows, turned)[0], stored)
    for method, own in rows.groupby("method"):
        row = summary.loc[method]
        assert (row["maps"], row["not_compared"], row["made"], row["verdict"]) == (2, 0, 3, "within")
        assert row["largest_difference"] == own["difference"].max() <= row["tolerance"]
        assert row["image_id"] == own.loc[own["difference"].idxmax(), "image_id"]
        assert (row["library"], row["tolerance_reason"]) == (
            REFERENCES[method].named,
            REFERENCES[method].reason,
        )


def test_the_sample_is_of_the_same_cases_for_all_methods_and_grows(asking):
    of = finished(asking)
    small = sample(of, ["gradcam", "lime"], 1, seed=5)
    large = sample(of, ["gradcam", "lime"], 2, seed=5)
    assert len({row["image_id"] for row in small}) == 1 and len({row["image_id"] for row in large}) == 2
    assert {row["artifact"] for row in small} < {row["artifact"] for row in large}
    assert len({sample(of, ["lime"], 1, seed=seed)[0]["image_id"] for seed in range(20)}) == 3


def test_what_was_compared_is_not_compared_again_until_the_map_is_another(asking, study, monkeypatch):  # noqa: F811
    first, of = step(asking)
    calls = []
    compare = module.compare
    monkeypatch.setattr(module, "compare", lambda *given, **more: calls.append(1) or compare(*given, **more))
    again = reopened(study)
    second, _ = step(again)
    assert not calls and again.tally.reused == 4 and again.tally.computed == 0
    pd.testing.assert_frame_equal(first, second)
    alter(asking, first.iloc[0])
    third, _ = step(reopened(study))
    assert len(calls) == 1
    assert third["verdict"].tolist() == ["beyond", "within", "within", "within"]
    _, summary = load(asking, third, of)
    assert summary.loc["gradcam", "verdict"] == "beyond"
    assert summary.loc["gradcam", "largest_difference"] == third["difference"].iloc[0] > 0.1
    assert summary.loc["gradcam", "image_id"] == third["image_id"].iloc[0]


def test_rows_of_a_hand_s_verification_stay_over_a_run_that_asks_for_others_and_over_one_that_asks_nothing(
    asking,
    study,  # noqa: F811
):
    rows, of = step(asking)
    load(asking, rows, of)
    by_hand = verify(asking, plan(asking, count=3, methods=["gradcam", "eigencam"]))
    assert len(by_hand) == 6
    rows, of = step(reopened(study))
    stored, summary = load(asking, rows, of)
    assert stored["method"].value_counts().to_dict() == {"gradcam": 3, "eigencam": 3, "lime": 2}
    assert summary["maps"].to_dict() == {"gradcam": 3, "lime": 2, "eigencam": 3}
    study.write_text(STUDY, encoding="utf-8")
    rows, of = step(reopened(study))
    assert rows.empty
    again, _ = load(reopened(study), rows, of)
    pd.testing.assert_frame_equal(stored, again)


def test_a_row_goes_with_its_map(asking, study):  # noqa: F811
    rows, of = step(asking)
    load(asking, rows, of)
    study.write_text(STUDY.replace("num_samples: 20", "num_samples: 21"), encoding="utf-8")
    bench = reopened(study)
    lime = maps(bench, bench.table("predictions"), bench.table("images"), "lime")
    others = pd.concat([of[of["method"] != "lime"], lime], ignore_index=True)
    stored, summary = load(bench, rows.iloc[:0], others)
    assert stored["method"].tolist() == ["gradcam"] * 2 and list(summary.index) == ["gradcam"]


@pytest.mark.parametrize("changed", [{"library": "lime 0.1"}, {"tolerance": 0.5}, {"comparison": None}])
def test_a_row_of_another_library_or_tolerance_goes(asking, changed):
    rows, of = step(asking)
    bad = rows["method"] == "lime"
    older = rows.assign(**{name: rows[name].where(~bad, value) for name, value in changed.items()})
    asking.warehouse.replace("small", {"verification": older})
    stored, _ = load(asking, rows.iloc[:0], of)
    assert set(stored["method"]) == {"gradcam"}


def test_a_map_that_was_found_beyond_stays_beyond_whatever_else_is_compared(made):  # noqa: F811
    of = finished(made)
    worst = sample(of, ["gradcam"], 1, seed=0)[0]
    alter(made, worst)
    verify(made, plan(made, count=1, methods=["gradcam"]))
    other = next(
        s for s in range(50) if sample(of, ["gradcam"], 1, seed=s)[0]["image_id"] != worst["image_id"]
    )
    found = verify(made, plan(made, count=1, seed=other, methods=["gradcam"]), seed=other)
    assert found["verdict"].tolist() == ["within"]
    summary = made.warehouse.read("small")["verification_summary"].iloc[0]
    assert (summary["verdict"], summary["maps"], summary["image_id"]) == ("beyond", 2, worst["image_id"])


def test_what_a_study_may_ask_for():
    assert VerifyParameters().maps == 3 and VerifyParameters().methods == ()
    assert VerifyParameters(methods=tuple(PARAMETERS)).methods == tuple(PARAMETERS)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("{methods: [layercam]}", "`verify` names layercam, which is not among `methods`"),
        ("{methods: [gradcan]}", "gradcam"),
        ("{maps: 0}", "of at least 1"),
    ],
)
def test_what_it_may_not_is_refused_by_name(study, given, said):  # noqa: F811
    study.write_text(STUDY.replace("reports:", f"  verify: {given}\nreports:"), encoding="utf-8")
    with pytest.raises(StudyError) as error:
        reopened(study)
    assert said in " ".join(error.value.problems)
