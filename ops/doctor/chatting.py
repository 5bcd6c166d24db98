"""The steps of a user: coming, writing, hearing, catching up, files."""

from __future__ import annotations

import asyncio
import math
import struct
import time
import zlib
from typing import TYPE_CHECKING, Any, Final, cast

from parley_client import Message, MessageEdited, ParleyClient, ReadReceipt
from parley_client.errors import ParleyError, RefusedError

from ops.doctor.people import SOON_S, Person, bare, new_person
from ops.doctor.trouble import Doubt, Skip, Trouble

if TYPE_CHECKING:
    from ops.doctor.patient import Patient

SYNCED_BYTES: Final = 100_000
_LONGEST: Final = 3_500
_MOST_MESSAGES: Final = 150
_SLOW_S: Final = 3.0
_FRAME_BYTES: Final = 33_000  # a little over what a gateway takes
_TOO_LARGE: Final = 1009
_AHEAD_MS: Final = 5_000


def alice(patient: Patient) -> Person:
    return cast("Person", patient.people["alice"])


def bob(patient: Patient) -> Person:
    return cast("Person", patient.people["bob"])


def between(patient: Patient) -> str:
    """Their conversation."""
    place = "dm:" + ":".join(sorted((patient.person("alice"), patient.person("bob"))))
    patient.conversations.add(place)
    return place


async def by_bearer(patient: Patient) -> str:
    """With a token in a header, as apps and servers come."""
    return await _comes(patient, "alice")


async def by_ticket(patient: Patient) -> str:
    """With a ticket that was bought with a token, as browsers come."""
    return await _comes(patient, "bob", by_ticket=True)


async def _comes(patient: Patient, name: str, **options: Any) -> str:
    began = time.monotonic()
    person = new_person(patient, name, **options)
    try:
        await person.come()
    except RefusedError as error:
        raise Trouble(
            f"a good token is refused: {error}",
            await asyncio.to_thread(_why_refused, patient),
            "Compare the secret that the authorizer reads with the one that signs: see `secrets` and `functions`",
        ) from None
    patient.people[name] = person
    return f"online after {time.monotonic() - began:.2f} s"


def _why_refused(patient: Patient) -> str:
    """Whose token it is that the authorizer takes."""
    theirs, own = patient.setting("Authorizer", "JWT_SECRET_ARN"), patient.outputs.get("JwtSecretArn", "")
    if own and theirs != own:
        return "The authorizer reads another secret (JWT_SECRET_ARN) than the stack tells of (JwtSecretArn)"
    for variable in ("JWT_ISSUER", "JWT_AUDIENCE"):
        if patient.setting("Authorizer", variable) != patient.setting("Rest", variable):
            return f"{variable} of the authorizer is another than that of the HTTP API"
    cause, _ = patient.cause(time.time() - SOON_S)
    return f"The authorizer does not take what was signed with the stack's secret. {cause}"


async def refused(patient: Patient) -> str:
    """Without a good token nobody comes in, by either door."""
    user = patient.person("alice")
    forged = patient.token(user)
    head, body, signature = forged.split(".")
    turned = signature[:10] + ("A" if signature[10] != "A" else "B") + signature[11:]
    said = []
    for what, token in (("a token with a wrong signature", f"{head}.{body}.{turned}"), ("no token", "none")):
        client = ParleyClient(patient.ws_url, token=token, http_url=patient.http_url, user_id=user)
        try:
            async with client, asyncio.timeout(SOON_S):
                await client.connected()
        except RefusedError as error:
            said.append(f"{what}: {error.status}")
            continue
        except ParleyError as error:
            raise Trouble(f"{what} is answered {error.code}, not 401 or 403") from None
        raise Trouble(
            f"{what} opens a connection",
            "The authorizer lets everybody in",
            "Take the stack off the net, and deploy it again",
        )
    return ", ".join(said)


async def message(patient: Patient) -> str:
    """A message is stored, acknowledged, and comes live to who is there."""
    place, began, began_at = between(patient), time.monotonic(), time.time()
    ack = await _in_time(
        alice(patient).client.send(f"doctor {patient.run}", to=bob(patient).user), "the ack of a message"
    )
    acked = time.monotonic()
    event = cast(
        "Message",
        await bob(patient).gets(
            f"message {ack.seq}, which was acknowledged,",
            lambda one: isinstance(one, Message) and (one.conversation_id, one.seq) == (place, ack.seq),
        ),
    )
    came, ahead = time.monotonic(), event.created_at - int(time.time() * 1_000)
    if ahead > _AHEAD_MS:
        raise Doubt(f"it is {ahead / 1_000:.0f} s from the future", "Clocks differ", "See `clocks`")
    said = f"acknowledged after {acked - began:.2f} s, there after {came - began:.2f} s"
    if came - began > _SLOW_S:
        noted = await asyncio.to_thread(patient.cause_noted, began_at)
        cause, remedy = noted or (
            "a cold start, or calls that are tried again",
            "Run it again; see `durations`, `logs`",
        )
        raise Doubt(said, f"That is slow: {cause}", remedy)
    return said


async def _in_time(call: Any, what: str) -> Any:
    try:
        async with asyncio.timeout(SOON_S):
            return await call
    except TimeoutError:
        raise Trouble(f"{what} did not come within {SOON_S:.0f} s") from None


async def edit(patient: Patient) -> str:
    """A change of a message comes to who has it."""
    place = between(patient)
    ack = await _in_time(alice(patient).client.send("doctor", to=bob(patient).user), "the ack of a message")
    await _in_time(alice(patient).client.edit(place, ack.seq, "doctor, edited"), "the answer to an edit")
    await bob(patient).gets(
        "the edit",
        lambda one: isinstance(one, MessageEdited) and (one.conversation_id, one.message_seq) == (place, ack.seq),
    )
    return "told live"


