"""The local SES, asked by the function's own mailer and by requests that are wrong."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx2
import pytest

from functions.offline_push.mailer import SesMailer
from local.providers import listing
from local.providers.serving import Providers
from shared.clock import Deadline
from shared.config import AwsEnvironment
from shared.domain.mails import Letter
from shared.domain.pushes import Busy, Misconfigured, PushResult, Refused, Sent
from tests.local.provider_clients import trusting

LETTER = Letter("bob", "bob@example.com", "Sübject", "text", "<p>text</p>", "https://example.com/u?token=1")
SIGNED = {"authorization": "AWS4-HMAC-SHA256 Credential=key/20270101/us-east-1/ses/aws4_request, Signature=0"}


@pytest.fixture
def mailer(server: Providers) -> SesMailer:
    return SesMailer(
        AwsEnvironment("us-east-1", "key", "secret", "", server.fcm_endpoint),
        Deadline(600),
        sender="chat@example.com",
        reply_to="",
        configuration_set="",
        ca_file=str(server.ca_file),
    )


@pytest.fixture
def asking(server: Providers) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=server.fcm_endpoint, verify=trusting(server), timeout=10) as client:
        yield client


def mail(**changes: Any) -> dict[str, Any]:
    good = {
        "FromEmailAddress": "chat@example.com",
        "Destination": {"ToAddresses": ["bob@example.com"]},
        "Content": {"Simple": {"Subject": {"Data": "s"}, "Body": {"Text": {"Data": "t"}}}},
    }
    return good | changes


def test_a_mail_is_taken_and_shown(server: Providers, mailer: SesMailer) -> None:
    assert mailer.send(LETTER) == Sent()
    (received,) = server.pushes()
    simple = received.payload["Content"]["Simple"]
    assert (received.provider, received.token) == ("ses", "bob@example.com")
    assert (simple["Subject"]["Data"], simple["Body"]["Text"]["Data"]) == ("Sübject", "text")


def test_mails_are_shown_as_their_reader_has_them_and_by_address(server: Providers, mailer: SesMailer) -> None:
    for to in ("bob@example.com", "carol+1@example.com"):
        mailer.send(replace(LETTER, to=to))
    with httpx2.Client(base_url=server.inspect_url) as asking:
        everybodys = asking.get("/mails").json()
        (hers,) = asking.get("/mails", params={"to": "carol+1@example.com"}).json()
    assert [one["to"] for one in everybodys] == [["bob@example.com"], ["carol+1@example.com"]]
    assert hers == everybodys[1]
    assert (hers["from"], hers["subject"], hers["text"]) == ("chat@example.com", "Sübject", "text")
    assert (hers["html"], hers["unsubscribe"]) == ("<p>text</p>", "https://example.com/u?token=1")


def test_make_mails_shows_a_mail_line_by_line_and_nothing_that_a_terminal_obeys() -> None:
    mail = {
        "received_at": 0, "from": "chat@example.com", "to": ["bob@example.com"], "subject": "a\x1b[2Jb",
        "text": "one\ntwo\u202e", "html": "", "unsubscribe": "https://example.com/u",
    }  # fmt: skip
    shown = listing.letter(mail).split("\n")
    assert shown[:2] == ["From: chat@example.com", "To: bob@example.com"]
    assert shown[3:] == ["Subject: a�[2Jb", "Unsubscribe: https://example.com/u", "", "one", "two�", ""]


@pytest.mark.parametrize(
    ("told", "result"),
    [
        ({"reason": "TooManyRequestsException"}, Busy("TooManyRequestsException")),
        ({"status": 429}, Busy("TooManyRequestsException")),
        ({"reason": "AccountSuspendedException"}, Misconfigured("AccountSuspendedException")),
        ({"reason": "MessageRejected"}, Refused("MessageRejected")),
    ],
)
def test_it_refuses_as_it_is_told(
    server: Providers, mailer: SesMailer, told: dict[str, Any], result: PushResult
) -> None:
    server.behave("ses", token="bob@example.com", **told)
    assert mailer.send(LETTER) == result
    assert server.pushes() == []


@pytest.mark.parametrize(
    "body",
    [
        [],
        mail(FromEmailAddress="nobody"),
        mail(Destination={}),
        mail(Destination={"ToAddresses": []}),
        mail(Destination={"ToAddresses": ["bob"]}),
        mail(Destination={"ToAddresses": ["a@example.com"] * 51}),
        mail(Content={"Simple": {"Body": {"Text": {"Data": "t"}}}}),
        mail(Content={"Simple": {"Subject": {"Data": "s"}, "Body": {}}}),
        mail(EmailTags=[{"Name": "user", "Value": "a b"}]),
        mail(EmailTags=5),
    ],
)
def test_what_is_wrong_is_a_bad_request(server: Providers, asking: httpx2.Client, body: Any) -> None:
    answer = asking.post("/v2/email/outbound-emails", json=body, headers=SIGNED)
    assert (answer.status_code, answer.headers["x-amzn-errortype"]) == (400, "BadRequestException")
    assert server.pushes() == []


def test_who_does_not_sign_is_refused(asking: httpx2.Client) -> None:
    assert asking.post("/v2/email/outbound-emails", json=mail()).status_code == 403
    assert asking.get("/v2/email/outbound-emails", headers=SIGNED).status_code == 405
    assert asking.post("/v2/email/outbound-emails", json=mail(), headers=SIGNED).status_code == 200


class Bus:
    """Where a stack would be, and what was put on its bus."""

    def __init__(self) -> None:
        self.entries: list[dict[str, Any]] = []
        bus = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
                assert self.headers["x-amz-target"] == "AWSEvents.PutEvents"
                bus.entries += asked["Entries"]
                body = b'{"FailedEntryCount": 0}'
                self.send_response(200)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def bus(server: Providers) -> Iterator[Bus]:
    made = Bus()
    stack = server.ca_file.parents[1] / "stack.json"
    stack.write_text(json.dumps({"endpoint_url": f"http://127.0.0.1:{made.server.server_port}", "region": "us-east-1"}))
    yield made
    stack.unlink(missing_ok=True)
    made.server.shutdown()
    made.server.server_close()


@pytest.mark.parametrize(
    ("outcome", "name", "said"),
    [
        ("bounce", "Email Bounced", {"bounceType": "Permanent"}),
        ("soft_bounce", "Email Bounced", {"bounceType": "Transient"}),
        ("complaint", "Email Complaint Received", {"complaintFeedbackType": "abuse"}),
        ("not_spam", "Email Complaint Received", {"complaintFeedbackType": "not-spam"}),
    ],
)
def test_what_becomes_of_a_mail_is_told_as_ses_tells_it(
    server: Providers, mailer: SesMailer, bus: Bus, outcome: str, name: str, said: dict[str, str]
) -> None:
    mailer.send(LETTER)
    answer = httpx2.post(f"{server.inspect_url}/mails/outcome", json={"to": LETTER.to, "outcome": outcome})
    assert answer.status_code == 204
    (entry,) = bus.entries
    detail = json.loads(entry["Detail"])
    assert (entry["Source"], entry["DetailType"]) == ("local.ses", name)
    assert said.items() <= detail[detail["eventType"].lower()].items()
    assert (detail["mail"]["destination"], detail["mail"]["tags"]) == ([LETTER.to], {"parley-user": ["Ym9i"]})
    assert "Sübject" not in entry["Detail"]


@pytest.mark.parametrize(
    ("outcome", "reason"), [("bounce", "BOUNCE"), ("complaint", "COMPLAINT"), ("soft_bounce", ""), ("not_spam", "")]
)
def test_an_address_that_ends_is_on_the_list_until_it_is_taken_off(
    server: Providers, mailer: SesMailer, bus: Bus, asking: httpx2.Client, outcome: str, reason: str
) -> None:
    mailer.send(LETTER)
    told = {"to": LETTER.to, "outcome": outcome}
    assert httpx2.post(f"{server.inspect_url}/mails/outcome", json=told).status_code == 204
    path = "/v2/email/suppression/addresses/bob%40example.com"
    found = asking.get(path, headers=SIGNED)
    if not reason:
        assert (found.status_code, len(bus.entries)) == (404, 1)
        return
    assert found.json()["SuppressedDestination"]["Reason"] == reason
    assert asking.delete(path, headers=SIGNED).status_code == 200
    assert asking.get(path, headers=SIGNED).status_code == 404


def test_an_outcome_of_nothing_or_without_a_stack_is_refused(server: Providers, mailer: SesMailer) -> None:
    def ask(**body: Any) -> int:
        return int(httpx2.post(f"{server.inspect_url}/mails/outcome", json=body).status_code)

    assert ask(to=LETTER.to, outcome="lost") == 400
    assert ask(outcome="bounce") == 400
    assert ask(to=LETTER.to, outcome="bounce") == 404
    mailer.send(LETTER)
    assert ask(to=LETTER.to, outcome="bounce") == 503
    assert httpx2.get(f"{server.inspect_url}/mails/outcome").status_code == 405
