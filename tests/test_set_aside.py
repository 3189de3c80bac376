"""Many things that were set aside are one line a reason; all names are kept, and the line has the first of them."""

from hypothesis import given
from hypothesis import strategies as st

from xai_assets.set_aside import NAMED, REASONS, by_reason, lines


def test_one_reason_of_many_is_one_line_with_the_first_names():
    things = [(f"b{number}.jpg", "it is not an image (UnidentifiedImageError)") for number in range(5000)]
    (line,) = lines(things, "images")
    assert line.startswith("5,000 images: it is not an image") and "b19.jpg and 4,980 more" in line
    assert "b20.jpg" not in line and len(line) < 400


def test_one_thing_is_named_first():
    assert lines([("a.png", "the file is empty.")], "images") == ["a.png: the file is empty."]


def test_reasons_that_differ_in_numbers_and_names_only_are_one_group():
    things = [
        (f"{side}.png", f"an image of {side} x {side + 1}: the name '{side}.png' of /a/b/{side}")
        for side in (3, 50)
    ]
    (group,) = by_reason(things)
    assert group.names == ("3.png", "50.png") and not group.alike and group.reason == things[0][1]
    assert "so of the first" in group.line("images")


def test_reasons_without_end_are_counted():
    things = [(f"{word}.png", f"the reason is {word}") for word in "abcdefghijklmnopqrstuvwxyz"]
    found = lines(things, "images")
    assert len(found) == REASONS + 1 and found[-1] == "6 more images, for 6 other reasons"


@given(
    st.lists(
        st.tuples(st.text(min_size=1), st.sampled_from(["it is empty", "it has 2 pages", "it has 30 pages"]))
    )
)
def test_every_thing_is_in_one_group(things):
    groups = by_reason(things)
    assert sorted(name for group in groups for name in group.names) == sorted(name for name, _ in things)
    assert [group.count for group in groups] == sorted((group.count for group in groups), reverse=True)
    assert all(len(group.listed.split(", ")) >= min(group.count, NAMED) for group in groups)
