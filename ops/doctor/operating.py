"""The steps of an operator that look at what is deployed, and whether it is as it should be."""

from __future__ import annotations

import asyncio
import base64
import email.utils
import json
import re
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from ops.doctor.patient import host_of, remedy_of
from ops.doctor.permissions import missing
from ops.doctor.trouble import Doubt, Skip, Trouble
from ops.gateways import last_deployment
from ops.quotas import concurrency, how_to_raise

if TYPE_CHECKING:
    from ops.doctor.patient import Patient

_SECRET_BYTES: Final = 32
_KEPT_S: Final = 300
_AT_ONCE: Final = timedelta(seconds=5)
_SKEW_S: Final = 2.0
_SIGNING_S: Final = 240.0  # AWS refuses what is signed five minutes ago or ahead
_TIMEOUT_S: Final = 10.0
_OK, _GONE = 200, 410
_AT_WORK: Final = frozenset({"Pending", "InProgress"})
_NOBODY: Final = base64.urlsafe_b64encode(b"never there").decode()  # to an id of any other form a post gets 400
_DEPLOYED: Final = re.compile(r"(CREATE|UPDATE|IMPORT)_COMPLETE|UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
_OUTPUTS: Final = (
    "WsUrl",
    "HttpUrl",
    "LogTable",
    "MembersTable",
    "SessionsTable",
    "TicketsTable",
    "Bucket",
    "FailureQueues",
)
DEPLOY: Final = "Deploy it again: make deploy (on this machine: make up)"


def operator(look: Callable[[Patient], str]) -> Callable[[Patient], Any]:
    """A step that is calls of AWS's APIs, and nothing else: apart from the loop that the users' connections live on."""

    async def take(patient: Patient) -> str:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            return await asyncio.to_thread(look, patient)
        except ClientError as error:
            code, call = error.response["Error"]["Code"], error.operation_name
            if code in {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"}:
                raise Doubt(
                    f"not looked at: these credentials may not {call}", f"{call}: {code}", "Use others, or ignore this"
                ) from None
            hint = remedy_of(code) or "See AWS's documentation of this code"
            raise Trouble(f"AWS refused {call}: {code}", f"{call}: {code}", hint) from None
        except BotoCoreError as error:
            raise Trouble(
                f"AWS was not reached: {type(error).__name__}",
                str(error)[:200],
                "Is the network up, and the region right?",
            ) from None

    take.__doc__ = look.__doc__
    return take


@operator
def configuration(patient: Patient) -> str:
    """The stack is there, deployed to its end, and says where everything is."""
    status = patient.stack["StackStatus"]
    if not _DEPLOYED.fullmatch(status):
        raise Trouble(
            f"the stack is {status}", "Its last deployment did not come to its end", "CloudFormation's events say why"
        )
    if lacking := [name for name in _OUTPUTS if name not in patient.outputs]:
        raise Trouble(f"outputs are missing: {', '.join(lacking)}", "An older version is deployed", DEPLOY)
    return f"{status}, {len(patient.resources)} resources, {len(patient.functions)} functions"


@operator
def quotas(patient: Patient) -> str:
    """How much of Lambda the account may use at a time."""
    functions_ = patient.client("lambda")
    account = concurrency(functions_)
    said = f"{account.quota:,} invocations at a time, {account.free:,} of them not reserved"
    if patient.on_aws and not account.is_usual:
        cause = f"The account's quota is small: {account.meaning}"
        raise Doubt(said, cause, f"Have it raised, which costs nothing: {how_to_raise(functions_.meta.region_name)}")
    return said


@operator
def functions(patient: Patient) -> str:
    """Each function is ready, and its environment names what this stack has: tables, queues, endpoints, secrets."""
    wrong: list[str] = []
    busy: list[str] = []
    for name, function in sorted(patient.functions.items()):
        configuration_ = function.configuration
        states = {str(configuration_.get(key, "Active")) for key in ("State", "LastUpdateStatus")}
        busy += [f"{name} is {state}" for state in sorted(states & _AT_WORK)]
        wrong += [f"{name} is {state}" for state in sorted(states - _AT_WORK - {"Active", "Successful", "Inactive"})]
        wrong += [f"{name}: {problem}" for problem in _environment(patient, function.environment)]
    if wrong:
        raise Trouble("; ".join(wrong), f"{wrong[0]}: it is not what the stack has", DEPLOY)
    if busy:
        raise Doubt("; ".join(busy), "Lambda is putting a change into effect", "Run it again in a minute")
    kinds = Counter(
        f"{one.configuration['Runtime']} {_architecture(one.configuration)}" for one in patient.functions.values()
    )
    return ", ".join(f"{count} on {kind}" for kind, count in kinds.items())


def _architecture(configuration_: Mapping[str, Any]) -> str:
    return str(next(iter(configuration_.get("Architectures") or ["?"])))


def _environment(patient: Patient, variables: Mapping[str, str]) -> list[str]:
    """What in an environment is of another stack, or of none."""
    tables = {"LOG_TABLE": "LogTable", "MEMBERS_TABLE": "MembersTable", "SESSIONS_TABLE": "SessionsTable",
              "TICKETS_TABLE": "TicketsTable", "BUCKET": "Bucket"}  # fmt: skip
    problems = [
        f"{variable} is not the stack's ({output})"
        for variable, output in tables.items()
        if variables.get(variable, patient.outputs[output]) != patient.outputs[output]
    ]
    queues = {url.rsplit("/", 1)[-1] for url in patient.of_kind("AWS::SQS::Queue").values()}
    problems += [
        f"{variable} names no queue of the stack"
        for variable, url in variables.items()
        if variable.endswith("_QUEUE_URL") and url and url.rsplit("/", 1)[-1] not in queues
    ]
    own = patient.outputs.get("JwtSecretArn", "")
    if variables.get("JWT_SECRET_ARN", own) != own:
        problems.append("JWT_SECRET_ARN is not the secret that the stack tells of (JwtSecretArn)")
    if (endpoint := variables.get("CONNECTIONS_ENDPOINT")) is not None and not _is_ours(patient, endpoint):
        problems.append("CONNECTIONS_ENDPOINT does not lead to the stack's WebSocket API")
    if patient.on_aws and variables.get("AWS_ENDPOINT_URL"):
        problems.append("AWS_ENDPOINT_URL is set: calls do not go to AWS")
    if not patient.on_aws and variables.get("AWS_ENDPOINT_URL", "") != _local_endpoint(patient):
        problems.append("AWS_ENDPOINT_URL does not lead to the emulator")
    return problems


def _local_endpoint(patient: Patient) -> str:
    return patient.outputs["HttpUrl"].partition("/_aws/")[0]


def _is_ours(patient: Patient, endpoint: str) -> bool:
    """The API's own address, or that of its domain; on this machine the emulator's way to it."""
    apis = [one for name, one in patient.of_kind("AWS::ApiGatewayV2::Api").items() if name.startswith("WebSocket")]
    stage = endpoint.rstrip("/").rsplit("/", 1)[-1]
    if not patient.on_aws:
        return any(endpoint == f"{_local_endpoint(patient)}/_aws/execute-api/{api}/{stage}" for api in apis)
    return host_of(endpoint) == host_of(patient.ws_url) or any(
        host_of(endpoint).startswith(f"{api}.execute-api.") for api in apis
    )


@operator
def permissions(patient: Patient) -> str:
    """Each function's role allows what the function does."""
    if lacking := missing(patient):
        said = "; ".join(f"{name} may not {', '.join(actions)}" for name, actions in sorted(lacking.items()))
        raise Trouble(said, "The role lacks a permission, and AWS refuses what the function asks for", DEPLOY)
    return f"{len(patient.functions)} roles allow what their functions do"


@operator
def secrets(patient: Patient) -> str:
    """The secrets are there, and hold what they should."""
    said = []
    if arn := patient.outputs.get("JwtSecretArn"):
        text, changed = _secret(patient, arn, "the JWT secret")
        if len(text.encode()) < _SECRET_BYTES:
            raise Trouble(
                f"the JWT secret has {len(text.encode())} bytes",
                "Tokens signed with it are refused: HS256 takes no fewer than 32",
                "Put a longer one into it, and into the backend that signs",
            )
        said.append(f"tokens: {len(text.encode())} bytes")
        if changed is not None and time.time() - changed < _KEPT_S:
            raise Doubt(
                said[-1],
                "It was changed within the last five minutes: functions may still use the old one",
                "Try again soon",
            )
    for name, keys in (
        ("fcm", ("project_id", "client_email", "private_key")),
        ("apns", ("key_id", "team_id", "private_key")),
    ):
        if arn := patient.setting("OfflinePush", f"{name.upper()}_SECRET_ARN"):
            text, _ = _secret(patient, arn, f"the secret of {name}")
            _check_credentials(name, text, keys)
            said.append(f"{name}: as it should be")
    return "; ".join(said) or "none: tokens are checked by a JWKS URL, and no provider is set up"


def _secret(patient: Patient, arn: str, what: str) -> tuple[str, float | None]:
    from botocore.exceptions import ClientError

    try:
        found = patient.client("secretsmanager").get_secret_value(SecretId=arn)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        raise Trouble(
            f"{what} is not there", "It was deleted, or its ARN is another's", "Restore it, or correct the ARN"
        ) from None
    text = str(found["SecretString"])
    patient.secrets.add(text)
    about = patient.client("secretsmanager").describe_secret(SecretId=arn)
    created, changed = about.get("CreatedDate"), about.get("LastChangedDate")
    if not isinstance(created, datetime) or not isinstance(changed, datetime) or changed - created < _AT_ONCE:
        return text, None  # made with this value
    return text, changed.timestamp()


def _check_credentials(name: str, text: str, keys: tuple[str, ...]) -> None:
    hint = "docs/operations.md says what is in it"
    try:
        found = json.loads(text)
        values = [found[key] for key in keys]
    except (ValueError, KeyError, TypeError):
        raise Trouble(
            f"the secret of {name} is not what {name} needs", f"It has to have {', '.join(keys)}, as JSON", hint
        ) from None
    if "-----BEGIN" not in str(values[-1]):
        raise Trouble(f"the secret of {name} has no private key", "private_key is not a PEM", hint)


@operator
def gateways(patient: Patient) -> str:
    """Both stages have their last deployment in effect; every route that has replies sends them."""
    gateway, said = patient.client("apigatewayv2"), []
    for logical, api in patient.of_kind("AWS::ApiGatewayV2::Api").items():
        for stage in gateway.get_stages(ApiId=api)["Items"]:
            deployment = last_deployment(gateway, api, stage)
            if deployment.trouble and (patient.on_aws or deployment.status):  # the emulator's need none
                cause = "Its last deployment is not in effect: clients meet what was deployed before"
                raise Trouble(f"{logical}: {deployment.trouble}", cause, DEPLOY)
        routes = gateway.get_routes(ApiId=api)["Items"]
        silent = [
            one["RouteKey"]
            for one in routes
            if patient.on_aws
            and logical.startswith("WebSocket")
            and one["RouteKey"] not in {"$connect", "$disconnect"}
            and not gateway.get_route_responses(ApiId=api, RouteId=one["RouteId"])["Items"]
        ]
        if silent:
            raise Trouble(
                f"no replies on {', '.join(silent)}",
                "The route has no response: what the function answers is dropped",
                DEPLOY,
            )
        said.append(f"{logical}: {len(routes)} routes")
    return ", ".join(said)


@operator
def domain(patient: Patient) -> str:
    """A domain of one's own leads to the API."""
    names = patient.of_kind("AWS::ApiGatewayV2::DomainName")
    if not names:
        raise Skip("no domain is configured")
    for name in names.values():
        found = patient.client("apigatewayv2").get_domain_name(DomainName=name)
        for one in found["DomainNameConfigurations"]:
            if one.get("DomainNameStatus", "AVAILABLE") != "AVAILABLE":
                raise Trouble(
                    f"{name} is {one['DomainNameStatus']}",
                    one.get("DomainNameStatusMessage", ""),
                    "Wait, or see its certificate",
                )
            if not patient.client("apigatewayv2").get_api_mappings(DomainName=name)["Items"]:
                raise Trouble(f"{name} leads nowhere", "It has no mapping to an API", DEPLOY)
    return ", ".join(names.values())


@operator
def connections_endpoint(patient: Patient) -> str:
    """Where the functions post to connections is this API's endpoint: it knows that a made-up connection is gone."""
    answer = posted(patient, _NOBODY, b"{}")
    if answer != _GONE:
        raise Trouble(
            f"a post to a connection that never was is answered {answer} instead of 410",
            "CONNECTIONS_ENDPOINT leads elsewhere, or these credentials may not post (403)",
            DEPLOY,
        )
    return "410 for a connection that never was"


def posted(patient: Patient, connection_id: str, data: bytes) -> int:
    """The status of a post to a connection, by boto3. Raises Trouble where there was no answer."""
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    options: dict[str, Any] = {"endpoint_url": patient.connections_endpoint, "region_name": patient.outputs["Region"]}
    if not patient.on_aws:
        options |= {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    config = Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 1})
    try:
        boto3.client("apigatewaymanagementapi", config=config, **options).post_to_connection(
            ConnectionId=connection_id, Data=data
        )
    except ClientError as error:
        return int(error.response["ResponseMetadata"]["HTTPStatusCode"])
    except BotoCoreError as error:
        raise Trouble(
            f"{type(error).__name__} at CONNECTIONS_ENDPOINT",
            "The address that the functions post to does not answer: live events reach nobody",
            DEPLOY,
        ) from None
    return _OK


@operator
def clocks(patient: Patient) -> str:
    """The clocks of this machine and of the servers agree."""
    began = time.time()
    try:
        with urllib.request.urlopen(f"{patient.http_url}/v1/health", timeout=_TIMEOUT_S) as answer:
            told, status = answer.headers.get("Date"), answer.status
    except urllib.error.HTTPError as error:
        raise Trouble(f"GET /v1/health answers {error.code}", "", DEPLOY) from None
    except OSError as error:
        raise Trouble(f"GET /v1/health: {error}", "The HTTP API does not answer at its address", DEPLOY) from None
    if status != _OK or told is None:
        raise Doubt(f"GET /v1/health answers {status}, and does not say when", "It has no Date header")
    there = email.utils.parsedate_to_datetime(told).timestamp()
    ahead = (began + time.time()) / 2 - there - 0.5
    said = f"this machine is {abs(ahead):.1f} s {'ahead' if ahead > 0 else 'behind'}"
    if abs(ahead) > _SIGNING_S:
        raise Trouble(
            said,
            "AWS refuses what is signed minutes ago or ahead, and tokens end early or late",
            "Set this machine's clock",
        )
    if abs(ahead) > _SKEW_S:
        raise Doubt(said, "Tokens from here end early or late by as much", "Set this machine's clock")
    return said
