"""What becomes of files is told to the team's backend: loaded only where a deployment has events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.adapters.dynamodb.client import dynamodb
from shared.adapters.dynamodb.conversation_log import DynamoDbConversationLog
from shared.operations.about import tells_of_files
from shared.operations.context import Limits
from shared.wiring import make_context

if TYPE_CHECKING:
    from shared.clock import Deadline
    from shared.config import AwsEnvironment, FilesSettings
    from shared.operations.files import Tell


def teller(settings: FilesSettings, environment: AwsEnvironment, deadline: Deadline) -> Tell:
    """Within the invocation's deadline."""
    calls = dynamodb(environment, deadline)
    log = DynamoDbConversationLog(calls, log_table=settings.log_table, members_table=settings.members_table)
    return tells_of_files(log, make_context(Limits(events=settings.events), pause=deadline.pause))
