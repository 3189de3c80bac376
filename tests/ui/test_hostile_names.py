"""Names of files and classes that are Markdown call no other host, and no page of another origin starts a run."""

import pytest

from tests.ui.dagster_dev import graphql, run, wait_for

RUNS = (
    """{ runsOrError(filter: {tags: [{key: "by", value: "evil"}]}) { ... on Runs { results { runId } } } }"""
)
PAGES = {
    "images": ("partitions", "checks", "events"),
    "predictions": ("partitions", "checks", "events"),
    "gradcam_masks": ("partitions",),
}
pytestmark = pytest.mark.ui


@pytest.fixture(scope="module")
def ended(server, location):
    """How the hostile study's run ended."""
    return run(server[0], location, {}, study="hostile")


def test_its_pages_show_the_names_as_text_and_ask_no_other_host(server, host, ended, page, tmp_path):
    base, _ = server
    assert ended == "SUCCESS"
    asked_of = []
    page.on("request", lambda request: asked_of.append(request.url))
    seen = {}
    for asset, views in PAGES.items():
        for view in views:
            page.goto(f"{base}/assets/{asset}?partition=hostile&view={view}")
            page.get_by_text("hostile").first.wait_for(timeout=90_000)
            page.wait_for_timeout(2500)
            for button in page.get_by_text("[Show Markdown]").all():
                button.click()
                page.wait_for_timeout(500)
                page.keyboard.press("Escape")
            seen[asset, view] = page.inner_text("body")
            page.screenshot(path=tmp_path / f"{asset}_{view}.png")
    assert f"http://{host.name}" in seen["predictions", "partitions"].replace("\u2060", "")
    assert "![](http:&#47;&#47;" in seen["images", "partitions"].replace("\u2060", "")
    assert "![](http:&#47;&#47;" in seen["images", "checks"].replace("\u2060", "")
    assert not [url for url in asked_of if not url.startswith((base, "data:", "blob:"))]
    assert host.asked == []
    assert not page.locator(f"a[href*='{host.name}'], img[src*='{host.name}']").count()


def test_a_check_that_was_not_asked_is_skipped_and_says_why(server, ended, page, tmp_path):
    page.goto(f"{server[0]}/assets/model_performance/?view=checks&checkDetail=model_is_mostly_right")
    page.get_by_text("Not asked: No image has a label").first.wait_for(timeout=90_000)
    page.screenshot(path=tmp_path / "not_asked.png")
    text = page.inner_text("body")
    assert "Skipped" in text and "Passed" not in text and "Failed" not in text


def test_a_page_of_another_origin_starts_no_run(server, host, page):
    base, _ = server
    page.goto(f"http://{host.name}/page")
    wait_for("the page's tries", 30, lambda: page.title() != "waiting" and page.title())
    assert page.title() == "rejected"  # its websocket
    assert "/redirected.png" in host.asked  # so the browser did follow it to the mutation
    assert graphql(base, RUNS)["runsOrError"]["results"] == []
    host.asked.clear()


def test_the_same_mutation_as_post_from_a_program_starts_one(server):
    from tests.ui.hostile import MUTATION

    assert graphql(server[0], MUTATION)["launchRun"]["__typename"] == "LaunchRunSuccess"
    assert len(graphql(server[0], RUNS)["runsOrError"]["results"]) == 1
