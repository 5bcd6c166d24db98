"""The steps of an operator that look at how it has been: tables, sources, queues, metrics, alarms, logs."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from ops.doctor.operating import DEPLOY, operator
from ops.doctor.trouble import Doubt, Skip, Trouble
from ops.target import event_sources, is_feeding, waiting_in

if TYPE_CHECKING:
    from ops.doctor.patient import Patient

_LAG_MS: Final = 60_000
_SOURCES: Final = 5  # without a push provider: two readers of the stream, and three queues


@operator
def tables(patient: Patient) -> str:
    """The tables are there, take what they are asked, and are kept and recoverable as configured."""
    dynamodb, doubts = patient.client("dynamodb"), []
    for output in ("LogTable", "MembersTable", "SessionsTable", "TicketsTable"):
        name = patient.outputs[output]
        table = dynamodb.describe_table(TableName=name)["Table"]
        if table["TableStatus"] != "ACTIVE":
            raise Trouble(f"{output} is {table['TableStatus']}", "DynamoDB is at work on it", "Wait until it has ended")
        key = {one["AttributeName"]: _nothing(table, one["AttributeName"]) for one in table["KeySchema"]}
        _probe(dynamodb, name, key, output)
        if table.get("BillingModeSummary", {}).get("BillingMode") != "PAY_PER_REQUEST":
            doubts.append(f"{output} has a fixed capacity: beyond it, it is throttled")
        if patient.on_aws and not _is_recoverable(dynamodb, name):
            doubts.append(f"{output} can't be restored to a point in time")
        if patient.on_aws and (throttled := _throttled(patient, name)):
            doubts.append(f"{output} was throttled {throttled:,.0f} times within the hour")
        if patient.on_aws and not table.get("DeletionProtectionEnabled"):
            doubts.append(f"{output} goes with the stack (removal=destroy)")
    if doubts:
        raise Doubt("; ".join(doubts), doubts[0], "See docs/operations.md, and docs/configuration.md for `removal`")
    return f"four, on demand{', recoverable, kept when the stack goes' if patient.on_aws else ''}"


def _is_recoverable(dynamodb: Any, name: str) -> bool:
    found = dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    status = found.get("PointInTimeRecoveryDescription", {}).get("PointInTimeRecoveryStatus")
    return bool(status == "ENABLED")


def _nothing(table: Mapping[str, Any], name: str) -> dict[str, str]:
    """A value of a key attribute that no row has."""
    kind = next(one["AttributeType"] for one in table["AttributeDefinitions"] if one["AttributeName"] == name)
    return {"N": "0"} if kind == "N" else {"S": "doctor"}


def _probe(dynamodb: Any, name: str, key: Mapping[str, Any], output: str) -> None:
    """One read by key of what is not there, which costs half a read unit and tells of throttling at once."""
    from botocore.exceptions import ClientError

    try:
        dynamodb.get_item(TableName=name, Key=dict(key))
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if "Throttl" not in code and "ThroughputExceeded" not in code and "LimitExceeded" not in code:
            raise
        raise Trouble(
            f"{output} is throttled: {code}",
            f"DynamoDB refuses reads of {output}, and so every request that needs it",
            "Have it on demand (make deploy), or raise its capacity or the account's quota",
        ) from None


def _throttled(patient: Patient, table: str) -> float:
    return sum(
        _metric(patient, "AWS/DynamoDB", name, {"TableName": table}, "Sum", hours=1) or 0.0
        for name in ("ReadThrottleEvents", "WriteThrottleEvents")
    )


def _metric(
    patient: Patient, namespace: str, name: str, dimensions: Mapping[str, str], statistic: str, *, hours: float
) -> float | None:
    """The sum, or the highest, of a metric's last hours; None where nothing was measured."""
    values = [point[statistic] for point in _points(patient, (namespace, name), dimensions, [statistic], hours=hours)]
    if not values:
        return None
    return sum(values) if statistic == "Sum" else max(values)


def _points(
    patient: Patient, metric: tuple[str, str], dimensions: Mapping[str, str], statistics: Sequence[str], *, hours: float
) -> list[dict[str, float]]:
    """Statistics of a metric's last hours, five minutes each, by one call. `metric` is its namespace and its name."""
    now = datetime.now(UTC)
    found = patient.client("cloudwatch").get_metric_statistics(
        Namespace=metric[0],
        MetricName=metric[1],
        Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
        StartTime=now - timedelta(hours=hours),
        EndTime=now,
        Period=300,
        Statistics=list(statistics),
    )
    return [{name: float(point[name]) for name in statistics} for point in found["Datapoints"]]


@operator
def sources(patient: Patient) -> str:
    """What feeds the functions is switched on: the log's stream, and the queues."""
    found = [
        (name, source)
        for name, function in patient.functions.items()
        for source in event_sources(patient.client("lambda"), function.physical)
    ]
    off = [f"{name} is not fed by {_source(one)}: {one['State']}" for name, one in found if not is_feeding(one)]
    if off:
        raise Trouble(
            "; ".join(off),
            "An event source is switched off: what is stored there waits, and is lost after a day",
            "aws lambda update-event-source-mapping --enabled --uuid …; then what was missed: make missed-pushes",
        )
    if len(found) < _SOURCES:
        raise Trouble(f"only {len(found)} event sources are there", "One was deleted", DEPLOY)
    results = [(name, one, str(one.get("LastProcessingResult", ""))) for name, one in found]
    if failing := [f"{name}, {_source(one)}: {said}" for name, one, said in results if "PROBLEM" in said.upper()]:
        raise Doubt(
            "; ".join(failing), "The last batch failed, and is tried again", "See `logs`, and the function's log"
        )
    return f"{len(found)} event sources, all enabled"


