"""Mail digests: who is mailed of what, when, and never more than once in a while, whatever runs twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from shared.domain.bans import FOREVER, Ban
from shared.domain.contacts import QuietHours
from shared.domain.fan_out import StoredEntry
from shared.domain.mails import Letter, MailRound, MailSettings, MailStop
from shared.domain.pushes import Busy, Misconfigured, PushResult, Refused
from shared.errors import NotFound
from shared.operations.push.bounces import stop_mails
from shared.operations.push.enqueueing import enqueue_stored
from shared.operations.push.mails import mail_round
from shared.operations.unsubscribing import unsubscribe
from shared.operations.users import delete_user, put_user
from tests.fakes.notification import FakeMailer
from tests.shared.operations.push.harness import GROUP, PushHarness
from tests.stepping import Stepper, explore
from tests.stores import MEMBERS

MINUTE, HOUR = 60_000, 3_600_000
SETTINGS = MailSettings(HOUR, 24 * HOUR, "https://app.example.com/c/{conversation_id}", "https://api.example.com")


class Mailing:
    """A deployment that mails; Bob has an address, and is away."""

    def __init__(self) -> None:
        self.harness, self.mailer = PushHarness(), FakeMailer()
        whole = self.harness.whole
        context = whole["context"]
        self.whole: dict[str, Any] = {
            **whole,
            "services": replace(whole["services"], mailer=self.mailer),
            "context": replace(context, limits=replace(context.limits, mail=SETTINGS)),
        }
        self.address("bob", "bob@example.com")

    def address(self, user: str, email: str | None) -> None:
        put_user(user, {"email": email}, **self.whole)

    def stop(self, *told: Any) -> None:
        stop_mails(MailStop(*told), **self.whole)

    def say(self, content: str = "hi", **fields: Any) -> None:
        entry = self.harness.say(content, **fields)
        self.seen_by_the_stream(
            StoredEntry(
                entry.conversation_id,
                entry.seq,
                entry.sender_id,
                is_message=entry.is_message,
                fan_out=False,
                mentions=entry.mentions,
            )
        )

    def seen_by_the_stream(self, stored: StoredEntry) -> None:
        assert enqueue_stored([stored], **self.whole) == {}

    def after(self, ms: int) -> list[Letter]:
        """What is sent in the round at that time from now."""
        self.harness.clock.advance(ms)
        return self.round()

    def round(self) -> list[Letter]:
        before = len(self.mailer.letters)
        queue: list[MailRound] = [MailRound()]
        while queue:
            mail_round(queue.pop(), **self.whole)
            queue += self.harness.sweeps.rounds
            self.harness.sweeps.rounds.clear()
        return self.mailer.letters[before:]

    @property
    def looks(self) -> int:
        return len([row for row in self.harness.stores.rows(MEMBERS) if str(row["pk"]).startswith("mails#")])


@pytest.fixture
def mailing() -> Mailing:
    return Mailing()


def test_what_is_unread_for_long_enough_is_mailed_once(mailing: Mailing) -> None:
    mailing.say("Lunch <today> & tomorrow?")
    mailing.say("12:00")
    assert (mailing.looks, mailing.after(59 * MINUTE)) == (1, [])
    (letter,) = mailing.after(MINUTE)
    assert (letter.to, letter.subject) == ("bob@example.com", "2 unread messages from alice")
    assert "Lunch <today> & tomorrow?" in letter.text
    assert "Lunch &lt;today&gt; &amp; tomorrow?" in letter.html
    assert "https://app.example.com/c/dm%3Aalice%3Abob" in letter.text
    assert mailing.looks == 0
    for hours in (1, 30, 100):
        assert mailing.after(hours * HOUR) == []


def test_never_more_than_one_in_a_quiet_period(mailing: Mailing) -> None:
    mailing.say()
    assert len(mailing.after(HOUR)) == 1
    for _ in range(5):
        mailing.say("more")
        assert mailing.after(2 * HOUR) == []
    assert mailing.looks == 1
    assert mailing.after(13 * HOUR) == []
    (letter,) = mailing.after(HOUR)
    assert "6 unread" in letter.subject


def test_what_comes_soon_after_a_mail_is_in_the_next_one(mailing: Mailing) -> None:
    mailing.say()
    assert len(mailing.after(HOUR)) == 1
    mailing.harness.clock.advance(10 * MINUTE)
    mailing.say("soon after")
    assert (mailing.after(HOUR), mailing.looks) == ([], 1)
    (letter,) = mailing.after(23 * HOUR)
    assert "2 unread" in letter.subject


def test_what_comes_soon_after_a_look_at_nothing_is_mailed(mailing: Mailing) -> None:
    mailing.say()
    _read(mailing)
    assert mailing.after(HOUR) == []
    mailing.harness.clock.advance(MINUTE)
    mailing.say("soon after")
    assert len(mailing.after(HOUR)) == 1


def _read(mailing: Mailing) -> None:
    member = mailing.harness.stores.member("bob")
    mailing.harness.stores.memberships.move_read(member.with_read(1, 1))


def _ban(mailing: Mailing) -> None:
    mailing.harness.stores.sessions.ban("bob", Ban(FOREVER, "", mailing.harness.clock(), "root"))


SILENT: dict[str, Callable[[Mailing], object]] = {
    "read": _read,
    "answered": lambda one: one.harness.say("yes", sender="bob"),
    "muted": lambda one: one.harness.prefer(muted_until=10**15),
    "notified of nothing there": lambda one: one.harness.prefer(notify="none"),
    "mentions alone there": lambda one: one.harness.prefer(notify="mentions"),
    "mentions alone": lambda one: one.harness.profile(mail="mentions"),
    "off": lambda one: one.harness.profile(mail="off"),
    "blocked": lambda one: one.harness.stores.blocks.put("bob", "alice", now=1),
    "banned": _ban,
    "deactivated": lambda one: put_user("bob", {"deactivated": True}, **one.whole),
    "without an address": lambda one: one.address("bob", None),
    "deleted from the directory": lambda one: delete_user("bob", **one.whole),
    "bounced": lambda one: one.stop("bob", "bob@example.com", "bounce"),
    "called spam": lambda one: one.stop("bob", "BOB@example.com", "complaint"),
}


@pytest.mark.parametrize("what", SILENT.values(), ids=SILENT)
def test_what_is_so_by_then_decides(mailing: Mailing, what: Callable[[Mailing], object]) -> None:
    mailing.say()
    what(mailing)
    assert mailing.after(HOUR) == []
    assert mailing.looks == 0


def test_a_message_that_comes_later_ripens_by_itself(mailing: Mailing) -> None:
    mailing.say()
    mailing.harness.clock.advance(30 * MINUTE)
    mailing.say("second")
    _read(mailing)
    assert mailing.after(30 * MINUTE) == []
    (letter,) = mailing.after(30 * MINUTE)
    assert letter.subject == "1 unread message from alice"


def test_quiet_hours_are_kept_and_made_up_for(mailing: Mailing) -> None:
    mailing.harness.profile(quiet_hours=QuietHours("00:00", "23:30", "UTC"))
    mailing.say()
    sent = [at for at in range(48) if mailing.after(30 * MINUTE)]
    assert len(sent) == 1


def test_who_is_there_is_not_mailed_until_they_are_gone(mailing: Mailing) -> None:
    mailing.say()
    mailing.harness.connect("bob")
    assert (mailing.after(HOUR), mailing.looks) == ([], 1)
    mailing.harness.stores.sessions.remove("bob", "bob1", now=mailing.harness.clock())
    assert len(mailing.after(HOUR)) == 1


def test_without_previews_there_are_names_and_no_text(mailing: Mailing) -> None:
    mailing.harness.profile(previews=False)
    mailing.harness.profile("alice", display_name="Älice\u202e <b>")
    mailing.harness.found("alice", "bob", name="Crew & Co")
    mailing.say("the canary text", conversation_id=GROUP)
    (letter,) = mailing.after(HOUR)
    assert letter.subject == "1 unread message in Crew & Co"
    assert "canary" not in letter.text + letter.html
    assert "Älice &lt;b&gt;" in letter.html
    assert "\u202e" not in letter.text + letter.html + letter.subject


def test_who_has_no_address_costs_no_look(mailing: Mailing) -> None:
    mailing.address("bob", None)
    mailing.say()
    assert (mailing.looks, mailing.after(HOUR)) == (0, [])


@pytest.mark.parametrize("answer", [Busy("TooMany"), Misconfigured("NotVerified")])
def test_what_was_certainly_not_sent_is_sent_with_the_next_round(mailing: Mailing, answer: PushResult) -> None:
    mailing.say()
    mailing.mailer.answers.append(answer)
    assert len(mailing.after(HOUR)) == 1
    assert (mailing.looks, len(mailing.after(5 * MINUTE)), mailing.looks) == (1, 1, 0)
    assert mailing.after(HOUR) == []


def test_what_may_have_been_sent_is_not_sent_again(mailing: Mailing) -> None:
    mailing.say()
    mailing.mailer.answers.append(Refused("UnknownReadTimeoutError"))
    assert len(mailing.after(HOUR)) == 1
    assert (mailing.looks, mailing.after(HOUR)) == (0, [])


def test_one_who_fails_holds_up_no_other(mailing: Mailing) -> None:
    mailing.address("carol", "carol@example.com")
    mailing.say()
    mailing.harness.say("hi", conversation_id="dm:alice:carol")
    mailing.seen_by_the_stream(StoredEntry("dm:alice:carol", 1, "alice", is_message=True, fan_out=False))
    mailing.harness.stores.calls.fail("user#bob")
    mailing.harness.clock.advance(HOUR)
    assert [letter.user_id for letter in mailing.round()] == ["carol"]
    mailing.harness.stores.calls.let_through()
    assert [letter.user_id for letter in mailing.round()] == ["bob"]


def test_at_most_one_mail_in_any_interleaving() -> None:
    def build(stepper: Stepper) -> Mailing:
        mailing = Mailing()
        mailing.say()
        mailing.harness.clock.advance(HOUR)
        stores = mailing.whole["stores"]
        wrapped = replace(stores, mails=stepper.wrap(stores.mails, only=("standing", "claim", "done")))
        for _ in range(2):
            for part in range(stores.mails.parts):
                if stores.mails.due(part, until=mailing.harness.clock(), after=None, limit=1):
                    stepper.add(partial(mail_round, MailRound(part), **{**mailing.whole, "stores": wrapped}))
        return mailing

    for mailing in explore(build):
        assert len(mailing.mailer.letters) == 1
        assert mailing.after(HOUR) == []


def test_the_link_in_a_mail_ends_them_and_nothing_else_does(mailing: Mailing) -> None:
    mailing.say()
    (letter,) = mailing.after(HOUR)
    token = letter.unsubscribe_url.partition("?token=")[2]
    for wrong in ("", ".", token[:-1], "Ym9i.", "Ym9i", f"{token}x", "é." + token, "//8." + token):
        with pytest.raises(NotFound):
            unsubscribe(wrong, **mailing.whole)
    assert mailing.harness.stores.profiles.get("bob").mail == "all"
    for _ in range(2):
        unsubscribe(token, **mailing.whole)
    assert mailing.harness.stores.profiles.get("bob").mail == "off"
    mailing.say("more")
    assert mailing.after(48 * HOUR) == []


def test_what_came_back_ends_the_mails_to_that_address_alone_and_the_user_sees_why(mailing: Mailing) -> None:
    stores = mailing.harness.stores

    def standing() -> tuple[str | None, str | None]:
        return stores.users.of(["bob"])["bob"].mail_stopped, stores.profiles.get("bob").mail_stopped

    for other in (("bob", "old@example.com", "bounce"), ("carol", "bob@example.com", "bounce"), ("", "", "bounce")):
        mailing.stop(*other)
    assert standing() == (None, None)
    version = stores.users.of(["bob"])["bob"].version
    mailing.stop("bob", "bob@example.com", "bounce")
    stopped = stores.users.of(["bob"])["bob"]
    assert stopped.version > version
    mailing.stop("bob", "bob@example.com", "complaint")
    assert stores.users.of(["bob"])["bob"] == stopped
    assert standing() == ("bounce", "bounce")
    mailing.say()
    assert (mailing.looks, mailing.after(HOUR)) == (0, [])
    for same in ({"email": "bob@example.com"}, {"name": "Bob"}):
        put_user("bob", same, **mailing.whole)
    assert standing() == ("bounce", "bounce")
    mailing.address("bob", "b@example.com")
    assert standing() == (None, None)
    mailing.say("to the new one")
    assert [letter.to for letter in mailing.after(HOUR)] == ["b@example.com"]


def test_the_same_address_is_mailed_again_once_it_was_taken_away(mailing: Mailing) -> None:
    mailing.stop("bob", "bob@example.com", "bounce")
    mailing.address("bob", None)
    mailing.address("bob", "bob@example.com")
    mailing.say()
    assert len(mailing.after(HOUR)) == 1


def test_an_address_that_changes_meanwhile_is_not_stopped() -> None:
    def build(stepper: Stepper) -> Mailing:
        mailing = Mailing()
        stores = mailing.whole["stores"]
        whole = {**mailing.whole, "stores": replace(stores, users=stepper.wrap(stores.users, only=("of", "change")))}
        stepper.add(partial(stop_mails, MailStop("bob", "bob@example.com", "bounce"), **whole))
        stepper.add(partial(put_user, "bob", {"email": "b@example.com"}, **whole))
        return mailing

    for mailing in explore(build):
        user, state = mailing.harness.stores.users.of(["bob"])["bob"], mailing.harness.stores.mails.state("bob")
        assert (user.email, user.mail_stopped, state.is_stopped) == ("b@example.com", None, False)
