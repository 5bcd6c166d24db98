"""Mistakes about connections, presence, contacts, tokens and limits."""

from __future__ import annotations

from typing import Final

from tests.planted.mutation import Bug

BUGS: Final = (
    # --- sessions
    Bug(
        "the youngest connection is evicted",
        "shared/operations/sessions.py",
        "living = sorted(live(current, now), key=lambda connection: connection.connected_at)",
        "living = sorted(live(current, now), key=lambda connection: -connection.connected_at)",
    ),
    Bug(
        "an evicted connection stays open",
        "shared/operations/sessions.py",
        "                services.gateway.close(old.connection_id)\n",
        "",
    ),
    Bug(
        "an evicted connection is not told why",
        "shared/operations/sessions.py",
        "                services.gateway.post([old.connection_id], services.encode(EVICTED))\n",
        "",
    ),
    Bug(
        "one connection more than the limit",
        "shared/adapters/dynamodb/sessions.py",
        '":limit": limit + len(drop)',
        '":limit": limit + len(drop) + 1',
    ),
    Bug(
        "a ping does not keep a connection alive",
        "shared/domain/connections.py",
        "return replace(self, expires_at=min(now + HEARTBEAT_WINDOW_MS, self.expires_at), heard_at=now)",
        "return replace(self, expires_at=min(now, self.expires_at), heard_at=now)",
    ),
    Bug(
        "a connection outlives its token",
        "shared/domain/connections.py",
        "expires_at = min(connected_at + MAX_LIFETIME_MS, identity.expires_at)",
        "expires_at = connected_at + MAX_LIFETIME_MS",
    ),
    Bug(
        "a connection that a 410 took away is not registered again",
        "shared/domain/connections.py",
        "        if stored is None:\n            return self\n",
        "        if stored is None:\n            return None if known else self\n",
    ),
    Bug(
        "closing all leaves the last one open",
        "shared/operations/sessions.py",
        "    for connection in connections:\n        services.gateway.close(connection.connection_id)",
        "    for connection in connections[:-1]:\n        services.gateway.close(connection.connection_id)",
    ),
    # --- tokens and tickets
    Bug(
        "a fresh token for good: its end is no longer looked at",
        "functions/message/handler.py",
        "if max(known, caller.identity.expires_at) <= now and not renewing:",
        "if max(known and now + 1, caller.identity.expires_at) <= now and not renewing:",
    ),
    Bug(
        "the end of a token is looked at at the handshake only",
        "shared/wire/websocket/gateway.py",
        'user_id, expires_at = context["user_id"], int(context["expires_at"])',
        'user_id, expires_at = context["user_id"], int(context["expires_at"]) + 10**12',
    ),
    Bug(
        "an ended token opens a connection",
        "shared/auth/tokens.py",
        "if expires_at <= now:\n            raise TokenExpired",
        "if expires_at <= 0:\n            raise TokenExpired",
    ),
    Bug(
        "another user's token is taken by `auth`",
        "shared/operations/connections.py",
        "    if fresh.user_id != connection.user_id:\n        raise Forbidden",
        "    if not fresh.user_id:\n        raise Forbidden",
    ),
    Bug(
        "a ticket works twice",
        "shared/adapters/dynamodb/sessions.py",
        'answer = conditionally(self._calls, "DeleteItem", {**request, "ReturnValues": "ALL_OLD"})',
        'asked = {"TableName": request["TableName"], "Key": request["Key"], "ConsistentRead": True}\n'
        '        got = self._calls.call("GetItem", asked)\n'
        '        answer = {"Attributes": got["Item"]} if "Item" in got else Refused(None)',
    ),
    Bug(
        "an old ticket works",
        "shared/operations/tickets.py",
        "if ticket is None or ticket.expires_at <= now:",
        "if ticket is None:",
    ),
    Bug(
        "a ticket's connection outlives its token",
        "shared/operations/tickets.py",
        "return Identity(ticket.user_id, ticket.token_expires_at, scopes, ticket.token_issued_at)",
        "return Identity(ticket.user_id, now + 7_200_000, scopes, ticket.token_issued_at)",
    ),
    # --- presence
    Bug(
        "strangers see presence",
        "shared/operations/presence.py",
        "    if not mine:\n        return near\n",
        "    if not mine or strangers:\n        return near | set(strangers)\n",
    ),
    Bug(
        "who hides is seen",
        "shared/domain/connections.py",
        "        if self.hidden:\n            return Presence(user_id, OFFLINE)\n",
        "",
    ),
    Bug(
        "offline is told while another connection is open",
        "shared/operations/presence.py",
        "if session.is_online(at) or not (again or session.shown == ONLINE):\n        return False",
        "if not (again or session.shown == ONLINE):\n        return False",
    ),
    Bug(
        "who comes back in between stays offline",
        "shared/operations/presence.py",
        "        if session.is_online(at) or session.shown == ONLINE:\n            return False",
        "        if session.is_online(at) and not session.shown:\n            return False",
    ),
    Bug(
        "a presence check that comes again tells nothing",
        "functions/presence/handler.py",
        "check_offline(gone, again=again,",
        "check_offline(gone, again=False,",
    ),
    Bug(
        "hiding is told before it is noted",
        "shared/operations/presence.py",
        "        if not session.hidden and not sessions.hide(user_id, session, hidden=True, shown=shown):\n",
        "        announce_presence(unseen, stores=stores, services=services, now=now())\n"
        "        if not session.hidden:\n"
        "            if sessions.hide(user_id, session, hidden=True, shown=OFFLINE):\n"
        "                return\n",
    ),
    Bug(
        "online is announced by nobody",
        "functions/connect/handler.py",
        "    if opened.announce:\n",
        "    if opened.announce and opened.evicted:\n",
    ),
    Bug(
        "offline is never looked at",
        "functions/disconnect/handler.py",
        "            checks.schedule(Gone(caller.user_id, now))\n",
        "            pass\n",
    ),
    Bug(
        "what a connection watched before is watched on",
        "shared/adapters/dynamodb/watches.py",
        "for user in sorted((listed | written) - wanted)]",
        "for user in sorted((listed | written) - wanted) if not user]",
    ),
    Bug(
        "blocks do not hide presence",
        "shared/adapters/dynamodb/relations.py",
        "is_blocked=key_pair(my_block) in found or key_pair(their_block) in found,",
        "is_blocked=False,",
    ),
    Bug(
        "a block hides one of the two only",
        "shared/adapters/dynamodb/relations.py",
        "is_blocked=key_pair(my_block) in found or key_pair(their_block) in found,",
        "is_blocked=key_pair(my_block) in found,",
    ),
    # --- contacts
    Bug(
        "a request is a contact at once",
        "shared/operations/contacts.py",
        "        return Contact(other, REQUESTED, now), Contact(user_id, INCOMING, now)",
        "        return Contact(other, ACCEPTED, now), Contact(user_id, ACCEPTED, now)",
    ),
    Bug(
        "a request to somebody who blocks reaches them",
        "shared/operations/contacts.py",
        "reaches = has_room and not pair.blocks_me",
        "reaches = has_room",
    ),
    Bug(
        "one's own request can be accepted",
        "shared/operations/contacts.py",
        'if accept and mine.status == REQUESTED:\n            raise Conflict("This request waits for the other user")',
        "if accept and mine.status == REQUESTED:\n            return (replace(mine, status=ACCEPTED), pair.theirs)",
    ),
    Bug(
        "an ended contact stays on the other side",
        "shared/operations/contacts.py",
        "        return None, None\n\n    _change",
        "        return None, pair.theirs\n\n    _change",
    ),
    Bug(
        "a rename undoes what the other side did meanwhile",
        "shared/adapters/dynamodb/model_stores.py",
        "return transact(self._calls, [*parts, *noted(notes, self._log)])",
        'return transact(self._calls, [{kind: {name: value for name, value in part.items() if "Condition" not in name'
        ' and "Attribute" not in name} for kind, part in one.items()} for one in parts])',
    ),
    # --- limits
    Bug(
        "messages are counted by nobody",
        "functions/message/handler.py",
        "            if kind in _COUNTED:\n                self.limiters.messages.take(caller.user_id)\n",
        "",
    ),
    Bug("a flood of frames is let through", "shared/limits/limiters.py", "        bucket.tokens -= 1\n", ""),
    Bug(
        "the shared bucket is always full",
        "shared/adapters/dynamodb/buckets.py",
        '":latest": now + round(limit.burst * limit.interval_ms) - cost}',
        '":latest": now + 10**12}',
    ),
    Bug(
        "a connection that floods is kept",
        "shared/limits/limiters.py",
        "return len(times) == self.limit and now - times[0] <= _MINUTE_MS",
        "return len(times) > self.limit and now - times[0] <= _MINUTE_MS",
    ),
)
