"""Makes lines that Parley imports of an export of Stream's channels, and says what can't come along.

    convert.py export.json FOLDER

writes FOLDER/users.ndjson and FOLDER/history.ndjson, which load.py takes. It asks nobody and changes nothing: run it
as often as you like. An export is what Stream's `exportChannels` gives in its first version: for each channel its
messages and members, as a list or a line each.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from messages import USER_ID, Json, line_of, milliseconds, short

NAME, MEMBERS = 100, 48  # as docs/limits.md has them
JOINER = "\u200d"  # of emoji


def channels(text: str) -> list[Json]:
    """The channels of an export. Ends the program where it is none."""
    try:
        read = json.loads(text)
    except ValueError:
        read = [json.loads(line) for line in text.splitlines() if line.strip()]
    found: list[Json] = read if isinstance(read, list) and read else [read]
    for number, one in enumerate(found, start=1):
        if not isinstance(one, dict) or not {"channel", "messages"} <= one.keys():
            sys.exit(f"Channel {number} has no `channel` or no `messages`: is it an export of channels, version 1?")
    return found


def label(text: object) -> str:
    """One line of what can be seen: what a name may be here."""
    return " ".join("".join(each if each.isprintable() or each == JOINER else " " for each in str(text or "")).split())[
        :NAME
    ]


def users(found: list[Json]) -> Iterator[Json]:
    """Who is in a channel or has written in one, once each."""
    seen: dict[str, Json] = {}
    for one in found:
        for holder in [*(one.get("members") or []), *one["messages"]]:
            user = holder.get("user") or {"id": holder.get("user_id", "")}
            seen[user["id"]] = {**seen.get(user["id"], {}), **user}
    for user_id, user in seen.items():
        if USER_ID.fullmatch(user_id):
            name, image = label(user.get("name")), str(user.get("image") or "")
            avatar = {"avatar": image} if image.startswith("https://") else {}
            yield {"user_id": user_id, **({"name": name} if name else {}), **avatar}


def lines(found: Json, lost: Counter[str]) -> Iterator[Json]:
    """A channel, and then its messages in their order."""
    channel, messages = found["channel"], found["messages"]
    listed = [one.get("user_id") or one["user"]["id"] for one in found.get("members") or []]
    members = [one for one in dict.fromkeys(listed) if USER_ID.fullmatch(one)]
    lost["members whose id can't be one here"] += len(set(listed)) - len(members)
    is_private = str(channel["id"]).startswith("!members-") and len(members) == len(set(listed)) == 2
    if is_private:
        place = {"conversation_id": "dm:" + ":".join(sorted(members))}
    else:
        place = {"group": short(channel["cid"])}
        yield {"type": "group", "id": place["group"], **about(channel, members, messages, lost)}
    for message in sorted(messages, key=lambda one: (milliseconds(one["created_at"]), one["id"])):
        if line := line_of(message, members if is_private else (), lost):
            yield {**line, **place}


def about(channel: Json, members: list[str], messages: list[Json], lost: Counter[str]) -> Json:
    """A group, whose owner is who made the channel, if they are in it, else its first member."""
    made_by = (channel.get("created_by") or {}).get("id", "")
    writers = [one["user"]["id"] for one in messages if USER_ID.fullmatch(one["user"]["id"])]
    creator = made_by if made_by in members else next(iter([*members, *writers]), made_by)
    others = [one for one in members if one != creator]
    lost[f"members beyond {MEMBERS} of a group: add them by POST …/members"] += len(others[MEMBERS - 1 :])
    name = label(channel.get("name")) or label(", ".join(members) or channel["id"])
    group = {"name": name, "creator": creator, "members": others[: MEMBERS - 1]}
    return {**group, "created_at": milliseconds(channel["created_at"])}


def write(place: Path, found: Iterable[Json]) -> int:
    texts = [json.dumps(one, ensure_ascii=False) + "\n" for one in found]
    place.write_text("".join(texts), encoding="utf-8", errors="replace")
    return len(texts)


def main(export: str, folder: str) -> None:
    out, lost = Path(folder), Counter[str]()
    found = channels(Path(export).read_text(encoding="utf-8"))
    out.mkdir(parents=True, exist_ok=True)
    history = write(out / "history.ndjson", (line for one in found for line in lines(one, lost)))
    print(f"{write(out / 'users.ndjson', users(found))} users, and {history} lines of {len(found)} channels, in {out}")
    print("Not as it was:")
    for what, count in sorted((+lost).items()):
        print(f"{count:7}  {what}")
    print("    all  read states (all of it will be read), roles of members, channels' pictures, custom fields, polls")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("Like this: convert.py export.json FOLDER")
    try:
        main(*sys.argv[1:])
    except (OSError, ValueError, KeyError) as error:
        sys.exit(f"The export can't be read: {type(error).__name__}: {error}")
