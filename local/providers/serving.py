"""The providers' servers together, in a thread of their own: for the laptop stack's process and for tests."""

from __future__ import annotations

import asyncio
import functools
import ssl
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import astuple
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from local.providers import key_making
from local.providers.apns import Apns, KnownToken, KnownTokens
from local.providers.behaviours import Behaviour, Behaviours
from local.providers.exchange import Exchange, Reply, Request, Silence
from local.providers.fcm import Fcm
from local.providers.inspection import Inspection
from local.providers.keys import Keys
from local.providers.listening import HTTP2, Listener
from local.providers.oauth import OAuth
from local.providers.outcomes import tell
from local.providers.ports import GRANT_PATH, Ports
from local.providers.record import ENVIRONMENTS, Asked, Environment, Provider, Received, Record
from local.providers.ses import PATH as MAIL_PATH
from local.providers.ses import Ses
from local.providers.ses_account import BASE as SES_BASE
from local.providers.ses_account import SesAccount, Suppressed
from local.providers.web import PATH, Browser, WebPush, public_key_of

START_SECONDS = 30.0
Platform = Literal["fcm", "apns"]


class Providers:
    """Local FCM and APNs, with ports as given or free ones for 0. Everything here may be called from any thread."""

    def __init__(
        self, folder: Path, fcm_port: int = 0, apns_port: int = 0, sandbox_port: int = 0, inspect_port: int = 0
    ) -> None:
        """Make the keys in `folder`, or find them there."""
        self._keys = key_making.prepare(folder)
        self._stack_file = folder.parent / "stack.json"
        self._wanted = Ports(fcm_port, apns_port, sandbox_port, inspect_port)
        self._record, self._behaviours, self._known = Record(), Behaviours(), KnownTokens()
        self._suppressed = Suppressed()
        self._ready: Future[Ports] = Future()
        self._thread = threading.Thread(target=self._run, name="providers", daemon=True)
        self._loop: asyncio.AbstractEventLoop
        self._stop: asyncio.Event
        self._listeners: dict[Platform, list[Listener]]
        self._ports: Ports
        self._subscription: Callable[[str], dict[str, Any]]

    def __enter__(self) -> Self:
        """Return once all of them listen. Raises OSError where a port is taken."""
        self._thread.start()
        self._ports = self._ready.result(timeout=START_SECONDS)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    # -- where they are -----------------------------------------------------------------------------------------------

    @property
    def fcm_endpoint(self) -> str:
        return self._ports.fcm_endpoint

    @property
    def apns_endpoint(self) -> str:
        """Production and sandbox, in this order, with a comma between."""
        return self._ports.apns_endpoint

    @property
    def inspect_url(self) -> str:
        return f"http://127.0.0.1:{self._ports.inspection}"

    @property
    def ca_file(self) -> Path:
        """The certificate to trust."""
        return self._keys.ca_file

    @property
    def fcm_secret(self) -> str:
        """The service account's JSON; `token_uri` is here."""
        return self._keys.fcm_secret(self._ports.token_uri)

    @property
    def web_push_secret(self) -> str:
        """JSON with private_key and subject."""
        return self._keys.web_push_secret()

    def subscription(self, name: str) -> dict[str, Any]:
        """A browser's, whose pushes come here."""
        return self._subscription(name)

    @property
    def apns_secret(self) -> str:
        """JSON with key_id, team_id and private_key."""
        return self._keys.apns_secret()

    # -- what came ----------------------------------------------------------------------------------------------------

    def pushes(self) -> list[Received]:
        """The accepted pushes, oldest first."""
        return self._record.pushes()

    def requests(self) -> list[Asked]:
        """All requests, oldest first; those of the token endpoint have provider "oauth"."""
        return self._record.requests()

    def wait_for(self, count: int) -> list[Received]:
        """Return once there are so many pushes; raises TimeoutError after 10 s."""
        return self._record.wait_for(count)

    def clear(self) -> None:
        """Forget the pushes and the requests."""
        self._record.clear()

    def connections(self, provider: Platform) -> int:
        """How many connections have been opened, ever."""
        return sum(listener.accepted for listener in self._listeners[provider])

    # -- how they behave ----------------------------------------------------------------------------------------------

    def behave(self, provider: Provider, do: str = "answer", **told: Any) -> None:
        """Have a provider misbehave: see `Behaviour` for what can be told. Raises ValueError where it makes no sense.

        "fcm" is about messages alone; "oauth" is Google's token endpoint.
        """
        self._behaviours.add(Behaviour(provider, do, **told))  # type: ignore[arg-type]  # Behaviour checks it

    def behave_well(self) -> None:
        """Forget all that they were told, as they were at first."""
        self._behaviours.clear()
        self._known.clear()
        self._suppressed.clear()

    def put_token(self, token: str, *, environment: Environment | None = None, topic: str | None = None) -> None:
        """Have an APNs device token belong to one environment, one topic, or both."""
        self._known.put(token, KnownToken(environment, topic))

    def hang_up(self, provider: Platform) -> None:
        """Close the provider's open connections in order, as it does with idle ones; returns when it has begun to."""

        async def all_of_them() -> None:
            for listener in self._listeners[provider]:
                listener.hang_up()

        asyncio.run_coroutine_threadsafe(all_of_them(), self._loop).result(timeout=START_SECONDS)

    # -- the thread ---------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:  # the caller that waits for the start gets it
            if self._ready.done():
                raise
            self._ready.set_exception(error)

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        exchange, tls = Exchange(self._behaviours, self._record), functools.partial(_tls, self._keys.server_file)
        google = _Google(exchange, self._keys, self._suppressed)
        fcm = Listener(google.handle, tls())
        apple = key_making.public_key(self._keys.apns_file)
        apns = [
            Listener(functools.partial(exchange.handle, rules), tls(), protocol=HTTP2)
            for rules in (Apns(environment, apple, self._known) for environment in ENVIRONMENTS)
        ]
        self._subscription = google.subscription
        inspection = Inspection(self._record, self._behaviours, self._known, google.subscription, self._tell)
        everything = [fcm, *apns, Listener(inspection.handle)]
        self._listeners = {"fcm": [fcm], "apns": apns}
        try:
            wanted = zip(everything, astuple(self._wanted), strict=True)
            ports = Ports(*[await listener.start(port) for listener, port in wanted])
            google.listens_on(ports)
            self._ready.set_result(ports)
            await self._stop.wait()
        finally:
            for listener in everything:
                await listener.stop()

    def _tell(self, entry: Mapping[str, Any]) -> bool:
        """What became of a mail, to the stack; SES itself remembers it as well."""
        is_told = tell(self._stack_file, entry)
        if is_told:
            self._suppressed.note(entry)
        return is_told


