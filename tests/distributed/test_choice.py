"""The executor `celery`: chosen by a run, made of its settings, and named with its remedy where something is absent."""

import importlib.util
import subprocess
import sys

import dagster as dg
import pytest
from click.testing import CliRunner
from dagster._core.instance.config import dagster_instance_config

from tests.distributed import graph
from tests.test_readme import block
from xai_assets.cli import cli
from xai_assets.doctor import examine
from xai_assets.errors import XaiError
from xai_assets.execution import extra
from xai_assets.execution.distributed.app import application, arguments
from xai_assets.settings import Settings

CONFIG = {"execution": {"config": {"celery": {}}}}
SETTINGS = Settings.from_environment({"XAI_BROKER": "redis://broker:6379/0", "XAI_LOST_AFTER": "40"})


def test_definitions_load_without_it_and_do_not_import_it():
    code = (
        "import sys; sys.modules.update(dict.fromkeys(['celery', 'dagster_celery', 'kombu', 'redis']));"
        "import xai_assets.definitions, xai_assets.cli"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_without_the_extra_it_fails_with_the_remedy(monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(extra, "find_spec", lambda name: None if name == "dagster_celery" else find(name))
    with (
        dg.instance_for_test() as instance,
        pytest.raises(XaiError, match=r'pip install "xai-assets\[celery\]"'),
    ):
        dg.execute_job(dg.reconstructable(graph.queues_job), instance, run_config=CONFIG, raise_on_error=True)
    answer = CliRunner().invoke(cli, ["worker", "--queue", "default"])
    assert answer.exit_code == 2 and "xai worker: needs dagster_celery" in str(answer.output)


def test_without_a_broker_it_fails_with_the_remedy(monkeypatch):
    monkeypatch.delenv("XAI_BROKER", raising=False)
    with dg.instance_for_test() as instance, pytest.raises(XaiError, match="Set XAI_BROKER=redis://"):
        dg.execute_job(dg.reconstructable(graph.queues_job), instance, run_config=CONFIG, raise_on_error=True)


def test_another_broker_is_refused_without_its_password():
    with pytest.raises(XaiError, match="XAI_BROKER: not an address of Redis") as raised:
        Settings.from_environment({"XAI_BROKER": "pyamqp://guest:secret@host//"})
    assert "secret" not in str(raised.value)


def test_a_redis_that_does_not_answer_is_named_without_its_password(monkeypatch):
    monkeypatch.setenv("XAI_BROKER", "redis://:secret@127.0.0.1:1/0")
    with dg.instance_for_test() as instance, pytest.raises(XaiError, match="does not answer") as raised:
        dg.execute_job(dg.reconstructable(graph.queues_job), instance, run_config=CONFIG, raise_on_error=True)
    assert "127.0.0.1:1" in str(raised.value) and "secret" not in str(raised.value)
    found = [one for one in examine(Settings.from_environment()) if one.what == "Workers"]
    assert [one.ok for one in found] == [False] and "Start Redis" in found[0].remedy
    monkeypatch.delenv("XAI_BROKER")
    assert not [one for one in examine(Settings.from_environment()) if one.what == "Workers"]


def test_a_message_is_done_when_its_step_is_and_stays_a_living_workers():
    conf = application(SETTINGS).conf
    assert conf.broker_url == conf.result_backend == "redis://broker:6379/0"
    assert conf.task_acks_late and conf.worker_prefetch_multiplier == 1
    assert conf.broker_transport_options["visibility_timeout"] == 40
    assert conf.broker_transport_options["unacked_restore_interval"] == 10


def test_messages_are_json_on_every_side():
    conf = application(SETTINGS).conf
    assert conf.accept_content == conf.result_accept_content == ["json"]
    assert {conf.task_serializer, conf.result_serializer, conf.event_serializer} == {"json"}
    assert not conf.include and not conf.imports


@pytest.mark.parametrize(
    "given",
    [
        {"broker": "redis://evil.example:6379/0"},
        {"backend": "redis://evil.example:6379/0"},
        {"include": ["antigravity"]},
        {"config_source": {"accept_content": ["pickle"]}},
        {"config_source": {"CELERY_ACCEPT_CONTENT": ["pickle"]}},
        {"config_source": {}},
        {"broker": None},
        {"anything": 1},
    ],
)
def test_a_run_chooses_nothing_of_celery(given):
    (name,) = given
    with pytest.raises(dg.DagsterInvalidConfigError, match=f'"{name}"'):
        dg.validate_run_config(graph.queues_job(), {"execution": {"config": {"celery": given}}})
    with pytest.raises(XaiError, match=f"celery: {name}: cannot be chosen by a run"):
        arguments(SETTINGS, given)


@pytest.mark.parametrize("host", ["the home", "every other"])
def test_the_readmes_instance_files_are_what_dagster_takes(host, tmp_path):
    text = block("yaml", f"dagster.yaml of {host} host")
    (tmp_path / "dagster.yaml").write_text(text, encoding="utf-8")
    config, _ = dagster_instance_config(str(tmp_path))
    assert config["storage"] == {"postgres": {"postgres_url": {"env": "XAI_POSTGRES"}}}
