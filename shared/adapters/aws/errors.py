"""What a service says where it does not do what it was asked."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

_RETRYABLE: Final = frozenset(
    {
        "InternalServerError",
        "InternalServiceError",
        "LimitExceededException",
        "OperationAborted",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestTimeout",
        "ServiceUnavailable",
        "ThrottlingException",
        "TransactionConflictException",  # a single write met a transaction on its item
        "TransactionInProgressException",
    }
)
_CONTENTION: Final = frozenset({"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"})


class ServiceError(Exception):
    """The service refused a request: its `code` and `text`, the `status`, and which `call` it was.

    `is_transient`: the same may be taken the next time. `is_told`: an operator can read of it.
    """

    is_told = False

    def __init__(
        self, code: str, message: str, body: Mapping[str, Any], *, call: str = "", is_transient: bool = False
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.call = call
        self.code = code
        self.text = message
        self.body = body
        self.is_transient = is_transient
        self.status = 0
        self.request_id = ""

    @property
    def reasons(self) -> frozenset[str]:
        """The codes of a cancelled transaction's reasons; none for any other error."""
        return frozenset(str(reason.get("Code")) for reason in self.body.get("CancellationReasons") or ())

    @property
    def is_contention(self) -> bool:
        """Whether it is a transaction that met another one, and nothing worse: the same again is right."""
        if self.code != "TransactionCanceledException":
            return False
        return bool(self.reasons & _CONTENTION) and "ConditionalCheckFailed" not in self.reasons

    @property
    def is_expected(self) -> bool:
        """Whether it is a condition that did not hold: an outcome, and no trouble."""
        return self.code == "ConditionalCheckFailedException" or "ConditionalCheckFailed" in self.reasons


_NO_HEADERS: Final[Mapping[str, str]] = {}


def refusal(
    status: int, body: Mapping[str, Any], *, call: str = "", headers: Mapping[str, str] = _NO_HEADERS
) -> ServiceError:
    """What an answer other than 200 means."""
    named = str(body.get("__type") or headers.get("x-amzn-errortype", "").partition(":")[0])
    code = named.rpartition("#")[2] or f"HTTP{status}"
    error = ServiceError(code, str(body.get("message") or body.get("Message") or ""), body, call=call)
    error.status, error.request_id = status, headers.get("x-amzn-requestid", "")
    is_fault = status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.TOO_MANY_REQUESTS
    error.is_transient = is_fault or code in _RETRYABLE or error.is_contention
    return error