class _Google:
    """Google's two APIs behind one port, browsers' push service, and SES. What a token is for needs the port."""

    def __init__(self, exchange: Exchange, keys: Keys, suppressed: Suppressed) -> None:
        self._exchange = exchange
        self._keys = keys
        self._browser = Browser(*keys.browser_secrets)
        self._ses = Ses()
        self._ses_account = SesAccount(suppressed)
        self._oauth: OAuth
        self._fcm: Fcm
        self._web: WebPush
        self._origin = ""

    def listens_on(self, ports: Ports) -> None:
        self._origin = ports.fcm_endpoint
        self._oauth = OAuth(key_making.public_key(self._keys.fcm_file), ports.token_uri)
        self._fcm = Fcm(self._oauth)
        self._web = WebPush(self._browser, public_key_of(self._keys.vapid_scalar), self._origin)

    def subscription(self, name: str) -> dict[str, Any]:
        """What a browser would give: to register a device of the platform `web`."""
        return {"endpoint": f"{self._origin}{PATH}{name}", "keys": self._browser.keys}

    async def handle(self, request: Request) -> Reply | Silence:
        path = request.path.partition("?")[0]
        if path.startswith(PATH):
            return await self._exchange.handle(self._web, request)
        if path == MAIL_PATH:
            return await self._exchange.handle(self._ses, request)
        if path.startswith(SES_BASE):
            return await self._exchange.handle(self._ses_account, request)
        return await self._exchange.handle(self._oauth if path == GRANT_PATH else self._fcm, request)


def _tls(server_file: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(server_file)
    return context
