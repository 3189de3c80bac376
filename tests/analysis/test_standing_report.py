"""A report that an earlier run left, as the step that makes reports looks at it."""

import os
from pathlib import Path

from xai_assets.analysis import reports


def test_no_report_that_can_be_read_is_none_and_a_named_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.json")
    (tmp_path / "folder.json").mkdir()
    (tmp_path / "deep.json").write_text("[" * 100_000)
    (tmp_path / "good.json").write_text('{"study": {"made_from": "x"}}')
    found = {path.stem: reports._standing(path) for path in tmp_path.iterdir()}
    assert found == {"pipe": None, "folder": None, "deep": None, "good": {"study": {"made_from": "x"}}}
