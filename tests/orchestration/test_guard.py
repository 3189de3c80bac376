"""What the layer before the web server lets through, and what it refuses."""

import asyncio
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xai_assets.errors import XaiError
from xai_assets.web.guard import Guard, only_queries
from xai_assets.web.server import is_loopback, listen, names_of

MUTATION = "mutation { reloadWorkspace { __typename } }"
QUERY = "query { version }"
OWN = "127.0.0.1:3000"


def ask(path="/", *, method="GET", query=b"", kind="http", names=None, server="127.0.0.1", **headers):
    """The status that the guard answers with: 200 where it passes the request on; and what it says."""
    passed, sent = [], []

    async def app(scope, receive, send):
        passed.append(scope)
        await send(
            {
                "type": "http.response.start",
                "status": 200,
                "headers": [(b"x-content-type-options", b"nosniff")],
            }
        )
        await send({"type": "http.response.body", "body": b""})

    async def send(message):
        sent.append(message)

    given_headers = {"host": OWN, **{name.replace("_", "-"): value for name, value in headers.items()}}
    scope = {
        "type": kind, "method": method, "path": path, "query_string": query, "server": (server, 3000),
        "headers": [(name.encode(), value.encode("latin-1", "replace")) for name, value in given_headers.items()
            if value is not None],
    }  # fmt: skip
    guard = Guard(app, names_of("127.0.0.1", ()) if names is None else names)
    asyncio.run(guard(scope, None, send))
    status = sent[0].get("status", 0)
    assert bool(passed) == (status == 200)
    return status, sent


@pytest.mark.parametrize("host", ["127.0.0.1:3000", "localhost:3000", "LOCALHOST", "[::1]:3000"])
def test_its_own_names_are_answered(host):
    assert ask(host=host)[0] == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:3000",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "127.0.0.2",
        "0.0.0.0:3000",
        "",
        None,
        "localhost:3000@evil.example",
        "a b",
        "localhost:99999999",
        "\xfflocalhost",
    ],
)
def test_other_names_are_refused(host):
    status, sent = ask(host=host)
    assert status == 403 and b"--allow-host" in sent[1]["body"]
    assert ask("/graphql", kind="websocket", host=host)[1][0]["type"] == "websocket.close"


@given(host=st.text(st.characters(codec="latin-1"), max_size=30))
def test_no_other_host_is_answered(host):
    if host.lower().partition(":")[0] not in ("localhost", "127.0.0.1", "[") and not host.startswith("[::1]"):
        assert ask(host=host)[0] == 403


def test_two_hosts_are_none():
    async def app(scope, receive, send):
        raise AssertionError("passed on")

    sent = []

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": [(b"host", b"localhost")] * 2,
    }  # fmt: skip
    asyncio.run(Guard(app, ["localhost"])(scope, None, send))
    assert sent[0]["status"] == 403


def test_the_address_that_was_connected_to_counts_and_allowed_names():
    everywhere = names_of("0.0.0.0", ("ui.example",))
    assert ask(names=everywhere, host="10.0.0.7:3000", server="10.0.0.7")[0] == 200
    assert ask(names=everywhere, host="10.0.0.8:3000", server="10.0.0.7")[0] == 403
    assert ask(names=everywhere, host="UI.example", origin="https://ui.example")[0] == 200
    assert ask(names=everywhere, host="localhost", server="10.0.0.7")[0] == 403


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "null",
        "http://127.0.0.1",
        "http://127.0.0.1:3001",
        "http://localhost:3000",
        "",
        "file://",
        "http://127.0.0.1:3000.evil.example",
        "http://127.0.0.1:3000/x",
        "http://[",
        "ftp://127.0.0.1:3000",
    ],
)
@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_pages_of_other_origins_are_refused(origin, kind):
    for method in ("POST", "GET", "PUT", "DELETE"):
        assert ask("/graphql", kind=kind, method=method, origin=origin)[0] in (0, 403)
    assert ask("/report_asset_materialization/images", kind=kind, method="POST", origin=origin)[0] in (0, 403)


