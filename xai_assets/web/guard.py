"""What stands before Dagster's web server: who may ask, by which name, and that reading changes nothing.

Dagster's own server answers to any Host, takes requests from the pages of any origin, and executes a mutation that comes
as a GET. So a page that somebody opens in the browser beside the UI, or an image in it, could start runs.
"""

import re
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from graphql import GraphQLError, OperationDefinitionNode, OperationType, parse

from xai_assets.text import printable

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
READING = ("GET", "HEAD", "OPTIONS")
MOST_TOKENS = 10_000
"""Of a query in an address."""

HEADERS = (
    # A second policy beside the one that Dagster gives its pages; browsers hold to both.
    (
        b"content-security-policy",
        b"img-src 'self' data: blob:; media-src 'self'; font-src 'self' data:; connect-src 'self'; "
        b"frame-src 'none'; frame-ancestors 'none'; form-action 'self'",
    ),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
SET_ONCE = ((b"x-content-type-options", b"nosniff"), (b"referrer-policy", b"same-origin"))

_HOST = re.compile(r"(?P<name>\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(?P<port>\d{1,5}))?")
_DEFAULT_PORT = {"http": ":80", "https": ":443"}
_FORM = ("application/x-www-form-urlencoded", "multipart/form-data", "text/plain")


class Guard:
    """An ASGI application that passes on what its own pages ask for, and answers the rest with 403 and the reason.

    - Host: one of the names of this server, so that a foreign name that is made to lead here (DNS rebinding) reads
      nothing. An address counts where the connection came to that address.
    - Origin and Sec-Fetch-Site: a request from a page must come from a page of this server; websockets as well. A link
      from elsewhere may open a page. Programs send neither and are let through.
    - A GET carries queries only, and a POST has its query in its body.

    Args:
        app: the web server.
        names: hosts by which it may be asked for, without port.
    """

    def __init__(self, app: App, names: Iterable[str]) -> None:
        self._app = app
        self._names = frozenset(name.lower() for name in names)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        why = self._refusal(scope)
        if why is None:
            await self._app(scope, receive, _with_headers(send))
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": ""})
        else:
            await _with_headers(send)(
                {
                    "type": "http.response.start",
                    "status": 403,
                    "headers": [(b"content-type", b"text/plain; charset=utf-8")],
                }
            )
            body = b"" if scope["method"] == "HEAD" else f"{why}\n".encode()
            await send({"type": "http.response.body", "body": body})

    def _refusal(self, scope: Scope) -> str | None:
        hosts = _values(scope, b"host")
        host = hosts[0].lower() if len(hosts) == 1 else ""
        found = _HOST.fullmatch(host)
        if not found or not (found["name"] in self._names or found["name"] == _own_address(scope)):
            shown = printable(host)[:100] or "(none)"
            return (
                f"Host {shown} is not a name of this server. Open it by the address that `xai ui` printed, or start it "
                "with --allow-host NAME."
            )
        reading = scope["type"] == "http" and scope["method"] in READING
        graphql = scope["path"].rstrip("/").endswith("/graphql")
        if not _from_own_page(scope, host, navigable=reading and not graphql):
            return "The request comes from a page of another origin. Only this server's own pages may ask."
        if scope["type"] != "http" or not graphql:
            return None
        asked = [value for key, value in parse_qsl(scope["query_string"].decode("latin-1")) if key == "query"]
        if reading:
            if len(asked) > 1 or not all(only_queries(query) for query in asked):
                return "A GET carries one document of queries, and no mutation. Send mutations as POST."
        elif asked or any(
            kind.split(";")[0].strip().lower() in _FORM for kind in _values(scope, b"content-type")
        ):
            return "A POST has its query in its body, as JSON."
        return None


def only_queries(document: str) -> bool:
    """Whether a GraphQL document has queries alone; False for what cannot be parsed."""
    try:
        definitions = parse(document, no_location=True, max_tokens=MOST_TOKENS).definitions
    except (GraphQLError, RecursionError):
        return False
    return all(
        definition.operation is OperationType.QUERY
        for definition in definitions
        if isinstance(definition, OperationDefinitionNode)
    )


def _from_own_page(scope: Scope, host: str, *, navigable: bool) -> bool:
    site = _values(scope, b"sec-fetch-site")
    if any(value not in ("same-origin", "none") for value in site):
        mode, goal = _values(scope, b"sec-fetch-mode"), _values(scope, b"sec-fetch-dest")
        if not (navigable and mode == ["navigate"] and goal == ["document"]):
            return False
    return all(_same(origin.lower(), host) for origin in _values(scope, b"origin"))


def _same(origin: str, host: str) -> bool:
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    port = _DEFAULT_PORT.get(parts.scheme)
    if port is None or parts.path or parts.query or parts.fragment:
        return False
    return parts.netloc.removesuffix(port) == host.removesuffix(port)


def _own_address(scope: Scope) -> str | None:
    """The address that the connection came to, as a Host header has it; a browser cannot be misled to an address."""
    address = (scope.get("server") or (None,))[0]
    return f"[{address}]" if address and ":" in address else address


def _values(scope: Scope, name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in scope["headers"] if key == name]


def _with_headers(send: Send) -> Send:
    async def sent(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            given = list(message.get("headers", ()))
            there = {key.lower() for key, _ in given}
            added = [*HEADERS, *(header for header in SET_ONCE if header[0] not in there)]
            message = {**message, "headers": [*given, *added]}
        await send(message)

    return sent
