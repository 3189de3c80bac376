import json

import pytest

from xai_assets.world.errors import WorldError
from xai_assets.world.manifest import manifest_path, verify


def test_the_shipped_manifest_holds_here():
    seen = []
    result = verify(lambda done, whole: seen.append((done, whole)))
    assert result.differences == ()
    assert result.passed
    assert result.checked == len(json.loads(manifest_path().read_text())["scenes"]) == 140
    assert seen[-1] == (140, 140)


def test_what_differs_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr("xai_assets.world.manifest._SCENES", 1)
    monkeypatch.setattr("xai_assets.world.manifest._PAIRS", 0)
    monkeypatch.setattr("xai_assets.world.manifest._CHANGED", 0)
    value = json.loads(manifest_path().read_text())
    value["scenes"]["probe-00000"]["image"] = "0" * 64
    value["scenes"]["demo-00000"]["labels"] = "0" * 64
    del value["scenes"]["close-00000"]
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps(value))
    found = {difference.id: difference.what for difference in verify(path=path).differences}
    assert found == {"probe-00000": ("image",), "demo-00000": ("labels",), "close-00000": ("missing",)}


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"world": 99, "scenes": {}}'])
def test_a_file_that_is_no_manifest_is_refused(tmp_path, text):
    path = tmp_path / "manifest.json"
    path.write_text(text)
    with pytest.raises(WorldError, match=r"manifest"):
        verify(path=path)


def test_a_missing_manifest_is_named(tmp_path):
    with pytest.raises(WorldError, match=r"nowhere\.json"):
        verify(path=tmp_path / "nowhere.json")
