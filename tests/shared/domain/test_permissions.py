"""Changes of the table of roles and permissions: what they say, and what is wrong about them."""

from __future__ import annotations

import re

import pytest

from shared.domain.changes import ADMIN, MEMBER, OWNER
from shared.domain.permissions import CHANNEL, DEFAULT, GROUP, KEPT_BY_OWNERS, matrix_of, problems_of


def test_what_is_named_is_given_to_exactly_these_roles_and_the_rest_stays() -> None:
    matrix = matrix_of(" group.pin = owner + member ,, channel.send=owner,group.send=nobody,")
    assert matrix.group == {**GROUP, "pin": {OWNER, MEMBER}, "send": set()}
    assert matrix.channel == {**CHANNEL, "send": {OWNER}}
    assert matrix_of("") is DEFAULT


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("group.pins=owner", "'group.pins=owner': no such permission; a group has send, attach"),
        ("channel.freeze=owner", "'channel.freeze=owner': no such permission; a channel has send, attach"),
        ("pin=owner", "'pin=owner': give it as group.pin=owner+admin"),
        ("team.pin=owner", "'team.pin=owner': give it as group.pin=owner+admin"),
        ("{'group': 1}", "give it as group.pin=owner+admin"),
        ("group.pin", "'group.pin': no such role: ''; there are owner, admin, member"),
        ("group.pin=", "no such role: ''"),
        (
            "group.pin=owner+moderator",
            "no such role: 'moderator'; there are owner, admin, member, joined by +, or nobody",
        ),
        ("group.pin=Owner", "no such role: 'Owner'"),
        ("group.pin=owner+nobody", "no such role: 'nobody'"),
        ("group.pin=owner=admin", "no such role: 'owner=admin'"),
        ("group.pin=owner+owner", "a role stands there twice"),
        ("group.pin=owner,group.pin=admin", "'group.pin=admin': given twice"),
        ("channel.send=owner+member", "members of a channel read"),
        ("group.change_roles=admin", "owners keep this"),
        ("group.pin=owner," * 100, "more than 1,200 characters"),
    ],
)
def test_mistakes_are_said(text: str, problem: str) -> None:
    assert any(problem in one for one in problems_of(text))
    with pytest.raises(ValueError, match=re.escape(problem)):
        matrix_of(text)


def test_all_mistakes_are_said_at_once() -> None:
    assert len(problems_of("group.pins=owner,group.pin=boss,group.freeze=nobody")) == 3


@pytest.mark.parametrize("permission", sorted(KEPT_BY_OWNERS))
def test_no_deployment_takes_from_owners_what_would_leave_a_group_as_it_is(permission: str) -> None:
    for roles in ("nobody", "admin", "admin+member"):
        assert problems_of(f"group.{permission}={roles}") != []
    assert problems_of(f"group.{permission}=owner") == []


def test_a_refusal_says_who_may() -> None:
    place = "group:aaaaaaaaaaaaaaaa"
    assert DEFAULT.refusal("pin", place) == "Only owners and admins of the group can pin messages"
    matrix = matrix_of("group.pin=nobody,channel.pin=owner")
    assert matrix.refusal("pin", place) == "No members of the group can pin messages"
    assert matrix.refusal("pin", "channel:aaaaaaaaaaaaaaaa") == "Only owners of the channel can pin messages"


def test_a_permission_that_not_everyone_has_takes_a_look_at_roles() -> None:
    assert DEFAULT.is_everyones("react")
    assert not DEFAULT.is_everyones("pin")
    assert not matrix_of(f"group.react={OWNER}+{ADMIN}").is_everyones("react")
