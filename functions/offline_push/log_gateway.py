"""A PushGateway that writes a line to the log: who would be woken for which message, and no content."""

from __future__ import annotations

from aws_lambda_powertools import Logger

from shared.notification.models import Push


class LogPushGateway:
    """Makes pushes visible where no provider is set up."""

    def __init__(self, logger: Logger) -> None:
        self._logger = logger

    def push(self, push: Push) -> None:
        self._logger.info("push", extra={"user_id": push.user_id, "message_id": push.message.message_id})
