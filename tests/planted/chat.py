"""Mistakes in the chat's core and in how it is stored."""

from __future__ import annotations

from typing import Final

from tests.planted.mutation import Bug

BUGS: Final = (
    # --- sending
    Bug(
        "a resend's mentions are not compared",
        "shared/domain/entries.py",
        "parts = (said, kind, str(self.reply_to), *mentions)",
        "parts = (said, kind, str(self.reply_to))",
    ),
    Bug(
        "who is mentioned twice is stored twice",
        "shared/domain/entries.py",
        "            mentions=self._mentioned,",
        "            mentions=self.mentions,",
    ),
    Bug(
        "a resend's reply_to is not compared",
        "shared/domain/entries.py",
        "parts = (said, kind, str(self.reply_to), *mentions)",
        "parts = (said, kind, *mentions)",
    ),
    Bug(
        "a resend's content is not compared",
        "shared/domain/entries.py",
        "parts = (said, kind, str(self.reply_to), *mentions)",
        "parts = (kind, str(self.reply_to), *mentions)",
    ),
    Bug(
        "a resend's file is not compared",
        "shared/domain/entries.py",
        "with_file = parts if file_id is None else",
        "with_file = parts if True else",
    ),
    Bug(
        "another sender's message of the same id is taken for one's own",
        "shared/domain/entries.py",
        "if entry.sender_id != self.sender_id or not entry.is_message:",
        "if not entry.is_message:",
    ),
    Bug(
        "a message of the same id with other content is acknowledged as a duplicate",
        "shared/domain/rules.py",
        "if stored.digest and not draft.says(stored.digest):",
        "if False and not draft.says(stored.digest):",
    ),
    Bug(
        "an id without `after` leaves no note",
        "shared/operations/messages.py",
        "once=command.after is None and draft.client_message_id is not None,",
        "once=False,",
    ),
    Bug(
        "a note is taken for the place's entry",
        "shared/adapters/dynamodb/conversation_log.py",
        'if once and "Item" in reasons[1]:',
        'if once and "Item" in reasons[1] and False:',
    ),
    Bug(
        "a resend that can't be sent any more is looked for in one page only",
        "shared/operations/resends.py",
        '                return recognise(replace(draft, nonce=""), entry, Audience({}))\n        start = page[-1].seq + 1\n',
        '                return recognise(replace(draft, nonce=""), entry, Audience({}))\n        return None\n',
    ),
    Bug(
        "a message to a member who blocks its sender is stored",
        "shared/operations/messages.py",
        "        if found.blocked:\n            raise Blocked\n        ready",
        "        ready",
    ),
    Bug(
        "mentions of outsiders are taken",
        "shared/domain/rules.py",
        "if not all(user_id in audience for user_id in mentions):",
        "if not all(mentions):",
    ),
    Bug(
        "a reply to what is no message is taken",
        "shared/domain/rules.py",
        'if entry is None or not entry.is_message:\n        raise NotFound("There is no message to reply to at this seq")',
        'if False:\n        raise NotFound("There is no message to reply to at this seq")',
    ),
    Bug(
        "a forward of what its sender can't read is taken",
        "shared/operations/messages.py",
        "    if member_id is not None and found.member is None:\n        raise NotAMember\n    original",
        "    original",
    ),
    Bug(
        "a deleted message can be forwarded",
        "shared/operations/messages.py",
        "original = rules.check_readable(found.entries.get(seq))",
        "original = found.entries[seq]",
    ),
    Bug(
        "who was removed on the way is not refused",
        "shared/operations/messages.py",
        "        if draft.sender_id not in self.audience:\n            raise NotAMember\n",
        "",
    ),
    Bug(
        "a duplicate counts as new",
        "shared/operations/resends.py",
        "return Appended(stored, duplicate=True, audience=audience)",
        "return Appended(stored, duplicate=False, audience=audience)",
    ),
    Bug(
        "a duplicate is not delivered again",
        "shared/operations/messages.py",
        "to, skip = () if entry.fan_out else stored.audience.members,",
        "to, skip = () if entry.fan_out or stored.duplicate else stored.audience.members,",
    ),
    Bug(
        "the sender's own connection gets the event, too",
        "shared/operations/delivery.py",
        "        if connection.connection_id != skip\n",
        "",
    ),
    Bug(
        "the sender's other devices get no event",
        "shared/operations/delivery.py",
        "        if connection.connection_id != skip\n",
        "        if not skip or connection.user_id not in {one.user_id for found in known.values() for one in found\n"
        "        if one.connection_id == skip}\n",
    ),
    Bug(
        "expired connections are posted to",
        "shared/operations/delivery.py",
        "for connection in live(of_user, now)",
        "for connection in of_user",
    ),
    Bug(
        "a dead connection is never forgotten",
        "shared/operations/delivery.py",
        "dead = [targets[posted.connection_id] for posted in outcomes if posted.outcome is PostOutcome.GONE]",
        "dead = [targets[posted.connection_id] for posted in outcomes if posted.outcome is None]",
    ),
    Bug(
        "a connection that is still connecting is forgotten on a 410",
        "shared/operations/delivery.py",
        "forgotten = tuple(one for one in dead if not one.may_be_connecting(now))",
        "forgotten = tuple(dead)",
    ),
    # --- numbers
    Bug(
        "an entry's number counts changes as messages",
        "shared/domain/entries.py",
        "number=base.number if base else 0,",
        "number=base.number + 1 if base else 0,",
    ),
    Bug(
        "own messages are unread",
        "shared/domain/members.py",
        "return max(member.read_number, own)",
        "return max(member.read_number, own and 0)",
    ),
    Bug(
        "who is displaced from an entry's writers is forgotten",
        "shared/domain/members.py",
        "own = max(head.authors.get(author_key(member.user_id), 0), member.wrote_number)",
        "own = head.authors.get(author_key(member.user_id), 0)",
    ),
    Bug(
        "unread is never reset by reading",
        "shared/domain/members.py",
        "return replace(self, read_seq=seq, read_number=number, delivered_seq=max(seq, self.delivered_seq))",
        "return replace(self, read_seq=seq, delivered_seq=max(seq, self.delivered_seq))",
    ),
    Bug(
        "the last message is the last entry",
        "shared/domain/entries.py",
        "message_seq=base.message_seq if base else 0,",
        "message_seq=base.seq if base else 0,",
    ),
    # --- changes
    Bug(
        "others' messages can be edited",
        "shared/domain/rules.py",
        "    if entry.sender_id != user_id:\n        raise Forbidden",
        "    if not user_id:\n        raise Forbidden",
    ),
    Bug(
        "old messages can be edited",
        "shared/domain/rules.py",
        "if window_s and now - entry.created_at > window_s * SECOND_MS:",
        "if window_s and now < entry.created_at:",
    ),
    Bug(
        "members can delete others' messages",
        "shared/domain/rules.py",
        'audience.roles[user_id] in {OWNER, ADMIN}):\n        return\n    raise Forbidden("Only its author',
        'user_id in audience):\n        return\n    raise Forbidden("Only its author',
    ),
    Bug(
        "the content of an edit stays in its entry when a later one replaces it",
        "shared/operations/editing.py",
        "return Edited(command.seq, content, message.last_edit)",
        "return Edited(command.seq, content, None)",
    ),
    Bug(
        "a deletion leaves the last edit's content in its entry",
        "shared/operations/editing.py",
        "return Deleted(seq, message.last_edit, message.file_id)",
        "return Deleted(seq, None, message.file_id)",
    ),
    Bug(
        "a deletion leaves its reactions",
        "shared/adapters/dynamodb/effects.py",
        'gone = "#content, mentions, reply_to, file_id, forwarded, reactions, digest, edited_at, last_edit"',
        'gone = "#content, mentions, reply_to, file_id, forwarded, digest, edited_at, last_edit"',
    ),
    Bug(
        "a deletion leaves the content",
        "shared/adapters/dynamodb/effects.py",
        'gone = "#content, mentions, reply_to, file_id, forwarded, reactions, digest, edited_at, last_edit"',
        'gone = "mentions, reply_to, file_id, forwarded, reactions, digest, edited_at, last_edit"',
    ),
    Bug(
        "an edit's time is not noted",
        "shared/adapters/dynamodb/effects.py",
        '"SET #content = :content, edited_at = :at, last_edit = :seq"',
        '"SET #content = :content, last_edit = :seq"',
    ),
    Bug(
        "a repeated reaction is another entry",
        "shared/operations/editing.py",
        "message.reactions) != remove:\n            return None",
        "message.reactions) != remove and remove:\n            return None",
    ),
    Bug(
        "a reaction that is taken off stays at the message",
        "shared/adapters/dynamodb/effects.py",
        'verb = "DELETE" if change.removed else "ADD"',
        'verb = "ADD"',
    ),
    Bug(
        "a blocked user can react",
        "shared/operations/editing.py",
        "    if found.blocked:\n        raise Blocked\n    return",
        "    return",
    ),
    Bug(
        "a change that met another one counts as done",
        "shared/operations/changes.py",
        "if there is None or there.nonce == nonce:",
        "if there is None or there.nonce:",
    ),
    # --- groups
    Bug(
        "plain members can remove others",
        "shared/domain/rules.py",
        "if user_id == by or mine == OWNER or (mine == ADMIN and theirs not in {OWNER, ADMIN}):",
        "if user_id == by or mine:",
    ),
    Bug(
        "admins can remove owners",
        "shared/domain/rules.py",
        "(mine == ADMIN and theirs not in {OWNER, ADMIN})",
        "(mine == ADMIN)",
    ),
    Bug(
        "a group can lose its last owner",
        "shared/domain/rules.py",
        "if roles and OWNER not in roles.values():",
        "if roles and not roles.values():",
    ),
    Bug(
        "plain members can rename and add",
        "shared/domain/rules.py",
        "if audience.roles[user_id] not in {OWNER, ADMIN}:",
        "if user_id not in audience:",
    ),
    Bug(
        "admins can give roles",
        "shared/operations/groups.py",
        "if audience.roles[by] != OWNER:",
        "if audience.roles[by] == MEMBER:",
    ),
    Bug(
        "a role change brings a removed member back",
        "shared/domain/rules.py",
        "roles.update({user: role for user, role in changed.items() if user in roles})",
        "roles.update(changed)",
    ),
    Bug(
        "who is removed by an entry stays in the audience",
        "shared/domain/rules.py",
        "roles = {user: role for user, role in roles.items() if user not in users}",
        "pass",
    ),
    Bug(
        "a group takes more members than it may",
        "shared/domain/rules.py",
        "    if size > limit:\n        raise Conflict",
        "    if size < 0:\n        raise Conflict",
    ),
    Bug(
        "the removed are not told",
        "shared/operations/changes.py",
        "dict.fromkeys([*members, *removed])",
        "dict.fromkeys(members)",
    ),
    Bug(
        "a removed member's own row stays",
        "shared/adapters/dynamodb/effects.py",
        '        deletes = [{"Delete": table.deleted(key)} for _, key in keys]',
        '        deletes = [{"Delete": table.deleted(key)} for _, key in keys[::2]]',
    ),
    Bug(
        "a new member has everything unread",
        "shared/adapters/dynamodb/effects.py",
        '        "read_number": entry.number,',
        '        "read_number": 0,',
    ),
    Bug(
        "a group's size is not kept",
        "shared/adapters/dynamodb/effects.py",
        'return _update(table, schema.group_key(entry.conversation_id), "SET #size = :size", {":size": size})',
        'return _update(table, schema.group_key(entry.conversation_id), "SET #size = :size", {":size": size - 1})',
    ),
    # --- reading
    Bug(
        "sync starts one entry too late",
        "shared/operations/sync.py",
        "entries = [entry for entry in found if entry.seq > seq]",
        "entries = [entry for entry in found if entry.seq > seq + 1]",
    ),
    Bug(
        "history forgets that there is more",
        "shared/operations/history.py",
        "return found[:limit], True",
        "return found[:limit], False",
    ),
    Bug(
        "history upwards begins at the entry itself",
        "shared/operations/history.py",
        "start=(at or 0) + 1, limit=size)",
        "start=at or 1, limit=size)",
    ),
    Bug(
        "everyone has read what one has",
        "shared/operations/history.py",
        "if others and all(member.read_seq >= entry.seq for member in others):",
        "if others and any(member.read_seq >= entry.seq for member in others):",
    ),
    Bug(
        "outsiders read history",
        "shared/operations/history.py",
        "    if user_id not in members:\n        raise NotAMember\n    found",
        "    found",
    ),
    Bug(
        "a cursor goes beyond the head",
        "shared/operations/receipts.py",
        "    if seq not in found.entries:\n        raise BadRequest",
        "    if not found.entries and not seq:\n        raise BadRequest",
    ),
    Bug(
        "a cursor that did not move is told",
        "shared/operations/receipts.py",
        "    if seq <= stands:\n        return stands\n",
        "",
    ),
    Bug(
        "typing is shown to those who block the user",
        "shared/operations/typing_indicators.py",
        "for user, connections in there.items() if user not in deaf for connection in connections]",
        "for user, connections in there.items() for connection in connections]",
    ),
    Bug(
        "ping never says that a client is behind",
        "shared/operations/sync.py",
        "return bool(found.entries)",
        "return bool(found.entries) and not found.entries",
    ),
    # --- large groups
    Bug(
        "a shard has a member less",
        "shared/domain/fan_out.py",
        "return [Shard(conversation_id, seq, tuple(portion), queued_at, quiet=quiet) for portion in portions]",
        "return [Shard(conversation_id, seq, tuple(portion[:-1]), queued_at, quiet=quiet) for portion in portions]",
    ),
    Bug(
        "who connects after they were listed is no attendee",
        "shared/operations/sessions.py",
        "if result.large_groups:",
        "if not result.large_groups:",
    ),
    Bug(
        "a member is listed without the rows of their connections",
        "shared/operations/attendance.py",
        "stores.attendance.enter(connection, [conversation_id])",
        "stores.attendance.enter(connection, [])",
    ),
    Bug(
        "who was removed from a large group is posted to by the row",
        "shared/operations/push/quiet_groups.py",
        "there = [one for one in live(rows, now) if one.user_id in listed]",
        "there = live(rows, now)",
    ),
    Bug(
        "a roster is kept in which members are not listed yet",
        "shared/operations/audiences.py",
        "and not (listed and kept.unlisted):",
        "and not (listed and not kept):",
    ),
    Bug(
        "a quiet group's mentions wait for the digest",
        "shared/operations/push/enqueueing.py",
        "_about(one): [user for user in users if one not in quiet or user in one.mentions]",
        "_about(one): [user for user in users if one not in quiet]",
    ),
    Bug(
        "each message of a quiet group has a digest of its own",
        "shared/adapters/dynamodb/pushes.py",
        'is_free = f"attribute_not_exists({PK}) OR #until <= :now OR seq = :seq"',
        'is_free = f"attribute_not_exists({PK}) OR #until > :now OR seq <= :seq"',
    ),
    Bug(
        "a digest leaves out who is there and has not got it",
        "shared/operations/push/quiet_groups.py",
        "have = {user for user, member in standing.items() if member.has_got >= entry.seq}",
        "have = set(standing)",
    ),
    Bug(
        "a large group's change is posted by nobody",
        "shared/operations/changes.py",
        "fan_out=narrow or len(audience) > context.limits.inline_limit,",
        "fan_out=len(audience) > 1,",
    ),
)
