"""A rendering that was interrupted goes on where it stopped, and gives the same bytes."""

import json
import multiprocessing

import pytest

from xai_assets.world import broden
from xai_assets.world.broden import is_complete, write_probe

COUNT = 4


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole") / "probe"
    write_probe(folder, count=COUNT)
    return content(folder)


@pytest.fixture
def rendered(monkeypatch):
    """The scenes that are rendered."""
    found, real = [], broden.render

    def render(scene):
        found.append(scene)
        return real(scene)

    monkeypatch.setattr(broden, "render", render)
    return found


def content(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def interrupted(folder, after, error=KeyboardInterrupt):
    def stop(done, _):
        if done == after:
            raise error

    with pytest.raises(error):
        write_probe(folder, count=COUNT, progress=stop)
    return folder.with_name(f".{folder.name}.part")


def test_scenes_that_were_written_are_not_rendered_again(tmp_path, rendered, whole):
    folder = tmp_path / "probe"
    part = interrupted(folder, 3)
    assert not folder.exists() and part.is_dir()
    rendered.clear()
    write_probe(folder, count=COUNT)
    assert len(rendered) == COUNT - 3
    assert content(folder) == whole
    assert [path.name for path in tmp_path.iterdir()] == ["probe"]


@pytest.mark.parametrize("damage", [b"", b"x", None])
def test_a_file_that_is_not_as_it_was_written_is_rendered_again(tmp_path, rendered, whole, damage):
    folder = tmp_path / "probe"
    part = interrupted(folder, 3)
    files = sorted((part / "images" / "diorama").glob("*.png"))
    files[0].unlink() if damage is None else files[0].write_bytes(damage)
    (part / ".scenes" / "2.json").write_text("[", encoding="utf-8")
    rendered.clear()
    write_probe(folder, count=COUNT)
    assert len(rendered) == 3
    assert content(folder) == whole


def test_what_was_begun_for_another_world_is_not_used(tmp_path, rendered, whole):
    folder = tmp_path / "probe"
    note = interrupted(folder, 3) / ".scenes" / "of.json"
    note.write_text(json.dumps(json.loads(note.read_text()) | {"world": "older"}), encoding="utf-8")
    rendered.clear()
    write_probe(folder, count=COUNT)
    assert len(rendered) == COUNT and content(folder) == whole


def test_a_full_disk_leaves_nothing(tmp_path):
    part = interrupted(tmp_path / "probe", 2, OSError)
    assert not part.exists() and list(tmp_path.iterdir()) == []


def test_two_at_once_make_it_once(tmp_path, whole):
    context = multiprocessing.get_context("fork")
    both = [context.Process(target=_write, args=(tmp_path / "probe",)) for _ in range(2)]
    for process in both:
        process.start()
    for process in both:
        process.join(120)
    assert [process.exitcode for process in both] == [0, 0]
    assert is_complete(tmp_path / "probe", count=COUNT) and content(tmp_path / "probe") == whole
    assert [path.name for path in tmp_path.iterdir()] == ["probe"]


def _write(folder):
    write_probe(folder, count=COUNT)
