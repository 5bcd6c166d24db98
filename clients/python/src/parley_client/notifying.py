"""Devices, notifications and reminders, over HTTP."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from parley_client.answers import listed
from parley_client.calls import Calls, conversation_path, path_of, present
from parley_client.core import Core
from parley_client.events import Notification
from parley_client.parsing import as_notifications
from parley_client.resources import (
    Device,
    Notified,
    Reminder,
    as_device,
    as_notified,
    as_reminder,
)
from parley_client.rest import NOTIFICATIONS
from parley_client.shell import Shell


class NotifyOperations(Calls):
    """What a server does with a token of its own, too. See `Calls` for what it raises, and when."""

    async def notify(
        self,
        users: Iterable[str],
        title: str,
        body: str = "",
        *,
        data: Mapping[str, str] | None = None,
        notification_id: str | None = None,
    ) -> Notified:
        """Tell 1 to 100 users something: for servers, whose token has the scope `notifications:send`.

        With an id of one's own it is safe to repeat; without, each call is another notification.
        """
        said = present(users=list(users), title=title, body=body, data=data, notification_id=notification_id)
        return as_notified(await self._call("POST", NOTIFICATIONS, body=said))


class NotificationOperations(NotifyOperations):
    """See `Calls` for what they raise, and when."""

    _core: Core
    _shell: Shell

    # --- devices

    async def register_device(
        self,
        device_id: str,
        *,
        platform: str,
        token: str | None = None,
        installation_id: str | None = None,
        environment: str | None = None,
        app_id: str | None = None,
        endpoint: str | None = None,
        keys: Mapping[str, str] | None = None,
    ) -> Device:
        """Send the user's pushes to this device, too. Safe to repeat, and good to: at each start of the app.

        `platform` is fcm (with a `token` or an `installation_id`), apns (with a `token`, the `app_id`, and the
        `environment`: production by default, or sandbox) or web (with the `endpoint` and the `keys` of a browser's
        subscription).
        """
        said = present(
            platform=platform,
            token=token,
            installation_id=installation_id,
            environment=environment,
            app_id=app_id,
            endpoint=endpoint,
            keys=None if keys is None else dict(keys),
        )
        return as_device(await self._call("PUT", path_of("devices", device_id), body=said))

    async def web_key(self) -> str | None:
        """With what a browser subscribes to pushes; None where this deployment sends none to browsers."""
        found = await self._find("/v1/push/web-key")
        return None if found is None else str(found.get("public_key") or "") or None

    async def devices(self) -> tuple[Device, ...]:
        """The own devices that pushes go to, the latest registered first."""
        return listed("devices", as_device, await self._call("GET", "/v1/devices"))

    async def forget_device(self, device_id: str) -> None:
        """No more pushes to this device: at signing out. Safe to repeat."""
        await self._call("DELETE", path_of("devices", device_id))

    # --- notifications

    async def notifications(self) -> tuple[Notification, ...]:
        """What the user was told and has not acknowledged: the oldest 100. `events()` has each of them, too."""
        return as_notifications(await self._call("GET", NOTIFICATIONS))

    async def acknowledge(self, notification_id: str) -> None:
        """The user was told: not again, on no device. Safe to repeat."""
        await self._call("DELETE", path_of("notifications", notification_id))
        self._core.acknowledged(notification_id, self._shell.now())
        self._shell.perform()

    # --- reminders

    async def remind(self, conversation_id: str, seq: int, at: int) -> Reminder:
        """Be told of a message again at `at` (ms): in the future, at most a year ahead. Safe to repeat."""
        path = conversation_path(conversation_id, "messages", str(seq), "reminders")
        return as_reminder(await self._call("POST", path, body={"at": at}))

    async def reminders(self) -> tuple[Reminder, ...]:
        """Those that wait, the next one first."""
        return listed("reminders", as_reminder, await self._call("GET", "/v1/reminders"))

    async def cancel_reminder(self, reminder_id: str) -> None:
        """Safe to repeat, and where there is none."""
        await self._call("DELETE", path_of("reminders", reminder_id))
