"""The push function's own stores and queues, in the hands of a command: set up as the deployed function is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from local.errors import CommandError
from ops import target
from shared.config import AwsEnvironment, ConfigurationError, OfflinePushSettings
from shared.observability import make_logger

if TYPE_CHECKING:
    from local.settings import Settings
    from ops.target import Target
    from shared.operations.context import Context
    from shared.ports.services import PushServices
    from shared.ports.stores import PushStores

_FUNCTION: Final = "OfflinePush"
_KIND: Final = "AWS::Lambda::Function"


@dataclass(frozen=True)
class Deployed:
    """`begin` starts the time that the next calls may take; `settings` are the deployed function's."""

    target: Target
    function: str
    settings: OfflinePushSettings
    stores: PushStores
    services: PushServices
    context: Context
    begin: Callable[[], None]


def deployed(settings: Settings, *, on_aws: bool) -> Deployed:
    """Raises CommandError where there is no such stack, or an older one."""
    place = target.in_aws() if on_aws else target.on_this_machine(settings)
    return of(place, region=None if on_aws else "us-east-1")


def of(place: Target, *, region: str | None) -> Deployed:
    """`region` is None for the one of the user's credentials."""
    from functions.offline_push.wiring import wire

    function, variables = _environment(place)
    try:
        known = OfflinePushSettings.load(variables)
    except ConfigurationError as error:
        raise CommandError(f"{place.stack_name} is of another version: {error}", "Deploy this version first") from None
    wired = wire(known, _credentials(region, variables.get("AWS_ENDPOINT_URL", "")), make_logger("ops", "ERROR"))
    return Deployed(place, function, known, wired.stores, wired.services, wired.context, wired.begin)


def _environment(place: Target) -> tuple[str, dict[str, str]]:
    """The deployed function, and its variables."""
    from botocore.exceptions import ClientError

    try:
        resources = target.resources_of(place.stack_name, place.connect)
    except ClientError as error:
        raise CommandError(
            f"There is no stack {place.stack_name}: {error}", "Is it another stage? Say it with PARLEY_STAGE"
        ) from error
    found = [one.physical_id for one in resources if one.kind == _KIND and _FUNCTION in one.logical_id]
    if not found:
        raise CommandError(f"{place.stack_name} has no push function", "Deploy it first")
    configuration: dict[str, Any] = place.connect("lambda").get_function_configuration(FunctionName=found[0])
    return found[0], configuration["Environment"]["Variables"]


def _credentials(region: str | None, endpoint: str) -> AwsEnvironment:
    import os

    import boto3

    if endpoint:
        return AwsEnvironment(region or "us-east-1", "test", "test", "", endpoint)
    session = boto3.Session(region_name=os.environ.get("AWS_REGION") or None)
    credentials = session.get_credentials()
    if credentials is None or session.region_name is None:
        raise CommandError("There are no AWS credentials, or no region")
    frozen = credentials.get_frozen_credentials()
    return AwsEnvironment(session.region_name, frozen.access_key, frozen.secret_key, frozen.token or "", "")
