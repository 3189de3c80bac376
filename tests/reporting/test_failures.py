"""The report on a model's mistakes: rows of the tables in their order, and sentences that they carry."""

import io
import json
from dataclasses import replace

import pandas as pd
import pypdf
import pytest

from tests.reporting.plausible import plausible
from tests.reporting.plausible_answers import drawn_answers, performance_frames
from tests.reporting.rows import foreign
from xai_assets.reporting.content import build
from xai_assets.reporting.failures import FAILURES_SHOWN
from xai_assets.reporting.performance import CLASSES_SHOWN, MATRIX_CLASSES, confusion, performance
from xai_assets.reporting.performance_sentences import in_short
from xai_assets.reporting.pictures import Pictures
from xai_assets.reporting.render import render
from xai_assets.reporting.results import StudyResults
from xai_assets.reporting.selection import failures_to_show

FACTS = {"name": "s", "title": "S"}


def of(answers, **tables):
    return StudyResults(study=FACTS, **performance_frames(answers) | tables)


@pytest.fixture(scope="module")
def many():
    """Ninety answers about five classes, one of which is never answered, and no image explained."""
    return of(drawn_answers(90))


def said_of(results):
    return " ".join(in_short(performance(results), confusion(results)))


def test_its_numbers_are_rows_of_the_tables(many):
    content = build("failures", many, Pictures())
    tables = {name: getattr(many, name) for name in StudyResults.table_names()}
    assert foreign(content, tables) == []
    assert len(content["performance"]["classes"]) == 5
    recalls = [row["recall"]["mean"] for row in content["performance"]["classes"]]
    assert recalls == sorted(recalls) and recalls[0] == 0


def test_what_is_said_first_is_what_the_tables_decide(many):
    said = said_of(many)
    accuracy = many.model_performance.set_index("metric").loc["accuracy"]
    assert f"right for {accuracy['value']:.0%} of {accuracy['n']} labelled images" in said
    first = many.confusions[many.confusions["error_rank"] == 1].iloc[0]
    assert (
        f"“{first['label_name']}” is taken for “{first['predicted_name']}”: {first['images']} times" in said
    )
    missed = many.model_performance.query("metric == 'recall' and answer == 'no'")["class_name"].tolist()
    assert missed and all(f"“{name}”" in said for name in missed)
    assert "most images get another answer" in said


def test_calibration_is_said_as_it_was_decided(many):
    row = many.model_performance["metric"] == "ece"
    for answer, words in (
        ("yes", "The probabilities are on average"),
        ("cannot_tell", "answers cannot be told"),
    ):
        table = many.model_performance.assign(answer=many.model_performance["answer"].where(~row, answer))
        assert words in said_of(replace(many, model_performance=table))


def test_a_model_that_makes_no_mistake_and_one_that_makes_each_once():
    right = drawn_answers(40)
    right = right[right["correct"].fillna(False) & right["label_index"].notna()]
    assert "No image of one class is taken for another class." in said_of(of(right))
    wrong = right.assign(predicted_index=[(at + 7) for at in range(len(right))], correct=False)
    wrong["predicted_name"] = [f"other {at}" for at in wrong["predicted_index"]]
    assert "No two classes are confused more than once." in said_of(of(wrong))


def test_a_model_of_many_classes_has_a_matrix_that_can_be_read():
    names = [f"a class with a long name, and synonyms, number {at}" for at in range(120)]
    results = of(drawn_answers(600, classes=120, names=names))
    found = confusion(results)
    assert 2 <= len(found["names"]) <= MATRIX_CLASSES < found["of"]
    top = found["pairs"][0]
    assert {top["label"], top["predicted"]} <= set(found["names"])
    report = render("failures", results)
    text = " ".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(report.pdf)).pages)
    assert f"Of {found['of']} classes that are a label or an answer" in " ".join(text.split())
    assert len(pypdf.PdfReader(io.BytesIO(report.pdf)).pages) < 12 and report.complaints == ()
    assert len(json.loads(report.json)["performance"]["classes"]) == found["of"] > CLASSES_SHOWN


def test_without_labels_one_sentence_is_said():
    report = render(
        "failures", of(drawn_answers(12).assign(correct=pd.NA, label_index=pd.NA, error_rank=pd.NA))
    )
    assert report.data["performance"] is None
    assert "No image has a label that the model has" in report.html
    assert "Confusion" not in report.html and report.data["chapters"] == []


@pytest.fixture(scope="module")
def explained():
    """Twelve images, one of them wrong, with the right answer that a sample would have beside it."""
    results = plausible(9, 3, layers={"layer4": 6})
    wrong = results.answers.loc[results.answers["error_rank"] == 1, "image_id"].iloc[0]
    other = results.answers.loc[results.answers["error_rank"].isna(), "image_id"].iloc[0]
    rows = [(wrong, "failure", None), (other, "success", wrong), (other, "random", None)]
    return replace(results, explained_sample=pd.DataFrame(rows, columns=["image_id", "reason", "matched_to"]))


def test_an_explained_mistake_is_shown_with_its_maps_beside_a_right_answer(explained):
    content = build("failures", explained, Pictures())
    (pair,) = content["failures"]["failures"]
    assert pair["failure"]["image_id"] == "scene-004" and not pair["failure"]["correct"]
    assert pair["success"]["correct"]
    assert [one["title"][-1] for one in content["cover"]["shown"]] == ["×"]
    (target,) = pair["failure"]["targets"]
    assert [one["method"] for one in target["maps"]] == content["failures"]["methods"] != []
    assert any(
        "a sample of 2 images: 1 failure, 1 right answer matched to it" in said for said in content["limits"]
    )
    facts = {row["name"]: row["value"] for row in content["facts"]}
    assert facts["images classified"] == facts["images explained"] == 12


