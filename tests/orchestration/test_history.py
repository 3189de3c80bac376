"""The history of runs: created once by many, checked before use, telemetry off, repaired if that is safe."""

import multiprocessing
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from xai_assets.errors import XaiError
from xai_assets.execution.distributed.task import quiet
from xai_assets.execution.history import check_history, open_instance
from xai_assets.execution.history_files import FOREIGN_REVISION, HistoryError

PROCESSES = 4
FILES = ["history/runs.db", "history/runs/index.db", "schedules/schedules.db"]


def _open_at(home, start):
    start.wait()
    with open_instance(home) as instance:
        instance.get_runs(limit=1)


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    home = tmp_path_factory.mktemp("sound") / "dagster"
    with open_instance(home) as instance:
        instance.run_storage.set_cursor_values({"a": "b"})
    return home


@pytest.fixture
def home(sound, tmp_path):
    return shutil.copytree(sound, tmp_path / "dagster")


def _revisions(home):
    found = {}
    for name in FILES:
        with closing(sqlite3.connect(home / name)) as database:
            found[name] = {row[0] for row in database.execute("SELECT version_num FROM alembic_version")}
    return found


def test_many_first_opens_at_once_leave_one_version_of_the_schema(tmp_path):
    context = multiprocessing.get_context("fork")
    for attempt in range(2):
        home, start = tmp_path / str(attempt), context.Event()
        opening = [context.Process(target=_open_at, args=(home, start)) for _ in range(PROCESSES)]
        for process in opening:
            process.start()
        start.set()
        for process in opening:
            process.join(60)
        assert [process.exitcode for process in opening] == [0] * PROCESSES
        assert all(len(found) == 1 and FOREIGN_REVISION not in found for found in _revisions(home).values())


def test_the_second_revision_that_two_first_runs_left_is_removed(home):
    before = _revisions(home)
    for name in FILES:
        with closing(sqlite3.connect(home / name)) as database, database:
            database.execute("INSERT INTO alembic_version VALUES (?)", [FOREIGN_REVISION])
    with open_instance(home) as instance:
        assert instance.run_storage.get_cursor_values({"a"}) == {"a": "b"}
    assert _revisions(home) == before


def test_other_revisions_are_named_and_nothing_is_changed(home):
    with closing(sqlite3.connect(home / FILES[0])) as database, database:
        database.execute("INSERT INTO alembic_version VALUES ('0000')")
    with pytest.raises(HistoryError, match="several versions of its schema"):
        open_instance(home)
    assert "0000" in _revisions(home)[FILES[0]]


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", ["half", "garbage", "flipped", "folder", "start"])
def test_a_damaged_file_is_named_with_what_to_do(home, name, damage):
    path = home / name
    content = path.read_bytes()
    if damage == "folder":
        path.unlink()
        path.mkdir()
    else:
        path.write_bytes(
            {
                "half": content[: len(content) // 2],
                "garbage": bytes(range(256)) * 64,
                "flipped": content[:100] + bytes(byte ^ 0xFF for byte in content[100:]),
                "start": content[:50],
            }[damage]
        )
    for use in (open_instance, check_history):
        with pytest.raises(HistoryError, match="damaged") as caught:
            use(home)
        assert str(path) in str(caught.value) and "mv '" in caught.value.remedy
        assert "\n" not in str(caught.value)


def test_an_empty_file_is_created_anew_only_where_nothing_was_in_the_history(home):
    for name in FILES:
        (home / name).write_bytes(b"")
    check_history(home)
    with open_instance(home) as instance:
        assert instance.get_runs() == []
    assert all(len(found) == 1 for found in _revisions(home).values())


def test_an_empty_file_beside_runs_is_damage(home):
    from dagster import DagsterRun
    from dagster._core.utils import make_new_run_id

    with open_instance(home) as instance:
        instance.add_run(DagsterRun("study", make_new_run_id()))
    (home / FILES[1]).write_bytes(b"")
    with pytest.raises(HistoryError, match="empty, and there are runs"):
        open_instance(home)


def test_telemetry_is_off_with_and_without_a_dagster_yaml(home):
    for text in (None, "telemetry: {enabled: true}\n", "run_monitoring: {enabled: true}\n"):
        if text:
            (home / "dagster.yaml").write_text(text, encoding="utf-8")
        with open_instance(home) as instance:
            assert not instance.telemetry_enabled
            assert quiet(instance.get_ref()).settings["telemetry"] == {"enabled": False}


@pytest.mark.parametrize("text", ["storage: {sqlite: 3}\n", "a: [\n", "nonsense: 1\n", "\x00\n"])
def test_a_dagster_yaml_that_is_not_valid_is_one_line(tmp_path, text):
    (tmp_path / "dagster.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(XaiError, match=r"dagster\.yaml: is not a configuration") as caught:
        open_instance(tmp_path)
    assert "\n" not in str(caught.value)


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(HistoryError, match="cannot be opened"):
        open_instance(tmp_path / "file" / "dagster")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_is_read_only_is_named(home):
    (home / "history").chmod(0o555)
    with pytest.raises(HistoryError, match="cannot be opened"):
        open_instance(home)


def test_without_a_file_of_its_own_a_history_has_the_settings_of_the_shipped_one(tmp_path):
    with open_instance(tmp_path / "usual") as instance:
        assert instance.run_monitoring_enabled
        assert instance.get_settings("concurrency") == {"runs": {"max_concurrent_runs": 2}}
        assert not instance.telemetry_enabled and not instance.nux_enabled
        assert Path(instance.compute_log_manager.get_captured_local_path(["a"], "pdf")).is_relative_to(
            tmp_path
        )
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "dagster.yaml").write_text("run_monitoring: {enabled: false}\n", encoding="utf-8")
    with open_instance(tmp_path / "own") as instance:
        assert not instance.run_monitoring_enabled
        assert not instance.get_settings("concurrency")
        assert not instance.telemetry_enabled
