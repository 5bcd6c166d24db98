"""`make replay` on an emulator with a small stack."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from local import processes
from local.errors import CommandError
from local.settings import Settings
from ops.replay import Options, replay
from tests.local.emulated import client
from tests.local.failing_stack import BUCKET, WAIT, batches, deploy, put, said, set_mode

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("emulator")]


@pytest.fixture
def deployed(emulator: Settings) -> dict[str, str]:
    return deploy(emulator)


def count(settings: Settings, url: str) -> int:
    attributes = client(settings, "sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    return sum(int(attributes[f"ApproximateNumberOfMessages{of}"]) for of in ("", "NotVisible"))


def wait_for(settings: Settings, url: str, number: int) -> None:
    assert processes.wait_until(lambda: count(settings, url) == number, WAIT)


def test_what_failed_in_an_outage_is_done_again_when_it_is_over(
    emulator: Settings, deployed: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    set_mode(emulator, deployed, "outage")
    put(emulator, deployed, "of no interest", kind="reaction")
    put(emulator, deployed, "a", "b")
    client(emulator, "sqs").send_message(
        QueueUrl=deployed["Work"], MessageBody=json.dumps({"kind": "look", "user_id": "alice", "title": "secret"})
    )
    client(emulator, "s3").put_object(Bucket=BUCKET, Key="uploads/1", Body=b"x")
    wait_for(emulator, deployed["Failures"], 2)
    wait_for(emulator, deployed["WorkFailures"], 1)

    assert replay(emulator, Options(dry=True), on_aws=False)
    shown = capsys.readouterr().out
    assert "  records          2 failed\n" in shown
    assert "a, b" in shown
    assert "uploads/1" in shown
    assert "look alice\n" in shown
    assert "secret" not in shown
    assert not replay(emulator, Options(queue="records"), on_aws=False)
    shown = capsys.readouterr().out
    assert "stays, failed again: a, b\n" in shown
    assert "work" not in shown
    assert (count(emulator, deployed["Failures"]), count(emulator, deployed["WorkFailures"])) == (2, 1)

    set_mode(emulator, deployed, "normal")
    before = len(batches(emulator))
    assert replay(emulator, Options(), on_aws=False)
    assert batches(emulator)[before:] == [["a", "b"]]
    assert said(emulator, "upload")[-1] == "uploads/1"
    assert processes.wait_until(lambda: len(said(emulator, "bodies")) == 2, WAIT)
    assert count(emulator, deployed["Failures"]) == 0
    wait_for(emulator, deployed["Work"], 0)
    assert count(emulator, deployed["WorkFailures"]) == 0
    capsys.readouterr()
    assert replay(emulator, Options(), on_aws=False)
    assert "The failure queues are empty" in capsys.readouterr().out


def test_what_fails_again_stays_and_what_lay_beside_it_is_done(
    emulator: Settings, deployed: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    put(emulator, deployed, "named", "a", "b")
    wait_for(emulator, deployed["Failures"], 1)
    assert not replay(emulator, Options(), on_aws=False)
    assert ": named, a, b: stays, failed again: named\n" in capsys.readouterr().out
    assert batches(emulator)[-2:] == [["named", "a", "b"], ["a", "b"]]
    # It is free at once for the next reader.
    assert client(emulator, "sqs").receive_message(QueueUrl=deployed["Failures"])["Messages"]


def test_it_talks_to_the_stack_as_it_runs_whatever_the_port_is_called_by_now(
    emulator: Settings, deployed: dict[str, str]
) -> None:
    assert replay(replace(emulator, port=1024), Options(dry=True), on_aws=False)


def test_an_unknown_queue_is_named_with_those_there_are(emulator: Settings, deployed: dict[str, str]) -> None:
    with pytest.raises(CommandError, match="no failure queue 'pushes'") as caught:
        replay(emulator, Options(queue="pushes"), on_aws=False)
    assert "records, work" in caught.value.hint


def test_without_a_running_stack_it_says_how_to_start_one(settings: Settings) -> None:
    with pytest.raises(CommandError, match="not running"):
        replay(settings, Options(), on_aws=False)
