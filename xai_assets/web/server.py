"""The web UI with all that belongs to it: Dagster's web server behind `Guard`, one code server, and the daemon.

As `dagster dev`, which is Dagster's own way to start these, except that the web server is in this process.
"""

import contextlib
import ipaddress
import logging
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xai_assets.errors import XaiError
from xai_assets.web.guard import LOOPBACK, App, Guard
from xai_assets.web.publish import PREFIX
from xai_assets.web.third_state import show_not_asked

if TYPE_CHECKING:
    import dagster as dg

LOCATION = "xai_assets"
"""The code location, as in workspace.yaml: what was switched on is kept by this name."""

USUAL_PORT = 3000
SECONDS_TO_END = 20
POLL_MILLISECONDS = 2000


def listen(host: str, port: int | None) -> socket.socket:
    """A socket that the web server listens on.

    Args:
        host: an address or a name of this machine.
        port: None: the usual one, or a free one where that is taken.

    Raises:
        XaiError: the port is taken, or the address is not this machine's.
    """
    for tried in [port] if port is not None else [USUAL_PORT, 0]:
        try:
            family, kind, protocol, _, address = socket.getaddrinfo(
                host, tried, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )[0]
            found = socket.socket(family, kind, protocol)
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                found.bind(address)
                found.listen(128)
            except OSError:
                found.close()
                raise
            return found
        except OSError as error:
            refused = error
    raise XaiError(
        f"{host}:{port if port is not None else USUAL_PORT}",
        f"cannot be listened on: {refused.strerror or refused}",
        "Choose another with --host and --port; --port 0 takes a free one.",
    ) from refused


def is_loopback(host: str) -> bool:
    """Whether only programs on this machine can reach a server on that address."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def names_of(host: str, allowed: Sequence[str]) -> tuple[str, ...]:
    """The hosts by which the server may be asked for; see `Guard`."""
    own = f"[{host}]" if ":" in host and not host.startswith("[") else host
    return (*(LOOPBACK if is_loopback(host) else ()), own, *allowed)


def serve(
    instance: "dg.DagsterInstance",
    listening: socket.socket,
    *,
    names: Sequence[str],
    path_prefix: str = "",
    ready: Callable[[str], None] = lambda address: None,
) -> None:
    """Serve the UI until SIGINT, SIGTERM or SIGHUP; then end everything that was started.

    Args:
        instance: where runs are recorded.
        listening: see `listen`.
        names: hosts by which the server may be asked for.
        path_prefix: the path below which the UI is, with a slash before it; empty for none.
        ready: called with the UI's address when it answers.

    Raises:
        XaiError: the daemon ended by itself.
    """
    if path_prefix:
        os.environ[PREFIX] = path_prefix  # which the runs need as well, for the addresses of their files
    host, port = listening.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    with (
        contextlib.closing(listening),
        _ended_by_signals(),
        _workspace(instance) as workspace,
        _daemon(instance, workspace) as daemon,
        _web_app(instance, workspace, path_prefix) as app,
    ):
        _run(Guard(app, names), listening, daemon, lambda: ready(f"http://{shown}:{port}{path_prefix}"))
    if daemon.stopped_by_itself:
        raise XaiError(
            "the daemon",
            f"ended by itself with exit code {daemon.process.returncode}",
            "See its lines above; then start `xai ui` again.",
        )


class _Daemon:
    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self.process = process
        self.stopped_by_itself = False


@contextlib.contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end this as SIGINT does, with everything that was started."""

    def end(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    except KeyboardInterrupt:
        pass
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _workspace(instance: "dg.DagsterInstance") -> Iterator[Path]:
    """A workspace file that names one running code server, which web server and daemon share, as reloads need it."""
    import yaml
    from dagster._cli.proxy_server_manager import ProxyServerManager
    from dagster._core.workspace.load_target import ModuleTarget

    target = ModuleTarget("xai_assets.definitions", None, str(Path.cwd()), LOCATION)
    with (
        ProxyServerManager(instance, target, code_server_log_level="WARNING") as servers,
        tempfile.TemporaryDirectory(prefix="xai-ui-") as folder,
    ):
        file = Path(folder) / "workspace.yaml"
        file.write_text(yaml.safe_dump({"load_from": servers.get_code_server_specs()}), encoding="utf-8")
        yield file


@contextlib.contextmanager
def _daemon(instance: "dg.DagsterInstance", workspace: Path) -> Iterator[_Daemon]:
    """The process of schedules, sensors and the queue of runs."""
    from dagster._serdes import serialize_value

    command = [sys.executable, "-m", "dagster._daemon", "run", "--log-level", "warning"]
    command += ["--instance-ref", serialize_value(instance.get_ref()), "--workspace", str(workspace)]
    # In a session of its own: Ctrl-C in the terminal is for this process, which ends the daemon in its turn.
    daemon = _Daemon(subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True))
    try:
        yield daemon
    finally:
        daemon.stopped_by_itself = daemon.process.poll() is not None
        daemon.process.terminate()  # which Dagster takes as SIGINT, and which says nothing while it still starts
        try:
            daemon.process.wait(SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            daemon.process.kill()
            daemon.process.wait()


@contextlib.contextmanager
def _web_app(instance: "dg.DagsterInstance", workspace: Path, path_prefix: str) -> Iterator[App]:
    from dagster._core.workspace.context import WorkspaceProcessContext
    from dagster._core.workspace.load_target import WorkspaceFileTarget
    from dagster_webserver.cli import (
        DEFAULT_DB_STATEMENT_TIMEOUT,
        DEFAULT_POOL_MAX_OVERFLOW,
        DEFAULT_POOL_RECYCLE,
    )
    from dagster_webserver.version import __version__
    from dagster_webserver.webserver import DagsterWebserver

    instance.optimize_for_webserver(
        DEFAULT_DB_STATEMENT_TIMEOUT, DEFAULT_POOL_RECYCLE, DEFAULT_POOL_MAX_OVERFLOW
    )
    show_not_asked()
    target = WorkspaceFileTarget([str(workspace)])
    with WorkspaceProcessContext(instance, target, version=__version__) as context:
        app: Any = DagsterWebserver(context, path_prefix, POLL_MILLISECONDS).create_asgi_app()
        yield app


def _run(app: App, listening: socket.socket, daemon: _Daemon, ready: Callable[[], None]) -> None:
    import uvicorn

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            ready()

        async def on_tick(self, counter: int) -> bool:
            ended = counter % 50 == 0 and daemon.process.poll() is not None
            return await super().on_tick(counter) or ended

        @contextlib.contextmanager
        def capture_signals(self) -> Iterator[None]:
            # uvicorn takes SIGINT and SIGTERM. An exception of a handler of ours would cut through its shutdown.
            before = signal.signal(signal.SIGHUP, self.handle_exit)
            try:
                with super().capture_signals():
                    yield
            finally:
                signal.signal(signal.SIGHUP, before)

    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        lifespan="off",
        timeout_graceful_shutdown=2,
    )
    Server(config).run(sockets=[listening])
