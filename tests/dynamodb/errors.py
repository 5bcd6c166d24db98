"""How the store refuses: with the codes, the bodies and mostly the words of DynamoDB's own answers."""

from __future__ import annotations

from typing import Any

from shared.adapters.aws.calls import ServiceError, refusal

_BAD_REQUEST = 400
_SERVICE = "com.amazonaws.dynamodb.v20120810#"
_FRAMEWORK = "com.amazon.coral.validate#"


class Unsupported(AssertionError):
    """DynamoDB may well do this, the store does not. No answer of the service, so that nothing handles it as one."""


def invalid(message: str) -> ServiceError:
    return refusal(_BAD_REQUEST, {"__type": f"{_FRAMEWORK}ValidationException", "message": message})


def refused(code: str, message: str, **more: Any) -> ServiceError:
    return refusal(_BAD_REQUEST, {"__type": f"{_SERVICE}{code}", "message": message, **more})
