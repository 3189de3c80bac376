"""Downloads against a server with the faults that real ones have."""

import contextlib
import gzip
import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.vision.server import Server
from xai_assets.files import sha256_bytes
from xai_assets.vision import http
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


@contextlib.contextmanager
def answering(*answers: bytes, pause: float = 0.0) -> Iterator[str]:
    """The address of a server that sends these bytes, one answer a connection; with a pause, byte by byte."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/a.bin"

        def serve() -> None:
            for answer in answers:
                with contextlib.suppress(OSError), listening.accept()[0] as connection:
                    connection.recv(65536)
                    answer = answer.replace(b"URL", url.encode())
                    for at in range(0, len(answer), 1 if pause else len(answer)):
                        connection.sendall(answer[at : at + 1] if pause else answer)
                        time.sleep(pause)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield url
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()


def answer(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    return (
        "\r\n".join([f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]).encode() + body
    )


WRONG = {
    "a part without being asked": (
        answer(b"x" * 50, "Content-Range: bytes 50-99/100", status="206 Partial Content"), "another part"),
    "a part from the beginning": (
        answer(b"x" * 50, "Content-Range: bytes 0-49/100", status="206 Partial Content"), "another part"),
    "packed": (answer(gzip.compress(b"x" * 99), "Content-Encoding: gzip"), r"packs it \(gzip\)"),
    "empty": (answer(b""), "empty file"),
    "no content": (answer(b"", status="204 No Content"), "answered 204|empty"),
    "a length of odd digits": (b"HTTP/1.1 200 OK\r\nContent-Length: \xb2\r\n\r\n", "empty file|connection failed"),
    "to a file": (answer(b"", "Location: file:///etc/passwd", status="302 Found"), "neither http nor https"),
    "to FTP": (answer(b"", "Location: ftp://127.0.0.1/a", status="302 Found"), "neither http nor https"),
    "to data": (answer(b"", "Location: data:text/plain,x", status="302 Found"), "neither http nor https"),
    "to nowhere": (answer(b"", status="302 Found"), "answered 302"),
    "no HTTP": (b"\0" * 100, "connection failed"),
    "cut chunks": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nxx", "connection failed"),
}  # fmt: skip


@pytest.mark.parametrize("kind", WRONG)
def test_an_answer_that_is_not_the_file_is_refused(tmp_path: Path, kind: str) -> None:
    """Also where no hash is known that would tell."""
    answered, said = WRONG[kind]
    with answering(answered) as url, pytest.raises(DownloadError, match=said) as caught:
        fetch(url, None, tmp_path / "a.bin")
    assert not (tmp_path / "a.bin").exists()
    assert "by hand" in caught.value.remedy


def test_redirects_are_followed_within_limits(tmp_path: Path) -> None:
    """Never back from https to http, where anybody on the way can change what comes."""
    there = answer(b"", "Location: URL?again", status="302 Found")
    with answering(there, there, answer(b"weights")) as url:
        assert fetch(url, None, tmp_path / "a.bin").read_bytes() == b"weights"
    with answering(*[there] * 9) as url, pytest.raises(DownloadError, match="redirects more than 5 times"):
        fetch(url, None, tmp_path / "b.bin")


def test_https_never_leads_back_to_http(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from email.message import Message
    from urllib.error import HTTPError

    headers = Message()
    headers["Location"] = "http://example.org/a.bin"

    def redirects(*_: object, **__: object) -> None:
        raise HTTPError("https://example.org/a.bin", 302, "Found", headers, None)

    monkeypatch.setattr(http._OPENER, "open", redirects)
    with pytest.raises(DownloadError, match="redirects from https to http"):
        fetch("https://example.org/a.bin", None, tmp_path / "a.bin")


@pytest.mark.parametrize("where", ["headers", "body"])
def test_a_drip_does_not_go_on_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    """One byte before each time limit of the socket would take years."""
    monkeypatch.setattr(http, "WINDOW", 0.05)
    slow = answer(b"x" * 1000) if where == "body" else answer(b"", *[f"X-{i}: y" for i in range(90)])
    with answering(slow, pause=0.01) as url, pytest.raises(DownloadError, match="too few to go on waiting"):
        fetch(url, None, tmp_path / "a.bin")


def test_a_half_without_a_known_hash_is_fetched_anew(server: Server, tmp_path: Path) -> None:
    """The same tag does not prove the same content, and nothing else could."""
    target = tmp_path / "a.bin"
    server.cut = 30_000
    with pytest.raises(DownloadError, match="ended after"):
        fetch(f"{server.url}/a.bin", None, target)
    server.cut, server.files["a.bin"] = None, b"another file, " * 5000
    fetch(f"{server.url}/a.bin", None, target)
    assert target.read_bytes() == server.files["a.bin"]
    assert server.requests == [None, None]


@pytest.mark.parametrize("name", [".a.bin.part", ".a.bin.lock"])
def test_links_and_pipes_beside_the_target_are_not_used(server: Server, tmp_path: Path, name: str) -> None:
    (tmp_path / "mine").write_bytes(b"mine")
    for make in (
        lambda: (tmp_path / name).symlink_to(tmp_path / "mine"),
        lambda: os.mkfifo(tmp_path / name),
    ):
        make()
        with pytest.raises(DownloadError, match=r"\.a\.bin\.(part|lock) beside it"):
            fetch(f"{server.url}/a.bin", None, tmp_path / "a.bin")
        assert (tmp_path / "mine").read_bytes() == b"mine"
        (tmp_path / name).unlink()


@pytest.mark.parametrize(
    "note", ["[" * 9000, '{"version": "a\\r\\nX: y"}', '{"version": 5}', "\0", "x" * 20_000]
)
def test_a_note_that_is_none_means_from_the_beginning(server: Server, tmp_path: Path, note: str) -> None:
    (tmp_path / ".a.bin.part").write_bytes(b"x" * 500)
    (tmp_path / ".a.bin.part.json").write_text(note)
    fetch(f"{server.url}/a.bin", sha256_bytes(server.files["a.bin"]), tmp_path / "a.bin")
    assert server.requests == [None]
