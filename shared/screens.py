"""How a function that stores messages gets the screen that they go through. Loaded only where there is one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from shared.adapters.dynamodb.client import Calls
from shared.adapters.dynamodb.screening import DynamoDbHeld, DynamoDbShadowBans, DynamoDbVerdicts, DynamoDbWordLists
from shared.clock import now_ms
from shared.config import AwsEnvironment, ScreenSettings
from shared.operations.context import Context
from shared.operations.screening import Asking, Screen, shadows_of, words_of
from shared.ports.screening import Hook
from shared.ports.services import Observer

_OPEN = "open"


def screened(
    context: Context,
    settings: ScreenSettings,
    environment: AwsEnvironment,
    *,
    calls: Calls,
    members_table: str,
    observer: Observer,
) -> Context:
    """The context with the screen that the settings ask for."""
    asking = None
    if settings.message_hook:
        asking = Asking(
            _hook(settings, environment),
            settings.message_hook_ms,
            settings.message_hook_fails == _OPEN,
            DynamoDbVerdicts(calls, members_table=members_table),
        )
    lists = DynamoDbWordLists(calls, members_table=members_table)
    bans = DynamoDbShadowBans(calls, members_table=members_table)
    screen = Screen(
        held=DynamoDbHeld(calls, members_table=members_table),
        now=context.now,
        wait_ms=context.wait_ms,
        new_nonce=context.new_nonce,
        observer=observer,
        bounds=context.limits.bounds,
        words=words_of(lists, context.now) if settings.word_lists == "on" else None,
        asking=asking,
        shadows=shadows_of(bans, context.now) if settings.shadow_bans == "on" else None,
    )
    return replace(context, screen=screen)


def _hook(settings: ScreenSettings, environment: AwsEnvironment) -> Hook:
    # Lists of words alone need neither.
    from shared.adapters.aws.hook import HttpsHook, LambdaHook  # noqa: PLC0415
    from shared.adapters.aws.secrets_manager import CachedSecret, secrets_manager  # noqa: PLC0415

    if settings.message_hook.startswith("arn:"):
        return LambdaHook(settings.message_hook, environment, deadline_ms=settings.message_hook_ms)
    secret: Callable[[], str] = CachedSecret(secrets_manager(environment), settings.message_hook_secret_arn, now=now_ms)
    return HttpsHook(settings.message_hook, secret=secret, now=now_ms, deadline_ms=settings.message_hook_ms)
