"""Names in one cell come back as they were, whatever they hold."""

from hypothesis import given, settings
from hypothesis import strategies as st

from xai_assets.joined import join_names, split_names


@settings(deadline=None)
@given(st.lists(st.text(min_size=1)))
def test_names_come_back(names: list[str]) -> None:
    assert split_names(join_names(names)) == names


@settings(deadline=None)
@given(st.lists(st.text(st.sampled_from(";\\a"), min_size=1)))
def test_separators_within_names_come_back(names: list[str]) -> None:
    assert split_names(join_names(names)) == names


@settings(deadline=None)
@given(st.text(st.sampled_from(";\\a")))
def test_any_cell_can_be_split(cell: str) -> None:
    """Cells of other tools do not escape; nothing is lost but the escapes."""
    assert (
        "".join(split_names(cell)).replace("\\", "") == cell.replace(";", "").replace("\\", "") or ";" in cell
    )


def test_plain_names_stand_as_they_are() -> None:
    assert join_names(["a.jpg", "b c.png"]) == "a.jpg;b c.png"
    assert join_names(["a;b.jpg", r"c\d.jpg"]) == r"a\;b.jpg;c\\d.jpg"
    assert split_names("") == []