def test_of_many_mistakes_each_pair_has_its_surest_first():
    answers = drawn_answers(300, seed=2)
    shown, rule, explained = failures_to_show(
        replace(of(answers), predictions=answers[["image_id"]]), FAILURES_SHOWN
    )
    rows = answers.set_index("image_id")
    assert len(shown) == FAILURES_SHOWN < explained == answers["error_rank"].notna().sum()
    assert f"Of these {FAILURES_SHOWN} are shown" in rule
    pairs = [tuple(rows.loc[name, ["label_index", "predicted_index"]]) for name, _ in shown]
    wrong = answers.dropna(subset=["error_rank"]).sort_values("error_rank")
    surest = wrong.groupby(["label_index", "predicted_index"])["image_id"].first()
    ordered = of(answers).confusions.dropna(subset=["error_rank"]).sort_values("error_rank")
    first = [
        surest[row["label_index"], row["predicted_index"]]
        for row in ordered.head(FAILURES_SHOWN).to_dict("records")
    ]
    assert set(first) <= {name for name, _ in shown}
    assert pairs == sorted(pairs, key=pairs.index)  # those of a pair stand together


QUALITY = {
    "labels": 87, "share": 0.05, "low": 0.02, "high": 0.1, "interval": "profile likelihood", "n": 87, "excluded": 0,
    "temperature": 1.0, "suspected": 0, "expected_precision": None, "expected_recall": None, "p": 0.4, "p_holm": 0.4,
    "family_size": 1, "fewest": 20, "answer": "cannot_tell",
}  # fmt: skip
SUSPECT = {
    "image_id": "image-0003", "label_index": 1, "label_name": "bird", "suggested_index": 0, "suggested_name": "fish",
    "label_probability": 0.001, "suggested_probability": 0.99, "usual_label_probability": 0.8,
    "usual_suggested_probability": 0.9, "confident": True, "label_wrong": 0.97, "suspicion_rank": 1, "evidence": "",
}  # fmt: skip


def test_suspected_labels_are_named_and_where_none_is_shown_that_is_said(many):
    nothing = replace(many, label_quality=pd.DataFrame([QUALITY]), suspected_labels=pd.DataFrame())
    none = build("failures", nothing, Pictures())
    assert none["suspected"]["rows"] == []
    assert none["suspected"]["sentences"] == [
        "That labels are wrong, beyond the model's own mistakes, is not shown (p = 0.400, 87 labels)."
    ]
    told = QUALITY | {
        "answer": "yes", "p_holm": 0.005, "suspected": 1, "expected_precision": 0.97, "expected_recall": 0.25,
    }  # fmt: skip
    results = replace(many, label_quality=pd.DataFrame([told]), suspected_labels=pd.DataFrame([SUSPECT]))
    report = render("failures", results)
    (labels,) = [group for group in report.data["verdict"] if group["about"] == "The labels"]
    assert "5.0% of them (95% interval 2.0% to 10.0%)" in " ".join(labels["sentences"])
    assert "1 is suspected; 97% of these are expected to be wrong indeed, and they are 25%" in report.html
    (row,) = report.data["suspected"]["rows"]
    assert (row["label"], row["suggested"], row["label_wrong"]) == ("bird", "fish", 0.97)
    assert "Suspected label" in report.html and report.complaints == ()


def place(question, region, answer, difference, **of):
    return {
        "question": question, "region": region, "method": "gradcam", "value": 0.5, "reference": 0.2,
        "difference": difference, "low": difference - 0.1, "high": difference + 0.1, "interval": "t", "n": 12,
        "excluded": 0, "p": 0.01, "p_holm": 0.02, "family_size": 3, "fewest": 5, "answer": answer, **of,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("yes", "The maps of Grad-CAM lie on the object"),
        ("no", "The maps of Grad-CAM do not lie on the object"),
        ("cannot_tell", "Whether the maps of Grad-CAM lie on the object cannot be told with 12 images"),
    ],
)
def test_the_place_of_the_evidence_is_said_as_it_was_decided(many, answer, said):
    rows = [
        *(place("chance", region, "yes", 0.3) for region in ("object", "context", "elsewhere")),
        place("on_object", "object", answer, 0.2),
        place("answers", "object", "yes", 0.25, fewest=None, value=0.3, reference=0.05),
    ]
    places = pd.DataFrame({"image_id": ["a", "b", "b"], "correct": pd.array([True, False, False], "boolean")})
    results = replace(many, evidence_tests=pd.DataFrame(rows), evidence_place=places)
    content = build("failures", results, Pictures())
    assert content["evidence"]["sentences"][0].startswith(said)
    assert (
        "less of their evidence on the object than where it is right (+0.05 and +0.30"
        in content["verdict"][-1]["sentences"][-1]
    )
    assert (content["evidence"]["right"], content["evidence"]["wrong"]) == (1, 1)
    tables = {name: getattr(results, name) for name in StudyResults.table_names()}
    assert foreign(content, tables) == []
    if answer == "yes":
        report = render("failures", results)
        assert "more where right" in report.html and report.complaints == ()
