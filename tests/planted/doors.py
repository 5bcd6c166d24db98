"""Mistakes where requests come in and answers go out, and in what the other lists don't have."""

from __future__ import annotations

from typing import Final

from tests.planted.mutation import Bug

_REST = "functions/rest/"

BUGS: Final = (
    # --- HTTP
    Bug(
        "a page of the inbox is as long as asked for",
        "functions/rest/conversations.py",
        "limit=min(limit, wiring.context.limits.page_limit),",
        "limit=limit,",
    ),
    Bug(
        "a message by HTTP loses its mentions",
        "shared/operations/messages.py",
        "mentions=tuple(composed.mentions),",
        "mentions=(),",
    ),
    Bug(
        "a message by HTTP loses what it replies to",
        "shared/operations/messages.py",
        "reply_to=composed.reply_to,",
        "reply_to=None,",
    ),
    Bug(
        "an edit by HTTP is told to none",
        "shared/operations/editing.py",
        '    own = matrix.is_everyones("edit_own")\n    changed = change(command.conversation_id, user_id=user_id, decide=decide, own=own, stores=stores, context=context)\n    announce(changed, connection=connection, stores=stores, services=services, context=context)\n',
        "    own = True\n    changed = change(command.conversation_id, user_id=user_id, decide=decide, own=own, stores=stores, context=context)\n    if connection:\n        announce(changed, connection=connection, stores=stores, services=services, context=context)\n",
    ),
    Bug(
        "taking a reaction off puts it on",
        "functions/rest/messages.py",
        "seq, emoji, remove=True, owner_id=user_id)",
        "seq, emoji, remove=False, owner_id=user_id)",
    ),
    Bug(
        "a role's change is told to none",
        "shared/operations/groups.py",
        "        return RolesChanged({user_id: role})\n\n    changed = change(command.conversation_id, user_id=by, decide=decide, stores=stores, context=context)\n    announce(changed, stores=stores, services=services, context=context)\n",
        "        return RolesChanged({user_id: role})\n\n    changed = change(command.conversation_id, user_id=by, decide=decide, stores=stores, context=context)\n",
    ),
    Bug(
        "any user sends notifications",
        "functions/rest/notifications.py",
        "if _SENDING not in wiring.caller(app).scopes:",
        "if not wiring.caller(app).user_id:",
    ),
    Bug(
        "an alias can't be taken away",
        _REST + "people.py",
        'rename = "alias" in body.model_fields_set\n',
        "rename = body.alias is not None\n",
    ),
    Bug(
        "a block is not told to those who watch",
        "functions/rest/people.py",
        "            _tell(tell_blocked, caller_id, user_id, wiring=wiring)\n",
        "            pass\n",
    ),
    Bug(
        "an ended contact is not told to those who watch",
        "functions/rest/people.py",
        "            _tell(tell_withdrawn, caller_id, [user_id], wiring=wiring)\n",
        "            pass\n",
    ),
    Bug(
        "what is written by HTTP is not counted",
        "functions/rest/wiring.py",
        "        self.limiter.take(identity.user_id)\n",
        "",
    ),
    Bug(
        "signing out keeps the device",
        "functions/rest/notifications.py",
        "        forget_device(wiring.caller(app).user_id, device_id, **wiring.parts)",
        "        wiring.caller(app)",
    ),
    # --- the look at who has gone
    Bug(
        "a look that failed counts as done",
        "functions/presence/handler.py",
        '            failures.append({"itemIdentifier": record["messageId"]})\n',
        "            continue\n",
    ),
    # --- on the wire
    Bug(
        "a page of the history says nothing of how far one's own messages have come",
        "shared/wire/rest/messages.py",
        'body["status"] = status\n    return body',
        "pass\n    return body",
    ),
    Bug("a forwarded message does not say so", "shared/wire/events.py", 'body["forwarded"] = True', "pass"),
    Bug(
        "a message that is too heavy goes out whole",
        "shared/wire/events.py",
        "return cut_message(whole, entry) if is_too_heavy(entry) else whole",
        "return whole",
    ),
    Bug(
        "reactions are not shown",
        "shared/wire/events.py",
        '        body["reactions"] = reactions_body(entry.reactions)',
        "        pass",
    ),
    # --- the inbox
    Bug(
        "a hidden conversation stays hidden when it is opened again",
        "shared/operations/conversations.py",
        "    if not is_new:\n        show(conversation_id, user_id=user_id, stores=stores, services=services, context=context)\n",
        "",
    ),
    Bug(
        "the inbox ends after its first page",
        "shared/operations/conversations.py",
        "    if len(remaining) > len(shown):\n        snapshot",
        "    if len(remaining) > len(shown) and position is not None:\n        snapshot",
    ),
    # --- groups
    Bug(
        "who takes groups from contacts only is added by anyone",
        "shared/operations/groups.py",
        "    others = addable(others, command.creator, stores)\n    first",
        "    first",
    ),
    Bug(
        "those who are added are not counted",
        "shared/limits/invites.py",
        "    if tokens <= 0:",
        "    if tokens <= self.limit.burst:",
    ),
    Bug(
        "a kept roster is good for a no",
        "shared/operations/audiences.py",
        "if kept is not None and all(user in kept for user in needed) and not",
        "if kept is not None and not",
    ),
    Bug(
        "a roster is kept under what comes later",
        "shared/operations/rosters.py",
        "        if seq < roster_seq:\n            return None\n",
        "        if audience is None:\n            return None\n",
    ),
    # --- who may see whom
    Bug(
        "who is accepted sees nobody until the next change",
        "shared/operations/visibility.py",
        "    if watching and seen_by(user_id, [other], stores=stores, services=services):\n",
        "    if not watching and seen_by(user_id, [other], stores=stores, services=services):\n",
    ),
    Bug(
        "a withdrawal is told though something else permits it",
        "shared/operations/visibility.py",
        "[one for one in watching if _other(one, user_id) not in visible]",
        "[one for one in watching if visible is not None]",
    ),
    Bug(
        "a block is told to strangers",
        "shared/operations/visibility.py",
        "    if watching and near_to(user_id, [other], stores=stores, services=services):",
        "    if watching:",
    ),
    # --- files and pushes
    Bug(
        "files without a quota",
        "shared/operations/files.py",
        "quota=limits.quota, due=",
        "quota=limits.quota * 10**6, due=",
    ),
    Bug(
        "a file is swept before its 30 days",
        "shared/operations/files.py",
        "not file.references and now < file.created_at + KEPT_UNSENT_MS",
        "not file.references and now > file.created_at + KEPT_UNSENT_MS",
    ),
    Bug(
        "answering is not reading",
        "shared/operations/push/planning.py",
        "return head is not None and seen_number(member, head) >= entry.number",
        "return head is not None and member.read_number >= entry.number",
    ),
    Bug(
        "a push goes to all devices where one is meant",
        "shared/operations/push/planning.py",
        "and job.device_id in {None, device.device_id}",
        "and job.device_id != device",
    ),
    # --- Events out
    Bug(
        "a webhook is posted to if any of its addresses is public",
        "functions/events_out/poster.py",
        "if not addresses or not all(map(is_loopback if is_near else is_public, addresses)):",
        "if not addresses or not any(map(is_loopback if is_near else is_public, addresses)):",
    ),
    Bug(
        "an event that is refused is passed over",
        "shared/operations/dispatching.py",
        "                told.declined = result\n                break\n",
        "                told.declined = result\n                continue\n",
    ),
    Bug(
        "a webhook's cursor is written for who lost it",
        "shared/adapters/dynamodb/webhooks.py",
        'values, condition="claim = :holder", returns="ALL_OLD")',
        'values, condition="claim = :holder OR claim <> :holder", returns="ALL_OLD")',
    ),
)
