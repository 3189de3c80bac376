"""Labels as people and data sets write them: the output that each means, and those that mean none or several."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision.models._meta import _IMAGENET_CATEGORIES

from xai_assets.vision.class_matching import ClassMatcher, UnknownClass
from xai_assets.vision.synsets import synsets

IMAGENET = ClassMatcher(_IMAGENET_CATEGORIES, "lite0")
SMALL = ClassMatcher(["dog", "fire_truck", "Caf\u00e9 au lait"], "mine")


@pytest.mark.parametrize(
    ("label", "index"),
    [
        ("golden retriever", 207), ("Golden_Retriever", 207), ("golden-retriever", 207), ("207", 207), (" 207 ", 207),
        ("n02099601", 207), ("n02099601-golden_retriever", 207), ("n02099601_golden_retriever", 207),
        ("kite", 21), ("vulture", 23), ("white shark", 2), ("Carcharodon carcharias", 2), ("missile", 657),
        ("Cardigan", 264), ("cardigan", 474), ("crane bird", 134), ("134", 134), ("n02012849", 134), ("n03126707", 517),
        ("n01440764", 0), ("999", 999), ("toilet paper", 999), ("maillot tank suit", 639),
    ],
)  # fmt: skip
def test_a_label_of_imagenet(label, index):
    assert IMAGENET.index(label) == index


@pytest.mark.parametrize(
    ("label", "told"),
    [
        ("crane", r"has 2 classes.*134 \(n02012849, 'crane bird'\) or 517 \(n03126707, 'crane'\)"),
        ("Crane", "134 .* or 517"),
        ("maillot", "638 .* or 639"),
        ("CARDIGAN", "264 .* or 474"),
        ("panther", "286|290"),
        ("golden retreiver", "Did you mean 'golden retriever'"),
        ("1000", "Use 0 to 999"),
        ("n00004475", r"\(organism, being\).*no class of that synset"),
        ("n99999999", "no class of that synset"),
        ("qqqq zzzz", "It has 1000 classes"),
        ("", "It has 1000 classes"),
    ],
)
def test_a_label_that_is_no_class_or_several(label, told):
    with pytest.raises(UnknownClass, match=told):
        IMAGENET.index(label)


@pytest.mark.parametrize(
    ("label", "index"),
    [("dog", 0), ("DOG", 0), ("Fire Truck", 1), ("fire-truck ", 1), ("cafe\u0301 au lait", 2), ("1", 1)],
)
def test_a_label_of_a_small_model(label, index):
    assert SMALL.index(label) == index


@pytest.mark.parametrize("label", ["3", "-1", "1.0", "n02099601", "truck", "\u0661"])
def test_what_a_small_model_has_not(label):
    with pytest.raises(UnknownClass):
        SMALL.index(label)


def test_numbers_that_are_names_are_no_indices():
    digits = ClassMatcher(["1", "2", "3"], "digits")
    assert digits.index("1") == 0
    with pytest.raises(UnknownClass, match="no class of that name"):
        digits.index("0")


@pytest.mark.parametrize(
    ("names", "label", "index"),
    [
        (["n02102040", "n01440764"], "n01440764", 1),
        (["n02102040 English springer", "n01440764 tench, Tinca tinca"], "n01440764", 1),
        (["n02102040 English springer", "n01440764 tench, Tinca tinca"], "Tinca tinca", 1),
        (["English springer", "tench"], "n01440764", 1),
        (["golden retriever, golden", "dog, puppy"], "puppy", 1),
    ],
)
def test_names_with_synsets_and_several_words(names, label, index):
    assert ClassMatcher(names, "m").index(label) == index


def test_a_synset_is_not_matched_by_a_word_that_means_something_else_too():
    # n03793489 is the computer mouse; the model's mouse may be the animal.
    with pytest.raises(UnknownClass, match="no class of that synset"):
        ClassMatcher(["cat", "mouse"], "m").index("n03793489")


def test_a_thousand_other_classes_have_no_synsets_of_imagenet():
    other = ClassMatcher([f"kind {at}" for at in range(1000)], "m")
    assert not other.of_imagenet and IMAGENET.of_imagenet
    with pytest.raises(UnknownClass):
        other.index("n02099601")


def test_two_names_that_differ_in_their_case_only_are_found_to_the_letter():
    both = ClassMatcher(["Apple", "apple"], "m")
    assert (both.index("Apple"), both.index("apple")) == (0, 1)
    with pytest.raises(UnknownClass, match=r"Give the number: 0 \('Apple'\) or 1 \('apple'\)"):
        both.index("APPLE")


def test_timm_lists_the_thousand_synsets_in_the_order_of_the_outputs():
    known = synsets()
    assert len(known.imagenet) == 1000
    assert known.imagenet[207] == "n02099601" and "golden retriever" in known.lemmas["n02099601"]


def test_every_output_of_imagenet_has_a_name_a_number_and_a_synset_that_find_it():
    for at, (name, synset) in enumerate(zip(_IMAGENET_CATEGORIES, synsets().imagenet, strict=True)):
        assert IMAGENET.index(str(at)) == IMAGENET.index(synset) == at
        assert at in IMAGENET.candidates(name)


@settings(max_examples=60)
@given(st.lists(st.text(max_size=8), min_size=1, max_size=6), st.text(max_size=8))
def test_any_label_of_any_names_is_found_or_refused(names, label):
    matcher = ClassMatcher(names, "m")
    found = matcher.candidates(label)
    if label in names:
        assert found == tuple(at for at, name in enumerate(names) if name == label)
    if len(found) == 1:
        assert matcher.index(label) == found[0]
    else:
        with pytest.raises(UnknownClass) as caught:
            matcher.index(label)
        assert caught.value.what and caught.value.why and caught.value.remedy
