"""Settings: every variable is looked at when it is read, and refused by name, value and what it may be."""

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xai_assets.errors import XaiError
from xai_assets.settings import VARIABLES, SettingError, Settings, unknown_variables


@pytest.mark.parametrize(
    ("variable", "value", "allowed"),
    [
        ("XAI_DEVICE", "tpu", "auto, cpu or cuda"),
        ("XAI_EXECUTOR", "celry", "Did you mean 'celery'"),
        ("XAI_LOST_AFTER", "1", "5 to"),
        ("XAI_LOST_AFTER", "soon", "5 to"),
        ("XAI_LOST_AFTER", "٦٠", "5 to"),
        ("XAI_LOST_AFTER", "9" * 5000, "5 to"),
        ("XAI_DATA", "/dev/null", "folder"),
        ("XAI_DATA", "/dev/null/below", "folder"),
        ("XAI_DATA", "~nosuchuser/data", "no user '~nosuchuser'"),
        ("XAI_DATA", "/" + "x" * 300, "folder"),
        ("XAI_REPORTS", "/dev/zero", "folder"),
        ("XAI_WAREHOUSE", "/", "not a file"),
        ("XAI_WAREHOUSE", "/dev/null", "not a file"),
        ("XAI_LOCKS", "/dev/null", "folder"),
        ("XAI_ARTIFACTS", "s3:/bucket", "s3://bucket"),
        ("XAI_ARTIFACTS", "s3://", "s3://bucket"),
        ("XAI_DEVICES", "0,../1", "names no device"),
        ("XAI_DEVICES", "0,0", "twice"),
        ("XAI_BROKER", "amqp://user:secret@host", "redis://"),
        ("XAI_BROKER", "redis://", "redis://"),
    ],
)
def test_a_wrong_value_is_named_with_what_it_may_be(variable, value, allowed, tmp_path):
    with pytest.raises(SettingError) as found:
        Settings.from_environment({"XAI_DATA": str(tmp_path), variable: value})
    said = str(found.value)
    assert said.startswith(variable) and allowed in said
    assert "secret" not in said and len(said) < 1000


def test_a_loop_of_links_is_refused(tmp_path):
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(SettingError, match="XAI_DATA"):
        Settings.from_environment({"XAI_DATA": str(tmp_path / "a")})


@settings(max_examples=60, deadline=None)
@given(variable=st.sampled_from(VARIABLES), value=st.text(max_size=60).filter(lambda text: "\0" not in text))
def test_any_value_is_read_or_refused_in_words_that_move_no_cursor(variable, value):
    value = os.fsdecode(value.encode("utf-8", "surrogatepass"))
    said = ""
    try:
        Settings.from_environment({"XAI_DATA": "/tmp", variable: value})
    except XaiError as error:
        said = str(error)
    assert not set("\x1b\n\x9b") & set(said)


def test_values_are_read_as_given(tmp_path):
    found = Settings.from_environment(
        {
            "XAI_DATA": str(tmp_path / "new"), "XAI_ARTIFACTS": "s3://bucket/xai", "XAI_DEVICES": "0, 1,",
            "XAI_LOST_AFTER": "40", "XAI_BROKER": "rediss://:p@host:1/0", "XAI_EXECUTOR": "", "XAI_DEVICE": "cpu",
        }
    )  # fmt: skip
    assert found.shared == "s3://bucket/xai" and found.artifacts == tmp_path / "new" / "artifacts"
    assert found.devices == ("0", "1") and found.lost_after == 40 and found.executor == "auto"
    assert not (tmp_path / "new").exists()


def test_a_misspelt_variable_is_found_and_a_strangers_is_left_alone():
    found = unknown_variables({"XAI_DEVCE": "cuda", "XAI_POSTGRES": "x", "PATH": "/bin", "XAI_DATA": "/tmp"})
    assert found == ["XAI_DEVCE: no such setting. Did you mean 'XAI_DEVICE'?"]
