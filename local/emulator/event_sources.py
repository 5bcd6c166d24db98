"""Who is handed records of a table's stream, events and messages of a queue, and what becomes of them if that fails.

- Records of a stream are retried, bisected and left in a failure queue as the mapping says. On its own MiniStack takes
  a partial batch response for success of the whole batch, and repeats a batch that failed until its records are too
  old, knowing neither a limit of retries nor bisecting.
- EventBridge invokes functions asynchronously, with the retries and the failure destination that each has set.
  MiniStack invokes them once, whatever comes of it.
- A stack keeps its queues when it moves to another port. MiniStack knows a queue by its URL, in which its own port
  stands, and looks for an event source's queue by the URL with the port of today: after a move nothing consumes it.
"""

# ruff: noqa: SLF001  # MiniStack has no hooks for any of this; its version is pinned

import contextvars
import json
import logging
import time
from collections import defaultdict
from typing import Any, Final

from ministack.services import dynamodb, eventbridge, lambda_svc, sqs

from local.emulator.retries import FOR_EVER, Batch, Course, Policy

log = logging.getLogger("parley.sources")

RETRY_SECONDS = 1.0
PARTIAL = "ReportBatchItemFailures"
# Nothing connects to the port in a queue's URL: functions and tools send it to the endpoint as the queue's name, and
# replies carry the port that was called.
QUEUE_PORT: Final = "4577"

Record = dict[str, Any]
Mapping = dict[str, Any]


def install() -> None:
    """Take over who is handed what. To be called before the emulator's state is loaded."""
    sqs.DEFAULT_PORT = QUEUE_PORT
    sqs._CANONICAL_NETLOC = f"{sqs.DEFAULT_HOST}:{QUEUE_PORT}"
    lambda_svc._poll_dynamodb_streams = Consumers().poll
    eventbridge._dispatch_to_lambda = _deliver


def _deliver(function_arn: str, event: str) -> None:
    """An event of EventBridge."""
    function, config, name = lambda_svc._get_func_record_for_ref(function_arn)
    if function and config:
        lambda_svc.invoke_async_with_retry(lambda_svc._execution_record_for_config(function, config), json.loads(event))
    else:
        log.warning("there is no function %s for an event", name)


class Consumers:
    """Every event source mapping that reads a table's stream. Where each is, MiniStack keeps, and the journal."""

    def __init__(self) -> None:
        self._courses: defaultdict[str, Course] = defaultdict(Course)

    def poll(self) -> bool:
        """Hand each consumer one batch; tell whether any got on, so that there may be more at once."""
        got_on = False
        for account, region, mapping in lambda_svc._iter_all_esms():
            source = mapping.get("EventSourceArn", "")
            if mapping.get("Enabled", True) and ":dynamodb:" in source:
                got_on |= contextvars.copy_context().run(self._serve, account, region, mapping, source)
        return got_on

    def _serve(self, account: str, region: str, mapping: Mapping, source: str) -> bool:
        lambda_svc._request_account_id.set(account)
        lambda_svc._request_region.set(region)
        uuid, table = mapping["UUID"], source.split("/")[1]
        function, _ = lambda_svc._get_func_record_for_qualifier(mapping["FunctionName"], mapping.get("Qualifier"))
        current = (dynamodb._tables.get(table) or {}).get("LatestStreamArn")
        if function is None or current != source or lambda_svc._esm_backoff_until.get(uuid, 0) > time.time():
            return False
        lambda_svc._init_stream_position(uuid, source, mapping.get("StartingPosition", "LATEST"))
        start = max(lambda_svc._dynamodb_stream_positions[uuid], dynamodb.stream_start_position(table))
        end = self._courses[uuid].end(start, mapping.get("BatchSize", 100))
        records = dynamodb.stream_records_since(table, start, end - start)
        if not records:
            return False
        found = [(n, one) for n, one in enumerate(records, start) if lambda_svc._apply_filter_criteria([one], mapping)]
        batch = Batch([position for position, _ in found], start + len(records))
        return self._hand_over(mapping, function, [record for _, record in found], batch)

    def _hand_over(self, mapping: Mapping, function: dict[str, Any], records: list[Record], batch: Batch) -> bool:
        """Invoke the function with what the filter left, if anything, and move on by what came of it."""
        uuid, course = mapping["UUID"], self._courses[mapping["UUID"]]
        result = lambda_svc._execute_function(function, {"Records": records}) if records else {}
        if result.get("throttle"):  # the function was not invoked
            return self._rest(uuid)
        done = handled(result, records, partial=PARTIAL in mapping.get("FunctionResponseTypes", []))
        following, condition = course.after(batch, done, _policy(mapping)), "RetryAttemptsExhausted"
        if done != len(records):
            mapping["LastProcessingResult"] = "PROBLEM: Function call failed"
            if following.waits and _is_too_old(records, mapping):
                following, condition = course.give_up(batch), "MaxRecordAgeExceeded"
        if following.given_up:
            source = mapping["EventSourceArn"]
            log.warning("%s gave up %d records of %s", mapping["FunctionName"], len(records), source)
            lambda_svc._send_ddb_stream_failure_record(mapping, function, records, source, result, condition)
        with lambda_svc._dynamodb_stream_positions_lock:
            lambda_svc._dynamodb_stream_positions[uuid] = following.position
        return self._rest(uuid) if following.waits else True

    def _rest(self, uuid: str) -> bool:
        lambda_svc._esm_backoff_until[uuid] = time.time() + RETRY_SECONDS
        return False


def handled(result: dict[str, Any], records: list[Record], *, partial: bool) -> int | None:
    """How many of the records from the first on are done; None if the invocation failed."""
    if result.get("error"):
        return None
    body = result.get("body")
    failures = (body.get("batchItemFailures") or []) if partial and isinstance(body, dict) else []
    numbers = [record["dynamodb"]["SequenceNumber"] for record in records]
    try:
        return min((numbers.index(failure["itemIdentifier"]) for failure in failures), default=len(records))
    except (ValueError, KeyError, TypeError):  # it names none of them: the whole batch has failed
        return None


def _policy(mapping: Mapping) -> Policy:
    retries = mapping.get("MaximumRetryAttempts")
    return Policy(FOR_EVER if retries is None else int(retries), bool(mapping.get("BisectBatchOnFunctionError")))


def _is_too_old(records: list[Record], mapping: Mapping) -> bool:
    limit = int(mapping.get("MaximumRecordAgeInSeconds") or FOR_EVER)
    oldest = min(float(record["dynamodb"]["ApproximateCreationDateTime"]) for record in records)
    return limit != FOR_EVER and time.time() - oldest > limit
