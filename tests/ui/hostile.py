"""A study whose image files, classes and title are Markdown that calls another host, and that host."""

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlencode

import numpy as np
import torch
from PIL import Image

from xai_assets.vision.architectures import build

STUDY = """\
title: "![t](http://{host}/title.png) [t](http://{host}/title)"
attribution:
  model:
    name: "m ![m](http://{host}/model.png)"
    architecture: diorama/resnet10
    checkpoint: ../hostile/mine.pth
    class_names: ../hostile/names.txt
    preprocessing: {{mode: squash, size: 64}}
  images: {{folder: ../hostile/images}}
  methods: {{gradcam: {{}}}}
  faithfulness: null
  robustness: null
reports: [cam]
"""
MUTATION = """mutation { launchRun(executionParams: {selector: {repositoryName: "__repository__",
 repositoryLocationName: "xai_assets", jobName: "study"}, mode: "default", executionMetadata: {tags: [
 {key: "by", value: "evil"}, {key: "dagster/partition", value: "tiny"}]}}) { __typename } }"""


class Host(ThreadingHTTPServer):
    """Another host: keeps what it is asked for; `/page` tries what a web page can; images lead to a mutation by GET."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked, self.ui = [], ""

    @property
    def name(self):
        return f"127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append(self.path)
        mutation = f"{self.server.ui}/graphql?{urlencode({'query': MUTATION})}"
        if self.path == "/page":
            body = (
                _PAGE.replace("UI", self.server.ui)
                .replace("ADDRESS", mutation.replace("&", "&amp;"))
                .encode()
            )
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(body)
        else:
            self.send_response(302)
            self.send_header("Location", mutation)
            self.end_headers()

    def log_message(self, *_):
        pass


_PAGE = """<title>waiting</title><img src="ADDRESS"><img src="/redirected.png"><script>
const tries = [
  fetch("ADDRESS".replaceAll("&amp;", "&"), {mode: "no-cors"}),
  fetch("UI/graphql", {method: "POST", mode: "no-cors", headers: {"Content-Type": "text/plain"}, body: "{}"}),
  new Promise((done, failed) => { const socket = new WebSocket("UI/graphql".replace("http", "ws"), "graphql-ws");
    socket.onopen = () => done("open"); socket.onerror = () => failed("refused"); }),
];
Promise.allSettled(tries).then(found => setTimeout(() => { document.title = found[2].status; }, 1500));
</script>"""


@contextmanager
def other_host():
    """The other host, answering until the block ends."""
    host = Host()
    thread = threading.Thread(target=host.serve_forever, daemon=True)
    thread.start()
    try:
        yield host
    finally:
        host.shutdown()
        host.server_close()
        thread.join()


def write_study(data, host):
    """Write the study `hostile` and its files below the folder `data`."""
    folder = data / "hostile"
    (folder / "images").mkdir(parents=True)
    address = f"http:&#47;&#47;{host}"
    names = {
        "good": f"![]({address}&#47;file).png",
        "link": f"[free]({address}).png",
        "bare": f"www.{host}.png",
    }
    for number, name in enumerate(names.values()):
        pixels = np.random.default_rng(number).integers(0, 255, (64, 64, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / "images" / name)
    (folder / "images" / f"![]({address}&#47;bad).png").write_bytes(b"no image")
    classes = [
        f"![p](http://{host}/class{n}.png) [free](http://{host}/link) <img src=http://{host}/html>"
        for n in range(3)
    ]
    (folder / "names.txt").write_text("\n".join(classes) + "\n", encoding="utf-8")
    torch.save(build("diorama/resnet10", 3).state_dict(), folder / "mine.pth")
    (data / "studies" / "hostile.yaml").write_text(STUDY.format(host=host), encoding="utf-8")
