"""The whole of Parley as one stack."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from aws_cdk import CfnOutput, Environment, Stack

from infra.dashboard import Dashboard, Watched
from infra.events_out import EventsOut
from infra.files import FileChecks, Files
from infra.function import FunctionFactory
from infra.http_api import RestApi
from infra.identity import Identity
from infra.mail import Mail
from infra.observability import Observability
from infra.presence import Presence
from infra.push import OfflinePush
from infra.queues import Queues
from infra.reminders import Reminders
from infra.screening import Screening
from infra.storage import Storage
from infra.target import target_of
from infra.web import WebPage
from infra.websocket_api import WebSocketApi

if TYPE_CHECKING:
    from collections.abc import Mapping

    from constructs import Construct

    from infra.bundling import Bundle
    from infra.config import Config


class ParleyStack(Stack):
    """Storage, queues, the two APIs, presence, push, files and alarms, wired together.

    `bundles` has one entry a function folder.
    """

    def __init__(
        self, scope: Construct, *, config: Config, bundles: Mapping[str, Bundle], env: Environment | None = None
    ) -> None:
        super().__init__(
            scope,
            f"Parley-{config.stage}",
            env=env,
            description="Parley: a chat backend that its team owns",
            # What holds data survives the stack, and yet nobody should lose the way to it by a slip.
            termination_protection=config.retains_data and not config.is_local,
        )
        page = WebPage(self, "Web", config=config) if config.has_page else None
        if page:
            config = replace(config, allowed_origins=(*config.allowed_origins, page.origin))
        factory = FunctionFactory(config, target_of(config), bundles)
        storage = Storage(self, "Storage", config=config)
        identity = Identity(self, "Identity", config=config)
        queues = Queues(self, "Queues", config=config)
        files = Files(self, "Files", config=config)
        reminders = Reminders(self, "Reminders", looks=queues.looks)
        screening = Screening(self, "Screening", config=config)
        web_socket = WebSocketApi(
            self,
            "WebSocket",
            functions=factory,
            storage=storage,
            identity=identity,
            queues=queues,
            screening=screening,
        )
        rest = RestApi(
            self,
            "Http",
            functions=factory,
            storage=storage,
            identity=identity,
            connections=web_socket.connections,
            queues=queues,
            files=files,
            reminders=reminders,
            screening=screening,
        )
        if page:
            page.may_talk_to(factory.target, rest.url, web_socket.url)
        presence = Presence(
            self,
            "Presence",
            functions=factory,
            storage=storage,
            connections=web_socket.connections,
            queues=queues,
        )
        mail = Mail(self, "Mail", config=config, queues=queues) if config.mail_from else None
        push = OfflinePush(
            self,
            "Push",
            functions=factory,
            storage=storage,
            connections=web_socket.connections,
            queues=queues,
            files=files,
            mail=mail,
            http_url=rest.url,
        )
        checks = FileChecks(
            self,
            "FileChecks",
            functions=factory,
            storage=storage,
            files=files,
        )
        events = config.has_events
        out = EventsOut(self, "EventsOut", functions=factory, storage=storage, queues=queues) if events else None
        told = (out.function,) if out else ()
        functions = (*web_socket.functions, rest.rest, presence.function, push.function, checks.function, *told)
        failures = {
            "stream-records": push.failures,
            "file-checks": checks.failures,
            **({"event-records": out.failures} if out else {}),
            **{name: queue.failures for name, queue in queues.all.items()},
        }
        Observability(
            self,
            "Observability",
            config=config,
            target=factory.target,
            functions=functions,
            consumers={
                "StreamLag": push.function,
                "FilesStreamLag": checks.function,
                **({"EventsStreamLag": out.function} if out else {}),
            },
            queues=queues,
            stage=web_socket.stage,
            failures=failures,
        )
        dashboard = self._dashboard(
            config,
            Watched(
                web_socket=web_socket,
                rest=rest,
                functions=functions,
                consumers=(push.function, checks.function, *told),
                storage=storage,
                queues=queues,
                failures=failures,
            ),
        )
        self._outputs(
            {
                "WsUrl": web_socket.url,
                "HttpUrl": rest.url,
                "LogTable": storage.log.table_name,
                "MembersTable": storage.members.table_name,
                "SessionsTable": storage.sessions.table_name,
                "TicketsTable": storage.tickets.table_name,
                "Bucket": files.bucket.bucket_name,
                "FailureQueueUrl": push.failures.queue_url,
                "FailureQueues": self.to_json_string({name: queue.queue_url for name, queue in failures.items()}),
                "JwtSecretArn": identity.secret_arn,
                "MessageHookSecretArn": screening.secret_arn,
                "EventBusName": out.bus.event_bus_name if out and out.bus else "",
                "DashboardUrl": dashboard,
                "WebUrl": page.origin if page else "",
                "WebBucket": page.bucket.bucket_name if page else "",
                "WebTokenUrl": config.web_token_url if page else "",
                "Region": self.region,
            }
        )

    def _dashboard(self, config: Config, watched: Watched) -> str:
        """Where the dashboard is; empty where there is none. The emulator has no use for one."""
        if config.dashboard == "off" or config.is_local:
            return ""
        name = Dashboard(self, "Dashboard", config=config, watched=watched).name
        console = f"https://{self.region}.console.aws.amazon.com/cloudwatch/home"
        return f"{console}?region={self.region}#dashboards/dashboard/{name}"

    def _outputs(self, values: Mapping[str, str]) -> None:
        for name, value in values.items():
            if value:
                CfnOutput(self, name, value=value)


def dependency_groups(config: Config) -> dict[str, tuple[str, ...]]:
    """Each function folder's dependency groups. Only those that verify signatures by public key carry cryptography."""
    jwks = ("jwks",) if config.jwks_url else ()
    return {
        "connect": ("connect", *jwks),
        "disconnect": ("disconnect",),
        "message": ("message", *jwks),
        "rest": ("rest", *jwks),
        "offline_push": ("offline_push",),
        "presence": ("presence",),
        "files": ("files",),
        **({"events_out": ("events_out",)} if config.has_events else {}),
    }