def test_its_own_pages_and_programs_may_ask():
    for method in ("POST", "GET"):
        assert ask("/graphql", method=method, origin=f"http://{OWN}", sec_fetch_site="same-origin")[0] == 200
        assert ask("/graphql", method=method)[0] == 200
    assert ask("/graphql", kind="websocket", origin=f"http://{OWN}")[0] == 200
    assert ask("/graphql", method="POST", host="localhost", origin="http://localhost:80")[0] == 200


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_link_from_elsewhere_opens_a_page_and_does_nothing_else(site):
    link = {"sec_fetch_site": site, "sec_fetch_mode": "navigate", "sec_fetch_dest": "document"}
    assert ask("/assets/images", **link)[0] == 200
    assert ask("/graphql", **link)[0] == 403
    assert ask("/assets/images", method="POST", **link)[0] == 403
    assert ask("/assets/images", **link | {"sec_fetch_dest": "iframe"})[0] == 403
    assert (
        ask("/logs/pictures/a/b/png", **link | {"sec_fetch_mode": "no-cors", "sec_fetch_dest": "image"})[0]
        == 403
    )
    assert ask("/graphql", kind="websocket", **link)[0] == 0


@pytest.mark.parametrize(
    "document",
    [
        MUTATION,
        f"{QUERY.replace('query', 'query A')} {MUTATION.replace('mutation', 'mutation B')}",
        "subscription { x }",
        "fragment A on M { x } " + MUTATION,
        "#c\nmutation{a}",
        "\ufeffmutation{a}",
        "mutation @a { b }",
        "{",
        "{a" * 9000,
    ],
)
@pytest.mark.parametrize("path", ["/graphql", "/xai/graphql", "/graphql/"])
def test_a_get_executes_no_mutation(document, path):
    assert not only_queries(document)
    for method in ("GET", "HEAD"):
        query = urlencode({"operationName": "A", "query": document}).encode()
        assert ask(path, method=method, query=query)[0] == 403
        assert ask(path, method=method, query=query, accept="text/html")[0] == 403
        assert ask(path, method=method, query=f"qu%65ry={quote(document)}".encode())[0] == 403


def test_a_get_of_queries_is_passed_on_but_not_two_documents():
    query = urlencode({"query": QUERY}).encode()
    assert only_queries(QUERY) and only_queries("query A { a } query B { b }")
    assert ask("/graphql", query=query)[0] == 200
    assert ask("/graphql", query=query + b"&" + query)[0] == 403


def test_a_post_has_its_query_in_its_body_and_is_no_form():
    assert ask("/graphql", method="POST", query=urlencode({"query": QUERY}).encode())[0] == 403
    for kind in (
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "TEXT/PLAIN;a",
    ):
        assert ask("/graphql", method="POST", content_type=kind)[0] == 403
    assert ask("/graphql", method="POST", content_type="application/json")[0] == 200


def test_every_answer_has_the_headers_once():
    for host in (OWN, "evil.example"):
        headers = ask(host=host)[1][0]["headers"]
        names = [name for name, _ in headers]
        assert names.count(b"x-content-type-options") == 1 == names.count(b"x-frame-options")
        policy = dict(headers)[b"content-security-policy"].decode()
        assert "img-src 'self' data:" in policy and "frame-ancestors 'none'" in policy


def test_which_addresses_are_loopback():
    assert [is_loopback(host) for host in ("127.0.0.1", "localhost", "::1", "[::1]", "127.8.8.8")] == [
        True
    ] * 5
    assert [is_loopback(host) for host in ("0.0.0.0", "::", "10.0.0.1", "example.org", "")] == [False] * 5


def test_a_taken_port_is_an_error_by_name_and_the_usual_one_gives_way(monkeypatch):
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(XaiError, match=rf"127\.0\.0\.1:{port}: cannot be listened on.*--port"):
            listen("127.0.0.1", port)
        monkeypatch.setattr("xai_assets.web.server.USUAL_PORT", port)
        with listen("127.0.0.1", None) as other:
            assert other.getsockname()[1] != port
    with pytest.raises(XaiError, match="cannot be listened on"):
        listen("192.0.2.1", 0)