def _source(mapping: Mapping[str, Any]) -> str:
    return str(mapping["EventSourceArn"]).split(":")[5].partition("/stream/")[0]


@operator
def failure_queues(patient: Patient) -> str:
    """Nothing lies where failed work ends."""
    urls: dict[str, str] = json.loads(patient.outputs["FailureQueues"])
    sqs = patient.client("sqs")
    lying = {name: count for name, url in urls.items() if (count := waiting_in(sqs, url))}
    if lying:
        said = ", ".join(f"{name}: {count}" for name, count in lying.items())
        raise Doubt(
            said,
            "Something failed at every try",
            "make replay DRY=1 shows it, make replay does it again (with AWS=1 there)",
        )
    return f"{len(urls)} queues, all empty"


@operator
def lag(patient: Patient) -> str:
    """The functions behind the log keep up with it."""
    if not patient.on_aws:
        raise Skip("the emulator keeps no such metric; `delivery-check` and `push` show that the stream is read")
    said = []
    for name in ("OfflinePush", "Files"):
        function = patient.functions[name].physical
        age = _metric(patient, "AWS/Lambda", "IteratorAge", {"FunctionName": function}, "Maximum", hours=0.25)
        if age is not None and age > _LAG_MS:
            raise Trouble(
                f"{name} is {age / 1_000:,.0f} s behind the log",
                "It fails, or gets no concurrency",
                "See its log, and `quotas`",
            )
        said.append(f"{name} {'idle' if age is None else f'{age / 1_000:.1f} s behind'}")
    return ", ".join(said)


@operator
def durations(patient: Patient) -> str:
    """What the functions took lately, at worst and at most: what the costs rest on."""
    if not patient.on_aws:
        raise Skip("a laptop's durations say nothing about Lambda's")
    said = []
    for name, function in sorted(patient.functions.items()):
        of = {"FunctionName": function.physical}
        if throttled := _metric(patient, "AWS/Lambda", "Throttles", of, "Sum", hours=24):
            raise Doubt(
                f"{name} was throttled {throttled:,.0f} times within a day",
                "The account's concurrency is used up",
                "See `quotas`",
            )
        took = _points(patient, ("AWS/Lambda", "Duration"), of, ("Maximum", "Sum", "SampleCount"), hours=24)
        if count := sum(point["SampleCount"] for point in took):
            average, longest = sum(point["Sum"] for point in took) / count, max(point["Maximum"] for point in took)
            said.append(f"{name} {average:.0f} ms on average, {longest:.0f} at most")
    return "; ".join(said) or "nothing was invoked within a day"


@operator
def alarms(patient: Patient) -> str:
    """The alarms are there, and quiet."""
    names = list(patient.of_kind("AWS::CloudWatch::Alarm").values())
    if not names:
        raise Trouble("the stack has no alarm", "An older version is deployed", DEPLOY)
    found: list[Mapping[str, Any]] = []
    for start in range(0, len(names), 50):  # as many as one answer has unless it is asked for more
        found += patient.client("cloudwatch").describe_alarms(AlarmNames=names[start : start + 50])["MetricAlarms"]
    if lacking := set(names) - {one["AlarmName"] for one in found}:
        raise Trouble(f"{len(lacking)} alarms are gone", "They were deleted by hand", DEPLOY)
    if loud := [one["AlarmName"] for one in found if one["StateValue"] == "ALARM"]:
        raise Doubt(
            f"ringing: {', '.join(sorted(loud))}", "See docs/operations.md, Alarms", "It says what to do for each"
        )
    if patient.on_aws and not any(one.get("AlarmActions") for one in found):
        raise Doubt(
            f"{len(found)} alarms, and nobody hears of them",
            "alarm_topic_arn is not set",
            "Set it: docs/configuration.md",
        )
    return f"{len(found)} alarms, all quiet"


@operator
def access_logs(patient: Patient) -> str:
    """The gateways write their lines."""
    if not patient.on_aws:
        raise Skip("the emulator's gateways write none")
    groups = [one for name, one in patient.of_kind("AWS::Logs::LogGroup").items() if "Access" in name]
    if not groups:
        raise Skip("access logs are not configured")
    since = int((time.time() - 3_600) * 1_000)
    silent = [
        one
        for one in groups
        if not patient.client("logs").filter_log_events(logGroupName=one, startTime=since, limit=1)["events"]
    ]
    if silent:
        raise Doubt(
            f"no line within the hour in {len(silent)} of {len(groups)} access logs",
            "API Gateway has no role to write with, or nobody came",
            "See gateway_logs_role in docs/configuration.md",
        )
    return f"{len(groups)} access logs, written to"


@operator
def logs(patient: Patient) -> str:
    """What the functions have noted within the last ten minutes beside this run."""
    noted = Counter(
        f"{one['function']}: {one.get('message', '')} {one.get('code', '')}".strip()
        for one in patient.noted(time.time() - 600)
    )
    if noted:
        said = "; ".join(f"{line} ({count})" for line, count in noted.most_common(6))
        raise Doubt(said, "Functions have noted trouble lately", "Their logs say more (on this machine: make logs)")
    return "nothing that tells of trouble"
