"""Rules that checks of several chapters share: each says what breaks it, and nothing where all is well."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from xai_assets.attribution.wording import RATHER
from xai_assets.checks.check import Verdict, not_asked
from xai_assets.resources.table import Table

CASE = ["image_id", "target_index"]
SHARE = (0.0, 1.0)
ROUNDING = 1e-6
NAMED = 3
"""How many of the things that break a rule are named."""

NO_CONTRAST = -1

Range = tuple[float, float]
Cases = list[tuple[object, ...]]


def out_of_range(table: Table, ranges: Mapping[str, Range]) -> Iterator[str]:
    """Columns with a value outside of its range, or an infinite one; no value is none outside."""
    for column, (low, high) in ranges.items():
        values = table[column].astype("float64")
        bad = values[~(values.isna() | values.between(low - ROUNDING, high + ROUNDING))]
        if len(bad):
            yield f"{column} is {bad.iloc[0]:g} in {_rows(bad)}, outside {low:g} to {high:g}"


def out_of_metric_range(table: Table) -> Iterator[str]:
    """As `out_of_range` for a table of one value a row, by the range that each metric is declared with."""
    from xai_assets.evaluation.metrics import METRICS

    for metric, rows in table.groupby("metric", sort=False):
        record = METRICS[str(metric)]
        for said in out_of_range(rows, {"value": (record.low, record.high)}):
            yield f"{metric}: {said}"


def repeated(table: Table, key: Sequence[str]) -> Iterator[str]:
    """Rows that share what no two rows may share."""
    twice = table[table.duplicated(list(key))]
    if len(twice):
        which = ", ".join(str(twice.iloc[0][name]) for name in key)
        yield f"rows that stand there already: {len(twice)}, such as {which}"


def cases(table: Table, columns: Sequence[str] = CASE) -> Cases:
    """What the table has rows of, each once and in its order."""
    return list(dict.fromkeys(table[list(columns)].itertuples(index=False, name=None)))


def questions(table: Table, columns: Sequence[str] = CASE) -> Cases:
    """As `cases`; of the difference of two classes with the second one."""
    return list(dict.fromkeys(each_question(table, columns)))


def each_question(table: Table, columns: Sequence[str] = CASE) -> Cases:
    """What each row is about, in its order: see `questions`."""
    rows = table[list(columns)].itertuples(index=False, name=None)
    if "contrast_index" not in table:
        return list(rows)
    contrasts = table["contrast_index"].astype("Int64").fillna(NO_CONTRAST)
    return [
        one if contrast == NO_CONTRAST else (*one, RATHER, int(contrast))
        for one, contrast in zip(rows, contrasts, strict=True)
    ]


def differing(failures: Iterable[Mapping[str, object]]) -> Cases:
    """What rows of `analysis.differences.differences` are about, as `questions` has it."""
    return [(*(row[name] for name in CASE), RATHER, row["contrast_index"]) for row in failures]


def named(found: Cases) -> str:
    """The first few of them, for a sentence."""
    first = ", ".join(" ".join(map(str, one)) for one in found[:NAMED])
    return first + (f" and {len(found) - NAMED} more" if len(found) > NAMED else "")


def named_by_class(found: Cases, predictions: Table) -> str:
    """As `named`, with the name of each class in the place of its number."""
    names = {pair[0]: pair[1] for pair in cases(predictions, ["target_index", "target_name"])}
    return named([tuple(names.get(part, part) for part in one) for one in found])


def sound(problems: Iterable[str], well: str, remedy: str, rows: int) -> Verdict:
    """The verdict of a check that no rule may be broken in."""
    found = list(problems)
    if not rows and not found:
        return left_out("this table")
    said = f"{'; '.join(found)}. {remedy}" if found else well
    return Verdict(not found, said, {"rows": rows, "problems": len(found)})


def left_out(what: str) -> Verdict:
    """The verdict where the study asks for nothing of the kind."""
    return not_asked(f"The study leaves {what} out.")


def _rows(table: Table) -> str:
    return f"{len(table)} row{'s' * (len(table) != 1)}"
