"""History from elsewhere over HTTP: lines, each read by itself, and what came of each."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from shared.domain.custom import data_text
from shared.domain.rules import MAX_MENTIONS
from shared.errors import BadRequest, ParleyError
from shared.operations.imports import MAX_LINES, GroupLine, Line, LineResult, MessageLine
from shared.wire.rest.common import ClientId, Content, ConversationId, Data, Milliseconds, Name, UserId, config

if TYPE_CHECKING:
    from shared.wire.shapes import rights as shapes


class ImportedGroup(BaseModel):
    """A group with its first members."""

    model_config = config(
        {"type": "group", "id": "team", "name": "Team", "creator": "alice", "members": ["bob"], "created_at": 1000}
    )

    type: Literal["group"]
    id: ClientId
    name: Name
    creator: UserId
    members: list[UserId] = []
    created_at: Milliseconds

    def line(self) -> Line:
        return GroupLine(self.id, self.name, self.creator, self.created_at, tuple(self.members))


class ImportedMessage(BaseModel):
    """A message, in a conversation that is there or in a group of an import."""

    model_config = config(
        {"type": "message", "id": "m1", "group": "team", "sender_id": "bob", "content": "hi", "created_at": 2000}
    )

    type: Literal["message"]
    id: ClientId
    sender_id: UserId
    content: Content
    created_at: Milliseconds
    conversation_id: ConversationId | None = None
    group: ClientId | None = None
    message_type: Literal["text", "system"] = "text"
    mentions: Annotated[list[UserId], Field(max_length=MAX_MENTIONS)] = []
    data: Data | None = None

    def line(self) -> Line:
        return MessageLine(
            self.id,
            self.sender_id,
            self.created_at,
            self.content,
            conversation_id=self.conversation_id,
            group=self.group,
            message_type=self.message_type,
            mentions=tuple(self.mentions),
            data=data_text(self.data),
        )


_Line = Annotated[ImportedGroup | ImportedMessage, Field(discriminator="type")]


class NewImport(BaseModel):
    """Lines, in the order in which they are to stand: groups before their messages. Can be repeated."""

    model_config = config(
        {
            "lines": [
                {"type": "group", "id": "team", "name": "Team", "creator": "alice", "created_at": 1000},
                {
                    "type": "message",
                    "id": "m1",
                    "group": "team",
                    "sender_id": "alice",
                    "content": "hi",
                    "created_at": 2,
                },
            ]
        }
    )

    lines: Annotated[list[dict[str, Any]], Field(min_length=1, max_length=MAX_LINES)]

    def read(self) -> Sequence[Line | ParleyError]:
        """Each line, or what is wrong with its shape."""
        return [_read(one) for one in self.lines]


@cache
def _reader() -> TypeAdapter[ImportedGroup | ImportedMessage]:
    return TypeAdapter(_Line)


def _read(line: dict[str, Any]) -> Line | ParleyError:
    try:
        return _reader().validate_python(line).line()
    except ValidationError as error:
        first = error.errors(include_input=False, include_context=False, include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"] if part not in {"group", "message"}) or "type"
        said = "should be 'group' or 'message'" if first["type"].startswith("union_tag") else first["msg"]
        return BadRequest(f"{place}: {said}")
    except ParleyError as error:
        return error


def import_body(results: Sequence[LineResult]) -> shapes.Import:
    """What came of each line, in their order; the first is line 0."""
    return {
        "imported": sum(one.outcome == "imported" for one in results),
        "duplicates": sum(one.outcome == "duplicate" for one in results),
        "refused": sum(one.outcome == "refused" for one in results),
        "lines": [_result(number, one) for number, one in enumerate(results)],
    }


def _result(number: int, result: LineResult) -> shapes.ImportedLine:
    error = result.error
    return {
        "line": number,
        "status": result.outcome,
        "conversation_id": result.conversation_id,
        "seq": result.seq,
        "code": None if error is None else error.code,
        "error": None if error is None else error.message,
    }
