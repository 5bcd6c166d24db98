"""What leaves for others: each webhook's test, and the key for browsers' pushes; each fault is named."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from functions.offline_push.web.vapid import key_from
from ops.doctor import outward
from ops.doctor.patient import Patient
from ops.doctor.trouble import Doubt, Skip, Trouble
from ops.web_push import new_secret
from tests.ops.doctor.test_operating import OUTPUTS, patient

NEVER = 10_000_000_000_000
HEALTH = {
    **dict.fromkeys(("failures", "failing_since", "rests_until", "last_success_at", "last_failure_at"), 0),
    "last_failure": "",
}


def webhook(name: str, **others: Any) -> dict[str, Any]:
    return {"id": name, "enabled": True, "disabled": "", "health": dict(HEALTH), **others}


@contextmanager
def serving(webhooks: list[dict[str, Any]], tested: dict[str, dict[str, Any]], status: int = 200) -> Iterator[str]:
    """Parley's routes: a test of an endpoint has its health become what stands in `tested`."""

    class Routes(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer({"webhooks": webhooks})

        def do_POST(self) -> None:
            name = self.path.split("/")[3]
            for one in webhooks:
                if one["id"] == name:
                    one["health"] = HEALTH | tested[name]
            self._answer({"id": "test/1"})

        def _answer(self, body: dict[str, Any]) -> None:
            data = json.dumps(body).encode()
            assert self.headers["Authorization"].startswith("Bearer ")
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Routes)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def whose(**others: Any) -> Patient:
    """All functions have the settings of one."""
    one = patient(**others)
    (function,) = one.functions.values()
    one.__dict__["functions"] = dict.fromkeys(("Message", "Rest", "OfflinePush"), function)
    return one


def looked(
    webhooks: list[dict[str, Any]], tested: dict[str, dict[str, Any]], status: int = 200, waiting: int = 0
) -> str:
    sqs = {"get_queue_attributes": {"Attributes": {"ApproximateNumberOfMessages": str(waiting)}}}
    with serving(webhooks, tested, status) as url:
        one = whose(
            environment={"EVENT_QUEUE_URL": "https://sqs/errands"}, outputs={**OUTPUTS, "HttpUrl": url}, sqs=sqs
        )
        return asyncio.run(outward.webhooks(one))


def test_each_that_takes_its_test_is_well_and_what_waits_is_said() -> None:
    said = looked([webhook("crm"), webhook("off", enabled=False)], {"crm": {"last_success_at": 5_000}}, waiting=3)
    assert said == "crm: took the last at 1970-01-01 00:00:05 UTC; 3 wait in the queue of errands"


def test_one_that_refuses_is_named_with_its_answer_and_since_when_it_is_behind() -> None:
    failed = {"last_failure_at": 9_000, "last_failure": "503", "failing_since": 7_000, "last_success_at": 0}
    with pytest.raises(Trouble, match=r"crm: 503 at .*:09 UTC, .* at no time, behind since .*:07 UTC") as found:
        looked([webhook("crm"), webhook("well")], {"crm": failed, "well": {"last_success_at": 1}})
    assert "crm did not take" in found.value.cause


def test_one_that_parley_has_switched_off_is_told_how_to_go_on() -> None:
    off = webhook("crm", enabled=False, disabled="failing")
    with pytest.raises(Trouble, match=r"switched off by Parley: crm \(failing\); all are switched off") as found:
        looked([off], {})
    assert '"enabled": true' in found.value.remedy


def test_one_that_rests_takes_the_test_and_is_behind_all_the_same() -> None:
    with pytest.raises(Doubt, match="took the last"):
        looked([webhook("crm")], {"crm": {"last_success_at": 5, "rests_until": NEVER}})


def test_without_any_or_without_the_right_there_is_nothing_to_try() -> None:
    assert looked([], {}).startswith("none is made yet")
    with pytest.raises(Skip, match="scope"):
        looked([], {}, status=403)
    with pytest.raises(Skip, match="events"):
        asyncio.run(outward.webhooks(patient()))


def pushing(secret: str, public: str) -> str:
    said = {"get_secret_value": {"SecretString": secret}}
    environment = {"WEB_SECRET_ARN": "arn:web", "WEB_PUSH_KEY": public}
    said_of: str = asyncio.run(outward.web_push(whose(environment=environment, secretsmanager=said)))
    return said_of


def test_the_key_for_browsers_is_the_one_that_pages_subscribe_with() -> None:
    secret = new_secret("mailto:ops@example.com")
    public = key_from(secret).public_key
    assert pushing(secret, public) == f"{public[:12]}…, for mailto:ops@example.com"
    other = key_from(new_secret("mailto:ops@example.com")).public_key
    with pytest.raises(Trouble, match="another key"):
        pushing(secret, other)
    for bad in ("", "{}", "[]", '{"private_key": "AAAA", "subject": "mailto:x@example.com"}'):
        with pytest.raises(Trouble, match="no key"):
            pushing(bad, public)
    with pytest.raises(Skip, match="not pushed to"):
        asyncio.run(outward.web_push(patient()))
