"""What pushes say: keys for the app's own texts, names, and content only where previews are on."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest

from shared.domain.contacts import Profile
from shared.domain.entries import Draft, Entry, MessageType
from shared.domain.members import Group
from shared.domain.notifications import SYSTEM, About, AboutMessage, AboutNotification, Notification
from shared.domain.pushes import Wording
from shared.operations.push.wording import collapse_id, message_wording, notification_wording, push_id, reminder_wording
from tests.fakes import DM
from tests.shared.operations.push.harness import GROUP

NOW = 1_795_431_200_000
CREW = Group(GROUP, "Crew", "alice", NOW, 3)
PLAIN = Draft(DM, "alice", "the canary text", "n").following(None, NOW)
TO_BOB = replace(PLAIN, mentions=("bob",))
BOBS = replace(PLAIN, sender_id="bob")
CAROLS = replace(PLAIN, sender_id="carol")


def words(entry: Entry, *, replied_to: Entry | None = None, group: Group | None = None, **how: object) -> Wording:
    sender = Profile(display_name=str(how.get("name"))) if "name" in how else Profile()
    previews = bool(how.get("previews"))
    return message_wording(entry, "bob", replied_to=replied_to, sender=sender, group=group, previews=previews)


@pytest.mark.parametrize(
    ("entry", "replied_to", "key"),
    [
        (PLAIN, None, "MESSAGE"),
        (TO_BOB, None, "MENTION"),
        (PLAIN, BOBS, "REPLY"),
        (PLAIN, CAROLS, "MESSAGE"),
        (TO_BOB, BOBS, "MENTION"),
    ],
)
def test_a_mention_and_a_reply_are_called_so_in_private_and_in_groups(
    entry: Entry, replied_to: Entry | None, key: str
) -> None:
    assert words(entry, replied_to=replied_to).title_key == f"PARLEY_{key}"
    in_group = replace(entry, conversation_id=GROUP)
    assert words(in_group, replied_to=replied_to, group=CREW).title_key == f"PARLEY_GROUP_{key}"


def test_the_title_names_who_and_where() -> None:
    assert words(PLAIN).title_args == ("alice",)
    assert words(PLAIN, name="Alice A.").title_args == ("Alice A.",)
    assert words(replace(PLAIN, conversation_id=GROUP), group=CREW, name="Alice A.").title_args == ("Alice A.", "Crew")


@pytest.mark.parametrize(("kind", "key"), [("text", "PARLEY_TEXT"), ("image", "PARLEY_IMAGE"), ("file", "PARLEY_FILE")])
def test_without_previews_there_is_no_content(kind: MessageType, key: str) -> None:
    worded = words(replace(PLAIN, message_type=kind))
    assert (worded.body_key, worded.body) == (key, None)
    assert "canary" not in repr(worded)


def test_with_previews_the_body_is_what_was_said() -> None:
    worded = words(PLAIN, previews=True)
    assert (worded.body_key, worded.body) == (None, "the canary text")


def test_a_notice_says_its_text_only_with_previews() -> None:
    notification = Notification("n1", "bob", SYSTEM, NOW, NOW + 1, title="Down at noon", body="for an hour")
    assert notification_wording(notification, previews=False) == Wording("PARLEY_NOTICE")
    assert notification_wording(notification, previews=True) == Wording(None, title="Down at noon", body="for an hour")


def test_a_reminder_is_called_so() -> None:
    worded = reminder_wording(replace(PLAIN, conversation_id=GROUP), sender=Profile(), group=CREW, previews=False)
    assert worded == Wording("PARLEY_GROUP_REMINDER", ("alice", "Crew"), body_key="PARLEY_TEXT")
    assert reminder_wording(PLAIN, sender=Profile(), group=None, previews=True) == Wording(
        "PARLEY_REMINDER", ("alice",), body="the canary text"
    )


def test_a_collapse_id_has_64_bytes_at_most_and_is_one_for_each_name() -> None:
    assert collapse_id(DM) == DM
    long = "dm:" + "a" * 100 + ":" + "b" * 100
    assert len(collapse_id(long)) <= 64
    assert collapse_id(long) != collapse_id(long + "c")


def test_a_push_id_is_a_uuid_of_its_own_for_each_message_and_device() -> None:
    abouts: list[About] = [
        AboutMessage(DM, 1),
        AboutMessage(DM, 2),
        AboutMessage(GROUP, 1),
        AboutNotification("n1"),
        AboutNotification("n2"),
    ]
    ids = {push_id(user, device, about) for user in ("alice", "bob") for device in ("a", "b") for about in abouts}
    assert len(ids) == 20
    assert all(str(UUID(one)) == one for one in ids)
    assert push_id("bob", "a", abouts[0]) == push_id("bob", "a", abouts[0])
