"""The steps that look at what leaves for others: events to the team's webhooks, and pushes to browsers."""

from __future__ import annotations

import asyncio
import json
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from ops.doctor.operating import operator
from ops.doctor.trouble import Doubt, Skip, Trouble
from ops.target import waiting_in

if TYPE_CHECKING:
    from ops.doctor.patient import Patient

_TIMEOUT_S: Final = 10.0
# An endpoint may take ten seconds for its answer; the queue and a cold start come before.
_TRIED_S: Final = 30.0
_POLL_S: Final = 0.5
_FORBIDDEN: Final = 403
# No user of the run's, whose rows go: what it does stays in the audit, as of every administrator.
_ADMIN: Final = "doctor"


async def webhooks(patient: Patient) -> str:
    """Each webhook that is switched on takes an event of the type `webhook.test`, signed as all are."""
    if not patient.setting("Rest", "EVENT_QUEUE_URL"):
        raise Skip("this stack has no webhooks (`events`)")
    token = patient.token(_ADMIN, scope="admin")
    listed: Sequence[Mapping[str, Any]] = (await _asked(patient, "GET", "/v1/webhooks", token))["webhooks"]
    if not listed:
        return "none is made yet: PUT /v1/webhooks/{id}"
    disabled = [f"{one['id']} ({one['disabled']})" for one in listed if one["disabled"]]
    at_work = [str(one["id"]) for one in listed if one["enabled"]]
    before = {str(one["id"]): one["health"] for one in listed}
    for name in at_work:
        await _asked(patient, "POST", f"/v1/webhooks/{name}/test", token)
    after = await _tried(patient, token, at_work, before)
    said = "; ".join(f"{name}: {_said(after[name])}" for name in at_work) or "all are switched off"
    waiting = await asyncio.to_thread(_waiting, patient)
    said += f"; {waiting} wait in the queue of errands" if waiting else ""
    if disabled:
        raise Trouble(
            f"switched off by Parley: {', '.join(disabled)}; {said}",
            "They took nothing for five days, or answered 410",
            'Mend the endpoint, then PUT /v1/webhooks/{id} with "enabled": true: it goes on from where it was',
        )
    failing = [name for name in at_work if not _has_taken(before[name], after[name])]
    if failing:
        raise Trouble(
            said,
            f"{', '.join(failing)} did not take the test: a status is its answer, a word what came in between",
            "docs/events.md, What an endpoint has to be; events wait for it in the log",
        )
    behind = [name for name in at_work if after[name]["rests_until"] > time.time() * 1_000]
    if behind:
        raise Doubt(
            said, f"{', '.join(behind)} rests after failures, and is behind", "It goes on by itself: look again"
        )
    return said


async def _tried(
    patient: Patient, token: str, names: Sequence[str], before: Mapping[str, Mapping[str, Any]]
) -> dict[str, Mapping[str, Any]]:
    """Each one's health once it says how the test went, or as it is when that takes too long."""
    found: dict[str, Mapping[str, Any]] = {}
    until = time.monotonic() + _TRIED_S
    while True:
        listed = (await _asked(patient, "GET", "/v1/webhooks", token))["webhooks"]
        found = {str(one["id"]): one["health"] for one in listed}
        found |= {name: before[name] for name in names if name not in found}  # deleted meanwhile
        if time.monotonic() > until or all(_has_answered(before[name], found[name]) for name in names):
            return found
        await asyncio.sleep(_POLL_S)


def _has_answered(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    return _has_taken(before, after) or bool(after["last_failure_at"] > before["last_failure_at"])


def _has_taken(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    return bool(after["last_success_at"] > before["last_success_at"])


def _said(health: Mapping[str, Any]) -> str:
    took = _at(health["last_success_at"])
    if health["last_failure_at"] <= health["last_success_at"]:
        return f"took the last at {took}"
    since = f", behind since {_at(health['failing_since'])}" if health["failing_since"] else ""
    return f"{health['last_failure'] or 'failed'} at {_at(health['last_failure_at'])}, took the last at {took}{since}"


def _at(ms: int) -> str:
    return f"{datetime.fromtimestamp(ms / 1_000, UTC):%Y-%m-%d %H:%M:%S} UTC" if ms else "no time"


def _waiting(patient: Patient) -> int:
    """About how much is to be told: a queue's message is a conversation with news for a webhook."""
    return waiting_in(patient.client("sqs"), patient.setting("Rest", "EVENT_QUEUE_URL"))


async def _asked(patient: Patient, method: str, path: str, token: str) -> Any:
    def ask() -> Any:
        headers = {"Authorization": f"Bearer {token}"}
        request = urllib.request.Request(f"{patient.http_url}{path}", headers=headers, method=method)
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:
            return json.loads(answer.read())

    try:
        return await asyncio.to_thread(ask)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == _FORBIDDEN:  # a token that was given
            raise Skip("the token has no scope `admin`") from None
        raise


@operator
def web_push(patient: Patient) -> str:
    """Our key for browsers' push services is one, and it is the one that pages subscribe with."""
    from functions.offline_push.web.vapid import Vouchers, key_from

    arn, public = patient.setting("OfflinePush", "WEB_SECRET_ARN"), patient.setting("Rest", "WEB_PUSH_KEY")
    if not arn:
        raise Skip("browsers are not pushed to (`web_push_secret_arn`)")
    secret = str(patient.client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"])
    patient.secrets.add(secret)
    try:
        key = key_from(secret)
        Vouchers(key, now=lambda: int(time.time() * 1_000)).header("https://push.example.com")
    except ValueError:
        raise Trouble(
            "the secret for web push is no key",
            "It has to have `private_key`, 32 bytes in base64url, and `subject`, mailto: or https:, as JSON",
            "python -m ops.web_push mailto:you@example.com makes one",
        ) from None
    if key.public_key != public:
        raise Trouble(
            f"pages subscribe with another key than pushes are signed with: {public[:12]}… and {key.public_key[:12]}…",
            "Push services refuse each push (403)",
            "Deploy with the `web_push_key` of this secret: python -m ops.web_push --check",
        )
    return f"{public[:12]}…, for {key.subject}"
