from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

from shared.wire.rest import conversations, messages, people
from shared.wire.rest.conversations import NewConversation, NewGroup, NewMembers, NewPrivateConversation, SettingsChange
from shared.wire.rest.messages import NewMessage, ReadUpTo
from shared.wire.rest.people import ContactChange, ProfileChange

_CONVERSATION: TypeAdapter[Any] = TypeAdapter(NewConversation)
_SENT = [
    one
    for module in (conversations, messages, people)
    for one in vars(module).values()
    if isinstance(one, type) and issubclass(one, BaseModel) and one.__module__ == module.__name__
]


@pytest.mark.parametrize(
    "body",
    [
        {"type": "private", "with": "bob"},
        {"type": "private", "with": "a.b-C_d@example.org", "something": "new"},
        {"type": "private", "with": "x" * 128},
    ],
)
def test_a_new_private_conversation_names_the_other(body: dict[str, Any]) -> None:
    read = _CONVERSATION.validate_python(body)
    assert isinstance(read, NewPrivateConversation)
    assert read.with_ == body["with"]


def test_a_new_group_has_a_name_and_perhaps_members() -> None:
    read = _CONVERSATION.validate_python({"type": "group", "name": "Team"})
    assert isinstance(read, NewGroup)
    assert (read.name, read.members, read.client_conversation_id) == ("Team", [], None)


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        "private",
        {},
        {"type": "private"},
        {"with": "bob"},
        {"type": "group", "with": "bob"},
        {"type": "Private", "with": "bob"},
        {"type": None, "with": "bob"},
        {"type": "private", "with": None},
        {"type": "private", "with": 42},
        {"type": "private", "with": ["bob"]},
        {"type": "private", "with": ""},
        {"type": "private", "with": "a b"},
        {"type": "private", "with": "a:b"},
        {"type": "private", "with": "bob\n"},
        {"type": "private", "with": "é"},
        {"type": "private", "with": "x" * 129},
        {"type": "private", "with_": "bob"},
        {"type": "group", "name": 5},
        {"type": "group", "name": "x", "members": "bob"},
        {"type": "group", "name": "x", "members": ["u"] * 1_001},
        {"type": "group", "name": "x", "client_conversation_id": ""},
        {"type": "group", "name": "x", "client_conversation_id": "x" * 129},
    ],
    ids=lambda body: str(body)[:60],
)
def test_any_other_conversation_is_refused(body: Any) -> None:
    with pytest.raises(ValidationError):
        _CONVERSATION.validate_python(body)


@pytest.mark.parametrize(
    ("model", "body"),
    [
        (NewMembers, {"users": []}),
        (NewMembers, {"users": ["u"] * 101}),
        (NewMessage, {"content": None}),
        (NewMessage, {"content": "x", "after": -1}),
        (NewMessage, {"content": "x", "after": 1.0}),
        (NewMessage, {"content": "x", "after": True}),
        (NewMessage, {"content": "x", "reply_to": 0}),
        (NewMessage, {"content": "x", "mentions": ["u"] * 51}),
        (NewMessage, {"forward_of": {"conversation_id": "x"}}),
        (ReadUpTo, {"seq": 2**53}),
        (ReadUpTo, {"seq": "1"}),
        (SettingsChange, {}),
        (SettingsChange, {"else": 1}),
        (SettingsChange, {"archived": None}),
        (ContactChange, {}),
        (ContactChange, {"status": "incoming"}),
        (ProfileChange, {"push": {"quiet_hours": {"start": "22:00"}}}),
    ],
    ids=str,
)
def test_what_is_no_such_body_is_refused(model: type[BaseModel], body: Any) -> None:
    with pytest.raises(ValidationError):
        model.model_validate(body)


def test_null_is_told_from_left_out() -> None:
    assert SettingsChange.model_validate({"muted_until": None}).model_dump(exclude_unset=True) == {"muted_until": None}
    assert ProfileChange.model_validate({"push": {"previews": None}}).model_dump(exclude_unset=True) == {
        "push": {"previews": None}
    }


@pytest.mark.parametrize("model", _SENT, ids=lambda model: model.__name__)
def test_every_body_ignores_what_it_does_not_know_and_takes_its_own_examples(model: type[BaseModel]) -> None:
    extra: Any = model.model_config["json_schema_extra"]
    assert extra["examples"]
    for example in extra["examples"]:
        read = model.model_validate({**json.loads(json.dumps(example)), "of a later version": {}})
        assert read.model_dump(by_alias=True, exclude_unset=True) == example
