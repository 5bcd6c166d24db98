"""Sends letters through SES (API v2, SendEmail), each once: a repetition of what was lost could be a second mail."""

from __future__ import annotations

from typing import Any, Final

from shared.adapters.aws.calls import ServiceError
from shared.adapters.aws.refusals import transport_code
from shared.adapters.aws.sdk import Sdk
from shared.adapters.aws.transport import TransportError
from shared.clock import Deadline
from shared.config import AwsEnvironment
from shared.domain.mails import USER_TAG, Letter, encoded
from shared.domain.pushes import Busy, Misconfigured, PushResult, Refused, Sent

# What SES answers (SendEmail, Errors): later; not before a person has looked; never.
_LATER: Final = frozenset({"TooManyRequestsException", "LimitExceededException", "Throttling", "ThrottlingException"})
_OURS: Final = frozenset(
    {
        *("AccountSuspendedException", "SendingPausedException", "MailFromDomainNotVerifiedException"),
        *("NotFoundException", "AccessDeniedException", "UnrecognizedClientException", "InvalidClientTokenId"),
        *("SignatureDoesNotMatch", "ExpiredTokenException"),
    }
)
_NOT_REACHED: Final = frozenset({"TlsError", "DnsError", "ConnectionRefused"})
_NOT_VERIFIED: Final = "not verified"
_READ_S: Final = 10.0


class SesMailer:
    """A Mailer. `sender` is the From address, `configuration_set` what SES notes bounces by (empty: none)."""

    def __init__(
        self,
        environment: AwsEnvironment,
        deadline: Deadline,
        *,
        sender: str,
        reply_to: str,
        configuration_set: str,
        ca_file: str = "",
    ) -> None:
        """`ca_file` vouches for a laptop's server; empty in AWS."""
        self._sdk = Sdk("sesv2", environment, deadline, read_timeout_s=_READ_S, verify=ca_file or None)
        self._sender, self._reply_to, self._configuration_set = sender, reply_to, configuration_set

    def send(self, letter: Letter) -> PushResult:
        """An answer that is lost counts as sent: `Refused`, with a reason that says so."""
        request = self._request(letter)
        try:
            self._sdk.once(lambda ses: ses.send_email(**request))
        except ServiceError as refused:
            return _meaning(refused)
        except TransportError as error:
            met = transport_code(error)
            return Busy(met) if met in _NOT_REACHED else Refused(f"Unknown{met}")
        return Sent()

    def _request(self, letter: Letter) -> dict[str, Any]:
        headers = {
            "List-Unsubscribe": f"<{letter.unsubscribe_url}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            "Auto-Submitted": "auto-generated",
        }
        body = {"Text": _content(letter.text), "Html": _content(letter.html)}
        listed = [{"Name": name, "Value": value} for name, value in headers.items()]
        return {
            "FromEmailAddress": self._sender,
            "Destination": {"ToAddresses": [letter.to]},
            "Content": {"Simple": {"Subject": _content(letter.subject), "Body": body, "Headers": listed}},
            "EmailTags": [{"Name": USER_TAG, "Value": encoded(letter.user_id)}],
            **({"ReplyToAddresses": [self._reply_to]} if self._reply_to else {}),
            **({"ConfigurationSetName": self._configuration_set} if self._configuration_set else {}),
        }


def _content(text: str) -> dict[str, str]:
    return {"Data": text, "Charset": "UTF-8"}


def _meaning(refused: ServiceError) -> PushResult:
    code = refused.code
    if code in _LATER:
        return Busy(code)
    if code in _OURS or (code == "MessageRejected" and _NOT_VERIFIED in str(refused)):
        return Misconfigured(code)
    return Refused(code)
