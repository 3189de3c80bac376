"""Downloads against a server with the faults that real ones have."""

import threading
from pathlib import Path

import pytest

from tests.vision.server import Server
from xai_assets.files import sha256_bytes
from xai_assets.vision.downloads import DownloadError, fetch


def left_behind(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {".a.bin.lock"}


def test_a_file_arrives_whole_with_progress(server: Server, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    data = server.files["a.bin"]
    target = tmp_path / "models" / "a.bin"
    fetch(f"{server.url}/a.bin", sha256_bytes(data), target, lambda done, total: seen.append((done, total)))
    assert target.read_bytes() == data
    assert seen[-1] == (len(data), len(data))
    assert left_behind(target.parent) == {"a.bin"}


def test_what_is_there_is_not_fetched_again(server: Server, tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(b"mine")
    fetch(f"{server.url}/a.bin", None, tmp_path / "a.bin")
    assert (tmp_path / "a.bin").read_bytes() == b"mine"
    assert server.requests == []


def test_an_interrupted_download_goes_on_where_it_stopped(server: Server, tmp_path: Path) -> None:
    target, data = tmp_path / "a.bin", server.files["a.bin"]
    server.cut = 30_000
    with pytest.raises(DownloadError, match="ended after 30,000 of 100,000"):
        fetch(f"{server.url}/a.bin", sha256_bytes(data), target)
    assert not target.exists()
    server.cut = None
    fetch(f"{server.url}/a.bin", sha256_bytes(data), target)
    assert target.read_bytes() == data
    assert server.requests == [None, "bytes=30000-"]
    assert left_behind(tmp_path) == {"a.bin"}


@pytest.mark.parametrize("change", ["etag", "no etag", "weak etag", "no ranges"])
def test_two_halves_of_different_files_are_never_joined(server: Server, tmp_path: Path, change: str) -> None:
    target = tmp_path / "a.bin"
    if change == "no etag":
        server.etag = None
    if change == "weak etag":
        server.etag = 'W/"1"'
    server.cut = 30_000
    with pytest.raises(DownloadError):
        fetch(f"{server.url}/a.bin", None, target)
    server.cut, server.files["a.bin"] = None, b"another file, " * 5000
    server.etag = '"2"' if change == "etag" else server.etag
    server.ranges = change != "no ranges"
    fetch(f"{server.url}/a.bin", None, target)
    assert target.read_bytes() == server.files["a.bin"]


def test_a_half_of_another_file_under_the_same_tag_is_fetched_anew(server: Server, tmp_path: Path) -> None:
    target, data = tmp_path / "a.bin", server.files["a.bin"]
    (tmp_path / ".a.bin.part").write_bytes(b"x" * 500)
    (tmp_path / ".a.bin.part.json").write_text('{"version": "\\"1\\""}')
    fetch(f"{server.url}/a.bin", sha256_bytes(data), target)
    assert target.read_bytes() == data
    assert server.requests == ["bytes=500-", None]


def test_a_half_longer_than_the_file_is_dropped(server: Server, tmp_path: Path) -> None:
    target, data = tmp_path / "a.bin", server.files["a.bin"]
    (tmp_path / ".a.bin.part").write_bytes(b"x" * 200_000)
    (tmp_path / ".a.bin.part.json").write_text('{"version": "\\"1\\""}')
    with pytest.raises(DownloadError, match="416"):
        fetch(f"{server.url}/a.bin", sha256_bytes(data), target)
    fetch(f"{server.url}/a.bin", sha256_bytes(data), target)
    assert target.read_bytes() == data


def test_another_hash_is_refused_and_not_kept(server: Server, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="expected deadbeef"):
        fetch(f"{server.url}/a.bin", "deadbeef", tmp_path / "a.bin")
    assert left_behind(tmp_path) == set()


def test_the_first_digits_of_a_hash_are_enough(server: Server, tmp_path: Path) -> None:
    fetch(f"{server.url}/a.bin", sha256_bytes(server.files["a.bin"])[:8], tmp_path / "a.bin")
    assert (tmp_path / "a.bin").exists()


def test_a_server_that_does_not_say_how_long_is_believed(server: Server, tmp_path: Path) -> None:
    server.chunked = True
    seen: list[tuple[int, int]] = []
    fetch(f"{server.url}/a.bin", None, tmp_path / "a.bin", lambda done, total: seen.append((done, total)))
    assert seen[-1] == (100_000, 0)


@pytest.mark.parametrize("chunked", [False, True])
def test_too_large_is_refused(server: Server, tmp_path: Path, chunked: bool) -> None:
    server.chunked = chunked
    with pytest.raises(DownloadError, match="more than 1,000"):
        fetch(f"{server.url}/a.bin", None, tmp_path / "a.bin", max_bytes=1000)
    assert not (tmp_path / "a.bin").exists()


def test_without_a_network_the_error_says_how_to_do_it_by_hand(tmp_path: Path) -> None:
    url = "http://127.0.0.1:9/resnet50-11ad3fa6.pth"  # nobody listens on the discard port
    with pytest.raises(DownloadError) as caught:
        fetch(url, None, tmp_path / "resnet50-11ad3fa6.pth")
    for told in (url, str(tmp_path), "under the name resnet50-11ad3fa6.pth", "Connection refused"):
        assert told in str(caught.value)
    assert caught.value.status is None


def test_a_refusal_keeps_its_number(server: Server, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="404") as caught:
        fetch(f"{server.url}/absent.bin", None, tmp_path / "absent.bin")
    assert caught.value.status == 404


def test_only_web_addresses_are_fetched(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    with pytest.raises(DownloadError, match="neither http nor https"):
        fetch((tmp_path / "secret").as_uri(), None, tmp_path / "copy")


def test_many_who_want_the_same_file_fetch_it_once(server: Server, tmp_path: Path) -> None:
    target = tmp_path / "a.bin"
    threads = [threading.Thread(target=fetch, args=(f"{server.url}/a.bin", None, target)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert target.read_bytes() == server.files["a.bin"]
    assert len(server.requests) == 1
