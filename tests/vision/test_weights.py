"""Files that models need: found, verified, trusted on first use, fetched, or missed by name."""

import os
from pathlib import Path

import pytest

from tests.vision.server import Server
from xai_assets.files import sha256_bytes
from xai_assets.vision.downloads import DownloadError
from xai_assets.vision.weights import WeightsError, WeightsFile, hash_in_name, obtain


def test_a_local_file_is_verified_before_it_is_used(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"weights")
    right = sha256_bytes(b"weights")
    assert obtain(WeightsFile("weights", path)) == (path, right)
    assert obtain(WeightsFile("weights", path, sha256=right)) == (path, right)
    assert obtain(WeightsFile("weights", path, sha256=right[:8])) == (path, right)
    with pytest.raises(WeightsError, match=right):
        obtain(WeightsFile("weights", path, sha256="0" * 64))


def test_a_file_without_an_address_is_missed_by_name(tmp_path: Path) -> None:
    file = WeightsFile("weights of diorama/object", tmp_path / "a.bin", remedy="Run `xai world train`.")
    with pytest.raises(WeightsError, match=r"weights of diorama/object.*xai world train"):
        obtain(file)
    assert not file.present()


def test_a_file_with_an_address_is_fetched(server: Server, tmp_path: Path) -> None:
    data = server.files["a.bin"]
    file = WeightsFile("weights", tmp_path / "a.bin", f"{server.url}/a.bin", sha256_bytes(data)[:8])
    assert obtain(file) == (tmp_path / "a.bin", sha256_bytes(data))
    assert file.present()


def test_without_a_published_hash_the_first_use_is_remembered(server: Server, tmp_path: Path) -> None:
    file = WeightsFile("weights", tmp_path / "a.bin", f"{server.url}/a.bin")
    _, first = obtain(file)
    assert (tmp_path / "a.bin.sha256").read_text() == f"{first}  a.bin\n"
    assert obtain(file) == (tmp_path / "a.bin", first)
    (tmp_path / "a.bin").write_bytes(b"other weights")
    with pytest.raises(WeightsError, match=f"expected {first}"):
        obtain(file)


def test_an_alternative_serves_where_the_first_is_not(server: Server, tmp_path: Path) -> None:
    second = WeightsFile("weights", tmp_path / "a.bin", f"{server.url}/a.bin")
    first = WeightsFile(
        "weights", tmp_path / "b.safetensors", f"{server.url}/b.safetensors", alternative=second
    )
    assert obtain(first)[0] == tmp_path / "a.bin"  # the server has no b.safetensors
    assert len(server.requests) == 2
    assert obtain(first)[0] == tmp_path / "a.bin"  # and now nobody is asked
    assert len(server.requests) == 2


def test_an_alternative_is_no_way_round_a_dead_network(tmp_path: Path) -> None:
    second = WeightsFile("weights", tmp_path / "a.bin", "http://127.0.0.1:9/a.bin")
    first = WeightsFile(
        "weights", tmp_path / "b.safetensors", "http://127.0.0.1:9/b.safetensors", alternative=second
    )
    with pytest.raises(DownloadError, match=r"b\.safetensors"):
        obtain(first)


@pytest.mark.parametrize(
    ("url", "digits"),
    [
        ("https://download.pytorch.org/models/resnet50-11ad3fa6.pth", "11ad3fa6"),
        ("https://example.org/vit_b_32-laion2b_e16-af8dbd0c.pth?download=1", "af8dbd0c"),
        ("https://example.org/resnet18_places365.pth.tar", None),
        ("https://example.org/resnet-backbone.pth", None),
    ],
)
def test_hashes_in_file_names(url: str, digits: str | None) -> None:
    assert hash_in_name(url) == digits


def test_nothing_is_fetched_over_http_without_a_hash(tmp_path: Path) -> None:
    """Whoever is on the way could send other weights, which would then be trusted on first use."""
    url = "http://places2.csail.mit.edu/models_places365/resnet18_places365.pth.tar"
    with pytest.raises(WeightsError, match="is http and its hash is not known") as caught:
        obtain(WeightsFile("weights", tmp_path / "a.bin", url))
    assert "`sha256:`" in caught.value.remedy
    assert list(tmp_path.iterdir()) == []


def test_a_pipe_and_a_file_of_any_size_are_no_weights(tmp_path: Path) -> None:
    """A file with holes claims terabytes, and hashing it would take days."""
    os.mkfifo(tmp_path / "pipe.pth")
    with pytest.raises(WeightsError, match="named pipe"):
        obtain(WeightsFile("weights", tmp_path / "pipe.pth"))
    with (tmp_path / "a.pth").open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(WeightsError, match="1,099,511,627,776 bytes, more than"):
        obtain(WeightsFile("weights", tmp_path / "a.pth"))
