"""`xai ui`: the web UI, open to its own pages only."""

import os

import click

from xai_assets.errors import XaiError
from xai_assets.settings import Settings


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="the address to listen on")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    help="the port; default: 3000, or a free one where that is taken; 0: a free one",
)
@click.option("--path-prefix", default="", metavar="PATH", help="serve below this path, such as /xai")
@click.option(
    "--allow-host",
    multiple=True,
    metavar="NAME",
    help="a further name by which browsers may ask for it, such as that of a proxy before it; may be given again",
)
def ui(host: str, port: int | None, path_prefix: str, allow_host: tuple[str, ...]) -> None:
    """Serve the web UI, with schedules and sensors, until Ctrl-C.

    It answers only to its own name and its own pages: no other web page can read it or start runs. There is no login:
    who can reach the address can start runs, so leave it on 127.0.0.1, or put a proxy with a login before it.
    """
    from xai_assets.execution.history import instance_folder, open_instance
    from xai_assets.web.server import is_loopback, listen, names_of, serve

    prefix = _checked_prefix(path_prefix)
    for name in allow_host:
        if not name or any(sign in name for sign in "/:* \t") or not name.isprintable():
            raise XaiError(f"--allow-host {name!r}", "is no host name", "Give the name alone, without port.")
    os.environ["DAGSTER_DISABLE_TELEMETRY"] = "yes"  # for the processes that are started from here
    home = instance_folder(Settings.from_environment())
    listening = listen(host, port)
    if not is_loopback(host):
        click.echo(
            f"{host} can be reached from other machines, and there is no login: who reaches it can start and delete "
            "runs.",
            err=True,
        )

    def ready(address: str) -> None:
        click.echo(f"The UI is at {address} (Ctrl-C ends it).", err=True)

    with open_instance(home) as instance:
        serve(instance, listening, names=names_of(host, allow_host), path_prefix=prefix, ready=ready)


def _checked_prefix(given: str) -> str:
    path = given.strip("/")
    if not path:
        return ""
    if not all(part and part.replace("-", "").replace("_", "").isalnum() for part in path.split("/")):
        raise XaiError(f"--path-prefix {given!r}", "is no path", "Give one such as /xai.")
    return f"/{path}"
