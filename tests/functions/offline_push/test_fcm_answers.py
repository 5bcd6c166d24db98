"""Errors of FCM that its local server has no request for."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests
from firebase_admin.exceptions import DeadlineExceededError, UnavailableError, UnknownError  # type: ignore[import-untyped]

from functions.offline_push.fcm.gateway import result_of
from shared.domain.pushes import Busy, PushResult, Refused, Unregistered

FCM_ERROR = "type.googleapis.com/google.firebase.fcm.v1.FcmError"


def said(error: Any, status: int) -> PushResult:
    response = requests.Response()
    response.status_code = status
    response._content = json.dumps({"error": error}).encode()
    return result_of(UnknownError("a canary", http_response=response), now=0)


def test_a_code_of_fcm_counts_more_than_that_of_all_google_apis() -> None:
    details = [{"@type": "another"}, {"@type": FCM_ERROR, "errorCode": "UNSPECIFIED_ERROR"}]
    error = {"status": "UNAVAILABLE", "details": details}
    assert said(error, 503) == Busy("UNSPECIFIED_ERROR", whole_provider=False)


@pytest.mark.parametrize(
    "text", ["The registration token is not a valid FCM registration token", "Installation ID of the app is malformed"]
)
def test_an_invalid_argument_may_name_the_target_in_its_text_alone(text: str) -> None:
    error = {"status": "INVALID_ARGUMENT", "message": text}
    assert said(error, 400) == Unregistered("INVALID_ARGUMENT")


def test_a_violation_of_another_form_is_nobodys_token() -> None:
    details = [{"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": [{"description": "x"}]}]
    assert said({"status": "INVALID_ARGUMENT", "details": details}, 400) == Refused("INVALID_ARGUMENT")
    assert said({"status": "INVALID_ARGUMENT", "details": [{"@type": details[0]["@type"]}]}, 400) == Refused(
        "INVALID_ARGUMENT"
    )


def test_a_code_that_is_none_leaves_the_status() -> None:
    assert said({"status": "a sentence that names a canary"}, 400) == Refused("status_400")


def test_without_an_answer_it_is_the_connection() -> None:
    assert result_of(DeadlineExceededError("a canary"), now=0) == Busy("Timeout")
    assert result_of(UnavailableError("a canary"), now=0) == Busy("NoConnection")