async def receipt(patient: Patient) -> str:
    """Who has written hears that it was read."""
    place = between(patient)
    ack = await _in_time(alice(patient).client.send("doctor", to=bob(patient).user), "the ack of a message")
    await _in_time(bob(patient).client.mark_read(place, ack.seq), "the answer to a read cursor")
    await alice(patient).gets(
        "the receipt",
        lambda one: isinstance(one, ReadReceipt) and one.user_id == bob(patient).user and one.seq >= ack.seq,
    )
    return "told live"


async def sync(patient: Patient) -> str:
    """A device that comes for the first time catches up with 100 KB."""
    longest = min(_LONGEST, int(patient.setting("Message", "TEXT_LIMIT", str(_LONGEST))))
    wanted = math.ceil(SYNCED_BYTES / longest)
    most = min(_MOST_MESSAGES, int(patient.setting("Message", "MESSAGE_BURST", str(_MOST_MESSAGES))))
    place = between(patient)
    for number in range(min(wanted, most)):
        ack = await _in_time(
            alice(patient).client.send(f"{number:04}".ljust(longest, "."), to=bob(patient).user), "an ack"
        )
    began = time.monotonic()
    late = new_person(patient, "bob", device="doctor-late", history="all")
    await late.come()
    try:
        await late.gets(
            f"message {ack.seq}", lambda one: isinstance(one, Message) and one.seq == ack.seq, within_s=2 * SOON_S
        )
        took = time.monotonic() - began
        found = [one.seq for one in late.events if isinstance(one, Message) and one.conversation_id == place]
        if found != sorted(set(found)):
            raise Trouble("messages came twice, or out of order")
        size = sum(len(one.content or "") for one in late.events if isinstance(one, Message))
    finally:
        await late.leave()
    return f"{len(found)} messages, {size / 1_000:.0f} KB, within {took:.2f} s"


async def frames(patient: Patient) -> str:
    """Frames of one connection overlap, and one that is too large ends it, and nothing else."""
    async with bare(patient, "carol") as one:
        replies = await asyncio.gather(*(one.ask("ping") for _ in range(5)))
        if not all(reply.get("success") for reply in replies):
            raise Trouble(
                f"a ping is answered {next(str(one.get('error')) for one in replies if not one.get('success'))}"
            )
        said = "five at once are answered"
        await one.socket.send('{"type": "ping", "id": "' + "x" * _FRAME_BYTES + '"}')
        await one.until(lambda: one.is_over or bool(one.events), SOON_S)
        if one.socket.close_code == _TOO_LARGE:
            return f"{said}; one of {_FRAME_BYTES:,} bytes ends its connection with {_TOO_LARGE}"
        if one.events:
            return f"{said}; one of {_FRAME_BYTES:,} bytes is refused with a reply"
        raise Doubt(f"{said}; one of {_FRAME_BYTES:,} bytes gets no answer", "Neither a close nor a reply came")


def picture(width: int = 64, height: int = 48) -> bytes:
    """A PNG, all one colour."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (b"\x00" + b"\x30\x90\x60" * width) * height
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


async def files(patient: Patient) -> str:
    """An image is uploaded, checked, sent, and downloaded as it was."""
    import io

    content, began = picture(), time.monotonic()
    file = await alice(patient).client.upload(content, name="doctor.png", content_type="image/png", check_within=60)
    checked = time.monotonic() - began
    patient.files.add(file.id)
    if (file.width, file.height) != (64, 48):
        raise Trouble(f"the check says {file.width} by {file.height} of an image of 64 by 48")
    await alice(patient).client.send("", to=bob(patient).user, message_type="image", file_id=file.id)
    for thumbnail in (False, True):
        got = io.BytesIO()
        await bob(patient).client.download(file.id, got, thumbnail=thumbnail)
        if not thumbnail and got.getvalue() != content:
            raise Trouble("what is downloaded is not what was uploaded")
    return f"ready after {checked:.2f} s; downloaded, and its thumbnail"


async def idle(patient: Patient) -> str:
    """After ten minutes without a frame the gateway has ended the connection, and the functions' own are stale."""
    if not patient.options.long:
        raise Skip("takes ten minutes: LONG=1")
    minutes = 10.5
    async with bare(patient, "carol") as one:
        ended = await one.until(lambda: one.is_over, minutes * 60)
        code = one.socket.close_code
    return f"the connection was ended ({code})" if ended else f"it was kept for {minutes} minutes: no such limit here"


async def again(patient: Patient) -> str:
    """And then a handshake and a message take no longer than at first."""
    if not patient.options.long:
        raise Skip("comes after `idle`: LONG=1")
    began = time.monotonic()
    async with bare(patient, "dave") as one:
        opened = time.monotonic() - began
        reply = await one.ask(
            "message", to=patient.person("alice"), content="doctor", client_message_id=patient.run, after=0
        )
    patient.conversations.add("dm:" + ":".join(sorted((patient.person("alice"), patient.person("dave")))))
    took = time.monotonic() - began
    said = f"handshake after {opened:.2f} s, message after {took:.2f} s"
    if not reply.get("success"):
        raise Trouble(f"{said}, which is refused: {reply.get('error', {}).get('code')}")
    if took > 2 * _SLOW_S:
        raise Doubt(said, "Connections that had slept were waited for", "See the functions' logs of this minute")
    return said
