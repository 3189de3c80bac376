"""Three hosts on one machine: network namespaces on a bridge of their own, each blind to the folders of the others."""

import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.distributed.processes import free_port, need, program, running, wait_for

HOME, FIRST, SECOND = "home", "first", "second"
NETWORK = "10.213.77"


@dataclass(frozen=True)
class Host:
    """A network namespace, its address, its own folder, and the folders that it must not see."""

    name: str
    namespace: str
    address: str
    folder: Path
    hidden: tuple[Path, ...]

    @property
    def within(self):
        """What goes before a command so that it runs there; `ip netns exec` gives it mounts of its own."""
        hide = "".join(f"mount -t tmpfs tmpfs '{folder}' && " for folder in self.hidden)
        return ["ip", "netns", "exec", self.namespace, "sh", "-c", f'{hide}exec "$@"', "sh"]


def _ip(*arguments):
    subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True)


@contextmanager
def three_hosts(folder):
    """The hosts by name; what was made of the machine's network is taken away again."""
    need("ip")
    if os.geteuid() != 0:
        pytest.skip("network namespaces need root")
    names = (HOME, FIRST, SECOND)
    spaces = {name: f"xai-{os.getpid()}-{name}" for name in names}
    folders = {name: folder / name for name in names}
    made = []
    try:
        for name in names:
            folders[name].mkdir()
            _ip("netns", "add", spaces[name])
            made.append(spaces[name])
            _ip("-n", spaces[name], "link", "set", "lo", "up")
        bridge = spaces[HOME]
        _ip("-n", bridge, "link", "add", "xai-bridge", "type", "bridge")
        _ip("-n", bridge, "address", "add", f"{NETWORK}.1/24", "dev", "xai-bridge")
        _ip("-n", bridge, "link", "set", "xai-bridge", "up")
        for number, name in enumerate((FIRST, SECOND), 2):
            # Both ends are made inside of a namespace: they go when it goes.
            _ip("-n", bridge, "link", "add", name, "type", "veth", "peer", "home", "netns", spaces[name])
            _ip("-n", bridge, "link", "set", name, "master", "xai-bridge", "up")
            _ip("-n", spaces[name], "address", "add", f"{NETWORK}.{number}/24", "dev", "home")
            _ip("-n", spaces[name], "link", "set", "home", "up")
        yield {
            name: Host(
                name,
                spaces[name],
                f"{NETWORK}.{number}",
                folders[name],
                tuple(path for other, path in folders.items() if other != name),
            )
            for number, name in enumerate(names, 1)
        }
    finally:
        for space in reversed(made):
            _ip("netns", "delete", space)


@contextmanager
def postgres(host):
    """A PostgreSQL of its own on that host; gives its URL."""
    need("postgres")
    # PostgreSQL does not run as root, and pytest's folders are root's.
    folder = Path(tempfile.mkdtemp(prefix="xai-postgres-"))
    port = free_port()
    user = ["runuser", "-u", "postgres", "--"]
    try:
        shutil.chown(folder, "postgres")
        data = folder / "data"
        subprocess.run(
            [*user, program("initdb"), "-D", data, "-A", "trust", "-E", "UTF8", "--no-sync"],
            check=True, capture_output=True, cwd=folder,
        )  # fmt: skip
        with (data / "pg_hba.conf").open("a", encoding="utf-8") as rules:
            rules.write(f"host all all {NETWORK}.0/24 trust\n")
        command = ["ip", "netns", "exec", host.namespace, *user, program("postgres"), "-D", data, "-p", port]
        command += ["-c", f"listen_addresses={host.address}", "-k", folder, "-c", "fsync=off"]
        log = host.folder / "postgres.log"
        with running(command, log, cwd=folder):
            wait_for(lambda: "ready to accept connections" in log.read_text(encoding="utf-8"))
            yield f"postgresql+psycopg2://postgres@{host.address}:{port}/postgres"
    finally:
        shutil.rmtree(folder)
