"""Hands pushes to Firebase Cloud Messaging, with Google's own library."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

from firebase_admin.exceptions import FirebaseError  # type: ignore[import-untyped]

from functions.offline_push.credentials import BadCredentials, Credentials
from functions.offline_push.fcm_answers import OUR_CREDENTIALS, result_of
from functions.offline_push.fcm_message import message_for
from functions.offline_push.firebase import Project, TokenRefused, TokenUnavailable
from functions.offline_push.fitting import DoesNotFit
from functions.offline_push.providers import (
    BAD_CREDENTIALS,
    INVALID,
    SECRET_UNAVAILABLE,
    TOO_LARGE,
    Timeouts,
    retry_after_ms,
    unexpected,
)
from shared.clock import now_ms
from shared.domain.pushes import Busy, Misconfigured, Push, PushResult, Sent
from shared.errors import Unavailable

TOKEN_REFUSED: Final = "AccessTokenRefused"  # noqa: S105  # it names an outcome
TOKEN_UNAVAILABLE: Final = "AccessTokenUnavailable"  # noqa: S105  # as above


class FcmGateway:
    """A PushGateway for the devices of one Firebase project, over connections that are kept."""

    def __init__(
        self,
        secret: Callable[[], str],
        *,
        endpoint: str,
        ca_file: str,
        now: Callable[[], int] = now_ms,
        timeouts: Timeouts | None = None,
    ) -> None:
        """`secret` gives the service account's key as Google does, in JSON. Nothing is read before the first push.

        `endpoint` (https://host:port) stands in for FCM, and `ca_file` names who vouches for it; both are empty in AWS.
        """
        self._now = now
        self._endpoint, self._ca_file, self._timeouts = endpoint, ca_file, timeouts or Timeouts()
        self._made: list[Project] = []
        self._projects = Credentials(secret, self._project, now=now)

    def push(self, push: Push) -> PushResult:
        """As the port has it. A 401 costs one more access token and one more try."""
        try:
            project = self._projects.get()
            message = message_for(push, now=self._now())
        except Unavailable:
            return SECRET_UNAVAILABLE
        except BadCredentials:
            return BAD_CREDENTIALS
        except DoesNotFit:
            return TOO_LARGE
        except ValueError:
            return INVALID
        result = self._send(project, message)
        if isinstance(result, Misconfigured) and result.reason in {TOKEN_REFUSED, *OUR_CREDENTIALS}:
            self._projects.doubt(project)
        return result

    def close(self) -> None:
        """Close the connections. There are no pushes afterwards."""
        while self._made:
            self._made.pop().close()

    def _project(self, secret: str) -> Project:
        try:
            account = json.loads(secret)
            project = Project(account, endpoint=self._endpoint, ca_file=self._ca_file, timeouts=self._timeouts)
        except (TypeError, AttributeError, KeyError) as exc:  # JSON, but of another form
            raise ValueError("not a service account's key") from exc
        self._made.append(project)  # one that it replaces may still be sending
        return project

    def _send(self, project: Project, message: Any) -> PushResult:
        try:
            return self._hand_over(project, message)
        except Exception as error:  # noqa: BLE001  # an answer of an unknown form trips the library in any of its parts
            return unexpected(error)

    def _hand_over(self, project: Project, message: Any) -> PushResult:
        try:
            project.send(message)
        except FirebaseError as error:
            return result_of(error, now=self._now())
        except TokenRefused:
            return Misconfigured(TOKEN_REFUSED)
        except TokenUnavailable as error:
            return Busy(TOKEN_UNAVAILABLE, retry_after_ms(error.retry_after, now=self._now()))
        return Sent()
