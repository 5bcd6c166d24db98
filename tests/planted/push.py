"""Mistakes about pushes, notifications, reminders, devices and files."""

from __future__ import annotations

from typing import Final

from tests.planted.mutation import Bug

BUGS: Final = (
    # --- who is pushed to
    Bug(
        "the sender is pushed to",
        "shared/operations/push/enqueueing.py",
        "return [user for user in dict.fromkeys(users) if user != entry.sender_id]",
        "return [*dict.fromkeys(users)]",
    ),
    Bug(
        "what is read already is pushed",
        "shared/operations/push/planning.py",
        "if member.has_got >= entry.seq or member.joined_seq >= entry.seq:",
        "if member.joined_seq >= entry.seq:",
    ),
    Bug(
        "a muted conversation is pushed",
        "shared/operations/push/planning.py",
        "    if preferences.is_muted(now):\n        return False\n",
        "",
    ),
    Bug(
        "a mute never ends",
        "shared/domain/members.py",
        "return self.muted_until is not None and self.muted_until > now",
        "return self.muted_until is not None",
    ),
    Bug(
        "mentions only: everything is pushed",
        "shared/operations/push/planning.py",
        "asked_for = preferences.notify == _ALL or (preferences.notify == _MENTIONS and means_user)",
        "asked_for = preferences.notify in {_ALL, _MENTIONS}",
    ),
    Bug(
        "quiet hours are not kept",
        "shared/operations/push/planning.py",
        "return asked_for and not is_quiet(push_context.profile, now)",
        "return asked_for",
    ),
    Bug(
        "who blocks the sender is pushed to",
        "shared/operations/push/planning.py",
        "or entry.sender_id == user_id or push_context.blocks_sender:",
        "or entry.sender_id == user_id:",
    ),
    Bug(
        "a deleted message is pushed",
        "shared/operations/push/planning.py",
        "if member is None or not entry.is_readable or",
        "if member is None or",
    ),
    Bug(
        "a removed member is pushed to",
        "shared/adapters/dynamodb/pushes.py",
        "        member=member_from(member) if member else None,",
        '        member=member_from(member or {"conversation_id": conversation_id, "user_id": user_id, "joined_at": 0}),',
    ),
    Bug(
        "content is pushed though its reader wants no previews",
        "shared/operations/push/wording.py",
        "content = entry.content if previews else None",
        "content = entry.content",
    ),
    Bug(
        "a push names the recipient as its sender",
        "shared/operations/push/wording.py",
        "args = [sender.display_name or entry.sender_id]",
        "args = [sender.display_name or entry.conversation_id]",
    ),
    Bug(
        "muted conversations are in the badge",
        "shared/operations/push/wording.py",
        "if not member.preferences.is_muted(now)]",
        "]",
    ),
    Bug(
        "the badge counts each conversation once",
        "shared/operations/push/wording.py",
        "return Badge(sum(numbers.values()), numbers)",
        "return Badge(sum(map(bool, numbers.values())), numbers)",
    ),
    # --- how
    Bug(
        "an older message takes a newer one's claim",
        "shared/adapters/dynamodb/pushes.py",
        'condition = f"(attribute_not_exists({PK}) OR claim < :claim)"',
        'condition = f"(attribute_not_exists({PK}) OR claim <> :claim)"',
    ),
    Bug(
        "a try after the first is claimed by all",
        "shared/adapters/dynamodb/pushes.py",
        'condition, values[":last"] = "claim = :last", wanted - 1',
        'condition, values[":last"] = "claim >= :last", wanted - 1',
    ),
    Bug(
        "a provider that is busy is not tried again",
        "shared/operations/push/sending.py",
        "        case Busy():\n            _try_later(planned, result, batch)\n",
        "        case Busy():\n            return\n",
    ),
    Bug(
        "an unregistered device is kept",
        "shared/operations/push/sending.py",
        "            if since is None or device.registered_at <= since:\n                batch.stores.devices.forget_unchanged(planned.job.user_id, device)\n",
        "            return\n",
    ),
    Bug(
        "who registered again after the provider's answer is forgotten",
        "shared/operations/push/sending.py",
        "if since is None or device.registered_at <= since:",
        "if since is None or device.registered_at:",
    ),
    Bug(
        "a job of an hour ago is pushed",
        "shared/operations/push/sending.py",
        "in_time = [job for job in jobs if now - job.since <= MAX_AGE_MS]",
        "in_time = list(jobs)",
    ),
    Bug(
        "nobody is looked at again",
        "shared/operations/push/checks.py",
        "        services.delivery_checks.put(checks, delay_s=delay_s)\n",
        "        list(checks)\n",
    ),
    Bug(
        "who has got it is told again",
        "shared/operations/push/checks.py",
        "if member.has_got < entry.seq and seen_number",
        "if seen_number",
    ),
    Bug(
        "what was deleted meanwhile is posted again",
        "shared/operations/push/checks.py",
        "if not entry.is_readable or (",
        "if not entry.is_message or (",
    ),
    Bug(
        "a check covers nothing but its own message",
        "shared/operations/push/checks.py",
        "        if look.until is None and got[look] >= about.seq\n",
        "        if look.until and got[look] >= about.seq\n",
    ),
    Bug(
        "what is too young for a check is never checked",
        "shared/operations/push/checks.py",
        "    return Due(old, *_further(young, look.quiet, now, delay_s * SECOND_MS))",
        "    return Due(old)",
    ),
    Bug(
        "a check that waits covers what comes after it",
        "shared/operations/push/checks.py",
        "queued_at <= now < until",
        "queued_at <= now",
    ),
    Bug(
        "a delivery check pushes and does not post",
        "shared/operations/push/enqueueing.py",
        'delivered = broadcast(event, to=users, skip="", stores=stores, services=services, now=context.now())',
        'delivered = broadcast(event, to=(), skip="", stores=stores, services=services, now=context.now())',
    ),
    Bug(
        "a batch with one bad job pushes nothing",
        "functions/offline_push/handler.py",
        "        if len(jobs) > 1:\n            return [failed for message_id, job in jobs.items() for failed in _push({message_id: job}, wiring)]\n",
        "",
    ),
    Bug(
        "a bad message of a queue counts as done",
        "functions/offline_push/handler.py",
        "            failed.append(message_id)\n",
        "            continue\n",
    ),
    # --- devices
    Bug(
        "a device's target stays with who had it before",
        "shared/adapters/dynamodb/devices.py",
        "            if owner is not None and owner[0] != user_id:\n"
        "                parts += self._taken_from(owner, device.target)\n",
        "",
    ),
    Bug(
        "the newest device goes at the limit",
        "shared/adapters/dynamodb/devices.py",
        "oldest_first = sorted(others.values(), key=lambda one: one.registered_at)",
        "oldest_first = sorted(others.values(), key=lambda one: -one.registered_at)",
    ),
    Bug(
        "a device more than the limit",
        "shared/adapters/dynamodb/devices.py",
        "oldest_first[: max(len(others) + 1 - limit, 0)]",
        "oldest_first[: max(len(others) - limit, 0)]",
    ),
    Bug(
        "two changes of a user's devices: the later wins",
        "shared/adapters/dynamodb/devices.py",
        'unchanged, values = f"#{_VERSION} = :version",',
        'unchanged, values = f"#{_VERSION} <= :version OR #{_VERSION} > :version",',
    ),
    # --- notifications and reminders
    Bug(
        "a notification that was acknowledged comes back with its repetition",
        "shared/adapters/dynamodb/model_stores.py",
        "(rows.expires_at <= one.created_at)",
        "(rows.expires_at != one.created_at)",
    ),
    Bug(
        "what was acknowledged is listed",
        "shared/adapters/dynamodb/model_stores.py",
        "if not row.acknowledged and row.expires_at > now]",
        "if row.expires_at > now]",
    ),
    Bug(
        "expired notifications are listed",
        "shared/adapters/dynamodb/model_stores.py",
        "if not row.acknowledged and row.expires_at > now]",
        "if not row.acknowledged]",
    ),
    Bug(
        "a cancelled reminder comes all the same",
        "shared/operations/reminders.py",
        "    services.scheduler.cancel(reminder_id)\n    stores.reminders.remove(user_id, reminder_id)",
        "    return",
    ),
    Bug(
        "a reminder that came stays in the list",
        "shared/operations/reminders.py",
        "    stores.reminders.remove(due.user_id, due.reminder_id)\n",
        "",
    ),
    Bug(
        "a removed member is reminded",
        "shared/operations/reminders.py",
        "return found.member is not None and entry is not None and entry.is_readable",
        "return entry is not None and entry.is_readable",
    ),
    Bug(
        "a reminder in the past is taken",
        "shared/operations/reminders.py",
        "if not now < at <= now + MAX_AHEAD_MS:",
        "if not 0 < at <= now + MAX_AHEAD_MS:",
    ),
    Bug(
        "reminders without end",
        "shared/operations/reminders.py",
        "        if len(waiting) >= limit:\n            raise Conflict",
        "        if len(waiting) < 0:\n            raise Conflict",
    ),
    # --- files
    Bug(
        "a file that is not ready can be sent",
        "shared/domain/rules.py",
        "if file is None or file.status != READY or file.owner_id != draft.sender_id:",
        "if file is None or file.owner_id != draft.sender_id:",
    ),
    Bug(
        "another user's file can be sent",
        "shared/domain/rules.py",
        "file.status != READY or file.owner_id != draft.sender_id:",
        "file.status != READY:",
    ),
    Bug(
        "a file goes with the first deleted message that has it",
        "shared/adapters/dynamodb/files.py",
        "#{STATUS} = :ready AND #{REFERENCES} <= :none",
        "#{STATUS} = :ready AND #{REFERENCES} <> :none OR #{REFERENCES} = :none",
    ),
    Bug(
        "a deleted message's file stays",
        "functions/files/handler.py",
        'if item["kind"] == "message_deleted" and "file_id" in item:',
        'if item["kind"] == "message" and "file_id" in item:',
    ),
    Bug(
        "a file is seen by those who share no conversation with it",
        "shared/operations/files.py",
        "not (file.owner_id == user_id or _has_it(user_id, file, stores)):",
        "not (file.owner_id == user_id or file.status == READY):",
    ),
    Bug(
        "a rejected file's bytes are kept",
        "shared/operations/files.py",
        "    if file is None or file.status != READY:\n        objects.delete(file_id)\n",
        "",
    ),
    Bug(
        "a file of another size than announced is taken",
        "shared/operations/files.py",
        "    if stored.size != file.size:\n        return Checked(WRONG_SIZE)\n",
        "",
    ),
    Bug(
        "a settled file is settled again",
        "shared/adapters/dynamodb/files.py",
        "whole, values, condition=is_pending)",
        'whole, values, condition=f"{is_pending} OR #{STATUS} <> :pending")',
    ),
    # --- the providers, and the queues before them
    Bug(
        "APNs' word for since when a token is none is passed over",
        "functions/offline_push/apns/gateway.py",
        "since=since if type(since) is int else None,",
        "since=None,",
    ),
    Bug(
        "a token that FCM can't read is kept",
        "functions/offline_push/fcm/gateway.py",
        "    if is_about_target:\n        return providers.result(Unregistered, code)\n",
        "",
    ),
    Bug(
        "a push to a browser goes wherever its registration says",
        "functions/offline_push/web/gateway.py",
        "        if not is_push_service(endpoint, self._local):  # stored when others were known\n"
        '            return Unregistered("UnknownPushService")\n',
        "",
    ),
    Bug(
        "what a queue did not take is forgotten",
        "shared/adapters/aws/sqs.py",
        '            if failed := answer.get("Failed"):\n'
        '                raise Unavailable from undone("sqs:SendMessageBatch", str(failed[0].get("Code")))\n',
        "",
    ),
)
