"""Malformed events of the object store, and entries of which the files function can't make anything."""

from __future__ import annotations

from typing import Any

import pytest

from functions.files.handler import UploadNotCheckedError, Wiring, check, release_files
from tests.bad_input.harness import InputHarness
from tests.bad_input.records import OTHER_OBJECTS, UNREADABLE_RELEASES, UNREADABLE_UPLOADS
from tests.functions.events import stream_record
from tests.wiring import at_once


def _wired(harness: InputHarness) -> Wiring:
    def never(*_: Any) -> Any:
        pytest.fail("there is nothing to look into")

    return Wiring(harness.stores.files, harness.objects, never, at_once)


@pytest.mark.parametrize("name", UNREADABLE_UPLOADS)
def test_an_unreadable_event_fails_and_changes_nothing(harness: InputHarness, name: str) -> None:
    before = harness.state
    with pytest.raises(UploadNotCheckedError):
        check(UNREADABLE_UPLOADS[name], _wired(harness))
    assert harness.state == before


@pytest.mark.parametrize("name", OTHER_OBJECTS)
def test_an_event_about_anything_but_a_waiting_upload_is_passed_over(harness: InputHarness, name: str) -> None:
    before = harness.state
    check(OTHER_OBJECTS[name], _wired(harness))
    assert harness.state == before


@pytest.mark.parametrize("name", UNREADABLE_RELEASES)
def test_an_unreadable_entry_is_where_the_stream_starts_again(harness: InputHarness, name: str) -> None:
    before, bad = harness.state, UNREADABLE_RELEASES[name]
    bad["dynamodb"]["SequenceNumber"] = "the bad one"
    answer = release_files([stream_record(1), bad, stream_record(3)], _wired(harness))
    assert answer == {"batchItemFailures": [{"itemIdentifier": "the bad one"}]}
    assert harness.state == before
