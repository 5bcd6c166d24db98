"""What SES is asked, and what its answers come to: a letter that may have been sent is not sent again."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from functions.offline_push.mailer import SesMailer
from shared.clock import Deadline
from shared.config import AwsEnvironment
from shared.domain.mails import Letter
from shared.domain.pushes import Busy, Misconfigured, PushResult, Refused, Sent

LETTER = Letter("bob", "b@example.com", "Sübject", "text", "<p>", "https://example.com/u?token=1")


class Ses:
    """Answers as it is told, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.answer: tuple[int, str, str] = (200, "", "")
        ses = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                ses.asked.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
                status, kind, message = ses.answer
                body = json.dumps({"MessageId": "m", "message": message}).encode()
                self.send_response(status)
                self.send_header("content-length", str(len(body)))
                self.send_header("x-amzn-errortype", kind)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.mailer = SesMailer(
            AwsEnvironment("us-east-1", "key", "secret", "", f"http://127.0.0.1:{self.server.server_port}"),
            Deadline(600),
            sender="chat@example.com",
            reply_to="help@example.com",
            configuration_set="parley-test",
        )


@pytest.fixture
def ses() -> Iterator[Ses]:
    made = Ses()
    thread = threading.Thread(target=made.server.serve_forever, daemon=True)
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


def test_a_letter_is_one_request_with_what_unsubscribes_by_one_click(ses: Ses) -> None:
    assert ses.mailer.send(LETTER) == Sent()
    (asked,) = ses.asked
    assert (asked["FromEmailAddress"], asked["ReplyToAddresses"]) == ("chat@example.com", ["help@example.com"])
    assert asked["Destination"] == {"ToAddresses": ["b@example.com"]}
    headers = {one["Name"]: one["Value"] for one in asked["Content"]["Simple"]["Headers"]}
    assert headers["List-Unsubscribe"] == "<https://example.com/u?token=1>"
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert asked["Content"]["Simple"]["Subject"]["Data"] == "Sübject"


@pytest.mark.parametrize(
    ("answer", "result"),
    [
        ((429, "TooManyRequestsException", ""), Busy("TooManyRequestsException")),
        ((400, "MessageRejected", "Email address is not verified."), Misconfigured("MessageRejected")),
        ((400, "AccountSuspendedException", ""), Misconfigured("AccountSuspendedException")),
        ((400, "BadRequestException", ""), Refused("BadRequestException")),
        ((500, "InternalServiceErrorException", ""), Refused("InternalServiceErrorException")),
    ],
)
def test_each_answer_is_asked_for_once(ses: Ses, answer: tuple[int, str, str], result: PushResult) -> None:
    ses.answer = answer
    assert ses.mailer.send(LETTER) == result
    assert len(ses.asked) == 1
