"""Mail digests: who missed something is mailed of it, once it is unread for long, and never more than once a while.

The stream's side schedules a look at who is away, one at a time for each user. The look decides by what is stored then,
strongly consistent, and is put off as long as something speaks against it for now. The mail is claimed before it is
sent: of what was claimed and died nobody can say whether it went out, so there is none until the next one is due.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import Final

from shared.clock import DAY_MS, MINUTE_MS
from shared.domain.connections import live
from shared.domain.contacts import Profile
from shared.domain.entries import Entry
from shared.domain.mails import Letter, MailLook, MailRound, MailSettings, MailStanding
from shared.domain.members import Member, is_in_inbox, seen_number, unread
from shared.domain.pushes import Busy, Misconfigured, Sent
from shared.domain.text import is_channel_id, is_mentioned
from shared.operations.context import Context
from shared.operations.heads import heads_of
from shared.operations.push.letters import Unread, letter_of
from shared.operations.push.planning import is_quiet
from shared.operations.push.wording import MAX_COUNTED
from shared.ports.services import PushServices
from shared.ports.stores import PushStores, Stores

# Looks of one message of the queue: some seconds' work.
_PAGE: Final = 20
# Latest entries of a conversation that are looked through.
_TAIL: Final = 25
# A look that failed, or found the provider refusing all, for so long is given up.
_GIVEN_UP_MS: Final = DAY_MS
_QUARTER_MS: Final = 15 * MINUTE_MS


def schedule_looks(users: Collection[str], *, stores: Stores, services: PushServices, context: Context) -> None:
    """Have those looked at who have an address and whom no look waits for: half a unit each, and two writes for a look.

    Raises Unavailable.
    """
    settings, now = context.limits.mail, context.now()
    if settings is None or not users:
        return
    wanted = stores.mails.unscheduled(users, now=now)
    at = now + settings.after_ms
    list(services.parallel_map(lambda user: stores.mails.schedule(MailLook(user, at)), wanted))


def mail_round(part: MailRound, *, stores: PushStores, services: PushServices, context: Context) -> None:
    """Carry out some looks that are due, and have the next ones carried out. Raises Unavailable.

    A look that fails stays, and comes again with the next round; it holds up no others. Where the provider takes
    nothing from us for now, all that is left waits for that.
    """
    settings, mailer = context.limits.mail, services.mailer
    if settings is None or mailer is None:
        return
    looks = stores.mails.due(part.part, until=context.now(), after=part.after, limit=_PAGE)
    for look in looks:
        try:
            goes_on = _carry_out(look, settings, stores=stores, services=services, context=context)
        except Exception as error:  # noqa: BLE001  # whatever it is, it must not hold up other users' mails
            services.observer.failed("user not looked at for a mail", error)
            services.observer.count("MailFailed")
            _give_up(look, stores=stores, services=services, context=context)
            goes_on = True
        if not goes_on:
            return
    if len(looks) == _PAGE:
        services.sweep_queue.put(replace(part, after=looks[-1]))
    elif part.part + 1 < stores.mails.parts:
        services.sweep_queue.put(MailRound(part.part + 1))


def _carry_out(
    look: MailLook, settings: MailSettings, *, stores: PushStores, services: PushServices, context: Context
) -> bool:
    """False where the provider takes nothing for now."""
    user_id, now = look.user_id, context.now()
    standing = stores.mails.standing(user_id)
    found = _decided(standing, settings, now, stores=stores, services=services)
    if isinstance(found, int):
        stores.mails.schedule(MailLook(user_id, found))
    if isinstance(found, int) or not found:
        stores.mails.done(look)
        return True
    was = standing.state
    secret = was.secret or context.new_secret()
    letter = letter_of(standing, found, secret, settings, stores=stores)
    if not stores.mails.claim(user_id, was, secret=secret, now=now):
        stores.mails.done(look)  # another one has mailed, or the address is gone
        return True
    return _send(letter, look, standing, now, stores=stores, services=services, context=context)


def _send(  # noqa: PLR0913  # what is sent, by what right, and the three of every operation
    letter: Letter,
    look: MailLook,
    standing: MailStanding,
    claimed_at: int,
    *,
    stores: PushStores,
    services: PushServices,
    context: Context,
) -> bool:
    assert services.mailer is not None  # noqa: S101  # `mail_round` has looked
    result = services.mailer.send(letter)
    if isinstance(result, Busy | Misconfigured):
        stores.mails.release(look.user_id, standing.state, now=claimed_at)
        services.observer.count("MailMisconfigured" if isinstance(result, Misconfigured) else "MailBusy")
        services.observer.noted("mail not sent", user_id=look.user_id, reason=result.reason)
        _give_up(look, stores=stores, services=services, context=context)
        return False
    if not isinstance(result, Sent):
        services.observer.count("MailRefused")
        services.observer.noted("mail refused", user_id=look.user_id, reason=result.reason)
    stores.mails.done(look)
    return True


def _give_up(look: MailLook, *, stores: PushStores, services: PushServices, context: Context) -> None:
    if look.at < context.now() - _GIVEN_UP_MS:
        stores.mails.done(look)
        services.observer.count("MailGivenUp")


def _decided(
    standing: MailStanding, settings: MailSettings, now: int, *, stores: PushStores, services: PushServices
) -> Sequence[Unread] | int:
    """What to mail; nothing; or when (ms) to look again."""
    user, state = standing.user, standing.state
    if not _may_be_mailed(standing) or stores.sessions.bars(user.user_id).ban_at(now) is not None:
        return ()
    rests_until = state.mailed_at + settings.every_ms if state.mailed_at else 0
    if rests_until > now:
        return rests_until
    if is_quiet(standing.profile, now):
        return _loud_again(standing.profile, now)
    is_there = bool(live(stores.sessions.of([user.user_id]).get(user.user_id, ()), now))
    found = list(_unread(standing, now, stores=stores, services=services))
    news = [one.created_at for each in found for one in each.entries if one.created_at > state.mailed_at]
    if not news:
        return ()
    ripe_at = now + max(settings.after_ms, MINUTE_MS) if is_there else min(news) + settings.after_ms
    return ripe_at if ripe_at > now else found


def _may_be_mailed(standing: MailStanding) -> bool:
    user, state = standing.user, standing.state
    has_address = user.email is not None and state.is_addressed and not state.is_stopped
    return has_address and not user.deactivated and standing.profile.mail != "off"


def _loud_again(profile: Profile, now: int) -> int:
    """When quiet hours are over, to a quarter of an hour."""
    times = range(now + _QUARTER_MS, now + DAY_MS + _QUARTER_MS, _QUARTER_MS)
    return next((at for at in times if not is_quiet(profile, at)), now + DAY_MS)


def _unread(standing: MailStanding, now: int, *, stores: PushStores, services: PushServices) -> Iterator[Unread]:
    """What the user would have been pushed of, and has not read, the latest conversation first."""
    wanted = [one for one in standing.members if not one.is_silent(now)]
    some = sorted(wanted, key=lambda one: -max(one.delivered_seq, one.joined_at))[:MAX_COUNTED]
    heads = {place: head.entry for place, head in heads_of(some, stores=stores, services=services).items()}
    behind = [
        one
        for one in some
        if unread(one, heads.get(one.conversation_id)) and is_in_inbox(one, heads.get(one.conversation_id))
    ]
    tails = services.parallel_map(lambda one: stores.log.read_back(one.conversation_id, limit=_TAIL), behind)
    found: list[Unread] = []
    for member, tail in zip(behind, tails, strict=True):
        entries = [entry for entry in tail if _wants(entry, member, standing, tail[0])]
        if entries:
            is_cut = len(tail) == _TAIL and tail[-1].number > seen_number(member, tail[0])
            found.append(Unread(member.conversation_id, entries, is_cut))
    yield from sorted(found, key=lambda one: -one.entries[0].created_at)


def _wants(entry: Entry, member: Member, standing: MailStanding, head: Entry) -> bool:
    user_id = standing.user.user_id
    if not (entry.is_message and entry.is_readable) or entry.sender_id == user_id:
        return False
    if entry.sender_id in standing.blocked or entry.number <= seen_number(member, head):
        return False
    if entry.seq <= member.joined_seq or entry.seq < member.visible_from:
        return False
    if is_channel_id(entry.conversation_id) and user_id not in entry.mentions:
        return False
    by_mention = "mentions" in {member.preferences.notify, standing.profile.mail}
    return not by_mention or is_mentioned(user_id, entry.mentions)
