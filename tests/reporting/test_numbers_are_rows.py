"""One computation for each number: a report's intervals, p and answers are rows of the tables that it was made from."""

from dataclasses import fields

import pandas as pd

from tests.reporting.rows import foreign, intervals_of_report, keyed


def tables_of(results):
    return {spec.name: getattr(results, spec.name) for spec in fields(results) if spec.type is pd.DataFrame}


def test_every_interval_p_and_answer_of_a_report_is_a_row(report, results):
    assert foreign(report.data, tables_of(results)) == []


def test_there_are_some(report):
    if report.data["kind"] in ("study", "cam", "lime", "comparison"):
        assert len(list(intervals_of_report(report.data))) > 3
    if report.data["kind"] == "study":
        assert len(list(keyed(report.data, "p_holm"))) > 3


def test_a_number_of_its_own_is_found():
    tables = {"t": pd.DataFrame({"mean": [0.5], "low": [0.4], "high": [0.6], "p_holm": [0.01]})}
    assert foreign({"a": [{"mean": 0.5, "low": 0.4, "high": 0.6}], "p_holm": 0.01}, tables) == []
    wrong = foreign({"a": [{"mean": 0.5, "low": 0.39, "high": 0.6}], "b": {"p_holm": 0.02}}, tables)
    assert wrong == [".a[0]: (0.5, 0.39, 0.6)", ".b.p_holm: 0.02"]
