"""Taking away what a run has made: by its users' own means first, and then its rows, which nobody else's are like."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from parley_client import Message
from parley_client.errors import ParleyError

from ops.doctor.operating import operator
from ops.doctor.patient import PREFIX
from ops.doctor.trouble import Doubt, Trouble
from shared.domain.text import about_log_id, user_log_id

if TYPE_CHECKING:
    from ops.doctor.patient import Patient

_BATCH: Final = 25
_GOING_S: Final = 30
_POLL_S: Final = 0.2
_ATTEMPTS: Final = 8


async def cleaning(patient: Patient) -> str:
    """Nothing of this run stays: no message, file, device, reminder or row."""
    await _take_back(patient)
    from ops.doctor.delivering import everybody_leaves

    await everybody_leaves(patient)
    said: str = await rows(patient)
    return said


async def _take_back(patient: Patient) -> None:
    """Delete the messages with files, so that the bytes go with them, and wait until they have gone."""
    alice = patient.people.get("alice")
    if alice is None:
        return
    own = [one for one in alice.events if isinstance(one, Message) and one.file_id and one.sender_id == alice.user]
    for one in own:
        try:
            async with asyncio.timeout(_GOING_S):
                await alice.client.delete(one.conversation_id, one.seq)
                await _bytes_go(patient, one.file_id)
        except (ParleyError, TimeoutError) as error:
            raise Doubt(
                f"a file of the run could not be deleted: {error}", "", "Files that nobody refers to go by themselves"
            ) from None


async def _bytes_go(patient: Patient, file_id: str | None) -> None:
    """Wait until the file's bytes are not kept any more."""
    s3, where = patient.client("s3"), {"Bucket": patient.outputs["Bucket"], "Prefix": f"files/{file_id}"}
    while (await asyncio.to_thread(s3.list_objects_v2, **where)).get("Contents"):  # noqa: ASYNC110  # no event tells of it
        await asyncio.sleep(_POLL_S)


@operator
def rows(patient: Patient) -> str:
    """The rows of the run's users and conversations, by their keys; all of them are named after it."""
    marked = f"{PREFIX}{patient.run}-"
    if any(not user.startswith(marked) for user in patient.users):
        raise Trouble("a user of this run is not marked as its own: nothing was deleted")
    count = 0
    for place in patient.conversations:
        if not all(one.startswith(marked) for one in place.split(":")[1:]):
            continue
        count += _delete(patient, "LogTable", ("conversation_id", "seq"), {"conversation_id": place})
        count += _delete(patient, "MembersTable", ("pk", "sk"), {"pk": f"conversation#{place}"})
    for file_id in patient.files:
        count += _delete(patient, "MembersTable", ("pk", "sk"), {"pk": f"file#{file_id}"})
    for user in patient.users:
        count += _delete(patient, "MembersTable", ("pk", "sk"), {"pk": f"user#{user}"})
        count += _delete(patient, "MembersTable", ("pk", "sk"), {"pk": f"watch#{user}"})
        for log in (user_log_id(user), about_log_id(user)):
            count += _delete(patient, "LogTable", ("conversation_id", "seq"), {"conversation_id": log})
        patient.client("dynamodb").delete_item(TableName=patient.outputs["SessionsTable"], Key={"user_id": {"S": user}})
    return f"{count} rows of {len(patient.users)} users and {len(patient.conversations)} conversations"


def _delete(patient: Patient, output: str, names: tuple[str, str], hashed: Mapping[str, str]) -> int:
    client, table = patient.client("dynamodb"), patient.outputs[output]
    keys = list(_keys(client, table, names, hashed))
    for start in range(0, len(keys), _BATCH):
        requests: Any = {table: [{"DeleteRequest": {"Key": key}} for key in keys[start : start + _BATCH]]}
        for _ in range(_ATTEMPTS):
            requests = client.batch_write_item(RequestItems=requests).get("UnprocessedItems")
            if not requests:
                break
    return len(keys)


def _keys(client: Any, table: str, names: tuple[str, str], hashed: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    [(name, value)] = hashed.items()
    pages = client.get_paginator("query").paginate(
        TableName=table,
        KeyConditionExpression="#h = :h",
        ProjectionExpression="#h, #s",
        ExpressionAttributeNames={"#h": name, "#s": names[1]},
        ExpressionAttributeValues={":h": {"S": value}},
        ConsistentRead=True,
    )
    for page in pages:
        yield from page["Items"]
