"""Reports and looks on a telephone: nothing is cut off, nothing is too small, and tables move in their own place."""

import numpy as np
import pytest

from tests.reporting.plausible import plausible
from xai_assets.reporting import look
from xai_assets.reporting.content import KINDS
from xai_assets.reporting.pictures import Pictures
from xai_assets.reporting.render import render
from xai_assets.vision.geometry import Frame

pytestmark = pytest.mark.ui

SCREEN = {"width": 360, "height": 740}
LEAST_LETTERS = 8
"""CSS pixels of the smallest letters, charts' among them."""

FOUND = """() => {
  const outside = [], small = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const of = walk.currentNode.parentElement, said = walk.currentNode.textContent.trim();
    if (!said || of.closest("title, .study-name, .edition, .draft")) continue;
    const range = document.createRange(); range.selectNodeContents(walk.currentNode);
    const box = range.getBoundingClientRect();
    if (!box.width) continue;
    if (box.right > innerWidth && !of.closest("table, figure, .formula")) outside.push(said);
    const drawing = of.closest("svg");
    const scale = drawing ? drawing.getBoundingClientRect().width / drawing.viewBox.baseVal.width : 1;
    const size = parseFloat(getComputedStyle(of).fontSize) * scale;
    if (size < LEAST) small.push([said, size]);
  }
  for (const of of document.querySelectorAll("img, table, figure, pre, svg"))
    if (of.getBoundingClientRect().right > innerWidth + 1 && !of.parentElement.closest("table, figure, .formula"))
      outside.push(of.outerHTML.slice(0, 80));
  return {outside, small, wide: document.documentElement.scrollWidth};
}""".replace("LEAST", str(LEAST_LETTERS))


def found(page, html, path):
    """What is wrong with a page on a narrow screen."""
    path.write_text(html, encoding="utf-8")
    page.set_viewport_size(SCREEN)
    page.goto(path.as_uri())
    return page.evaluate(FOUND)


@pytest.mark.parametrize("kind", KINDS)
def test_a_report_fits_a_narrow_screen(kind, page, tmp_path):
    html = render(kind, plausible(3, 1, layers={"layer3": 12, "layer4": 24}, wrong="scene-002")).html
    seen = found(page, html, tmp_path / "report.html")
    assert seen["outside"] == [] and seen["small"] == []
    assert seen["wide"] <= SCREEN["width"]


@pytest.mark.parametrize("sides", [(300, 400), (200, 1000), (1000, 200)])
@pytest.mark.parametrize("alone", [True, False])
def test_a_look_fits_a_narrow_screen(sides, alone, page, tmp_path):
    pictures = Pictures()
    height, width = sides
    noise = np.random.default_rng(0)
    image = look.shown(
        pictures,
        name="n01443537_a_goldfish_with_a_very_long_name.JPEG",
        pixels=noise.integers(0, 256, (height, width, 3), dtype=np.uint8),
        frame=Frame(
            (height, width), (224, 224), (0.0, 0.0, float(min(sides)), float(min(sides))), "resize_crop"
        ),
        view=noise.integers(0, 256, (224, 224, 3), dtype=np.uint8),
        overlay=noise.random((224, 224), dtype=np.float32),
        blank=False,
        classes=(("goldfish, Carassius auratus", 0.91), ("tench", 0.02), ("axolotl, mud puppy", 0.01)),
        notes=("The photograph is much wider than what the model sees.",),
        alone=alone,
    )
    model = {
        "name": "lite/efficientnet-lite0", "architecture": "tf_efficientnet_lite0.in1k", "classes": 1000, "layer": "bn2",
        "chosen": True, "sha256": "0" * 64, "notes": [],
        "preprocessing": "resized to 256 (bicubic), cropped to 224 x 224; mean 0.5, 0.5, 0.5",
    }  # fmt: skip
    images = [image] if alone else [image, image]
    html, _, _ = look.page(
        pictures, images=images, left_out=[("broken.jpg", "It is no image.")], model=model, seconds=1.0
    )
    seen = found(page, html, tmp_path / "look.html")
    assert seen["outside"] == [] and seen["small"] == []
    assert seen["wide"] <= SCREEN["width"]
