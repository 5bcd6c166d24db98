"""`make replay`: what is in the failure queues, and doing it once more."""

import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from local.errors import CommandError
from local.settings import Settings
from ops import target
from ops.failures import Clients, UnreadableError, Work, work_of
from ops.target import Target

OUTPUT = "FailureQueues"
# The attribute in which EventBridge says what it could not reach.
TARGET = "TARGET_ARN"
# No other consumer is handed what a replay is at work on; what stays is given free at its end.
HIDDEN_SECONDS = 900
NAMES = 17  # columns for a queue's name
MINUTE, HOUR, DAY = 60, 3_600, 86_400
AGAIN, GONE, DROPPED, STAYS = "replayed", "gone", "dropped", "stays"


@dataclass(frozen=True)
class FailureQueue:
    """`source_url` is the work queue whose dead-letter queue it is, if it is one."""

    name: str
    url: str
    source_url: str | None


@dataclass(frozen=True)
class Options:
    """`queue`: this one alone. `dry`: only look. `drop`: delete what can't be done any more."""

    queue: str | None = None
    dry: bool = False
    drop: bool = False


def replay(settings: Settings, options: Options, *, on_aws: bool) -> bool:
    """Show what lies in the failure queues and, unless `dry`, do it again; tell whether nothing had to stay.

    Raises:
        CommandError: there is no such stack or queue, or no access to it.

    """
    from botocore.exceptions import BotoCoreError, ClientError

    place = target.in_aws() if on_aws else target.on_this_machine(settings)
    try:
        return _replay(place, options)
    except (BotoCoreError, ClientError) as error:
        raise CommandError(f"AWS refused: {error}", "May these credentials read and empty the queues?") from error


def _replay(place: Target, options: Options) -> bool:
    clients = Clients(place.connect("sqs"), place.connect("dynamodbstreams"), place.connect("lambda"))
    queues = {queue.name: queue for queue in _failure_queues(place, clients.sqs)}
    if options.queue is not None and options.queue not in queues:
        raise CommandError(f"There is no failure queue {options.queue!r}", f"There are: {', '.join(queues)}")
    results: Counter[str] = Counter()
    for name, queue in queues.items():
        if options.queue in {None, name}:
            results += _replay_queue(queue, clients, options, place.wait_seconds)
    _conclude(results, options)
    return options.dry or not (results[STAYS] or results[GONE])


def _conclude(results: Counter[str], options: Options) -> None:
    if not results:
        print("\nThe failure queues are empty")
    elif options.dry:
        print("\nNothing was changed; do it again with: make replay")
    elif results[STAYS]:
        print("\nWhat stays failed again; why is in the function's log (on this machine: make logs)")
    if results[GONE]:
        print("\nWhat is gone from its stream can't be done again; take it out with: make replay DROP=1")


def _failure_queues(place: Target, sqs: Any) -> list[FailureQueue]:
    """What the deployed stack tells of them."""
    from botocore.exceptions import ClientError

    try:
        [stack] = place.connect("cloudformation").describe_stacks(StackName=place.stack_name)["Stacks"]
    except ClientError as error:
        hint = "Is it another stage? Say it with PARLEY_STAGE"
        raise CommandError(f"There is no stack {place.stack_name}: {error}", hint) from error
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
    if OUTPUT not in outputs:
        raise CommandError(f"{place.stack_name} does not tell its failure queues", "Deploy this version first")
    sources = _sources(place, sqs)
    urls: dict[str, str] = json.loads(outputs[OUTPUT])
    return [FailureQueue(name, url, sources.get(_attributes(sqs, url)["QueueArn"])) for name, url in urls.items()]


def _sources(place: Target, sqs: Any) -> dict[str, str]:
    """The URL of the work queue behind each dead-letter queue's ARN, among the queues of the stack."""
    sources = {}
    for resource in target.resources_of(place.stack_name, place.connect):
        if resource.kind == "AWS::SQS::Queue":
            url = resource.physical_id
            if policy := _attributes(sqs, url).get("RedrivePolicy"):
                sources[json.loads(policy)["deadLetterTargetArn"]] = url
    return sources


def _attributes(sqs: Any, url: str) -> dict[str, str]:
    reply = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn", "RedrivePolicy"])
    attributes: dict[str, str] = reply["Attributes"]
    return attributes


def _replay_queue(queue: FailureQueue, clients: Clients, options: Options, wait_seconds: int) -> Counter[str]:
    """All that lies in one queue, oldest first."""
    found = sorted(_receive(clients.sqs, queue.url, wait_seconds), key=_sent)
    print(f"  {queue.name:<{NAMES}}{f'{len(found)} failed' if found else 'empty'}")
    results: Counter[str] = Counter()
    staying = {message["MessageId"]: {"QueueUrl": queue.url, "ReceiptHandle": message["ReceiptHandle"]}
               for message in found}  # fmt: skip
    try:
        for message in found:
            result, words = _do(message, queue.source_url, clients, options)
            print(f"    {_age(time.time() - _sent(message)):<{NAMES - 2}}{words}")
            results[result] += 1
            if result in {AGAIN, DROPPED}:
                clients.sqs.delete_message(**staying.pop(message["MessageId"]))
    finally:
        for message in staying.values():
            clients.sqs.change_message_visibility(**message, VisibilityTimeout=0)
    return results


def _receive(sqs: Any, url: str, wait_seconds: int) -> Iterator[dict[str, Any]]:
    """Everything in the queue, each once."""
    seen: set[str] = set()
    while True:
        messages = sqs.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=10,
            WaitTimeSeconds=wait_seconds,
            VisibilityTimeout=HIDDEN_SECONDS,
            MessageSystemAttributeNames=["SentTimestamp"],
            MessageAttributeNames=[TARGET],
        ).get("Messages", [])
        if not messages:
            return
        yield from (message for message in messages if message["MessageId"] not in seen)
        seen |= {message["MessageId"] for message in messages}


def _do(message: Mapping[str, Any], source_url: str | None, clients: Clients, options: Options) -> tuple[str, str]:
    """What came of one message, and the words for it."""
    from botocore.exceptions import BotoCoreError, ClientError

    work = Work("a failure")
    try:
        unreached = message.get("MessageAttributes", {}).get(TARGET, {}).get("StringValue")
        work = work_of(message["Body"], clients, source_url=source_url, target_arn=unreached)
        if work.gone:
            result = DROPPED if options.drop and not options.dry else GONE
            return result, f"{work.what}: gone, the stream keeps them for 24 hours{_dropped(result)}"
        if options.dry:
            return STAYS, work.what
        wrong = work.again()
    except (BotoCoreError, ClientError, UnreadableError) as error:
        wrong = str(error)
    return (STAYS, f"{work.what}: stays, {wrong}") if wrong else (AGAIN, f"{work.what}: {_again(source_url)}")


def _dropped(result: str) -> str:
    return "; dropped" if result == DROPPED else ""


def _again(source_url: str | None) -> str:
    return "replayed" if source_url is None else "back in its queue"


def _sent(message: Mapping[str, Any]) -> float:
    return int(message["Attributes"]["SentTimestamp"]) / 1_000


def _age(seconds: float) -> str:
    for unit, name in ((DAY, "d"), (HOUR, "h"), (MINUTE, "min")):
        if seconds >= unit:
            return f"{seconds / unit:.0f} {name}"
    return f"{seconds:.0f} s"
