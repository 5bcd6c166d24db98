"""Hears of all that happens, as a backend does: by a signed webhook, each event once, and nothing left out.

It makes its webhook by itself, checks each signature, keeps what it has taken in a database (so that an event that
comes twice is taken once), and sees by `seq` where a conversation has places that never came: those it asks for.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import sqlite3
import sys
import time
import urllib.request
from email.message import Message
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

WEBHOOK = "example"
KINDS = ["private", "group", "channel"]
FRESH_S = 300  # an older request is a repetition by somebody who has listened
TABLES = """
    CREATE TABLE IF NOT EXISTS secret (one INTEGER PRIMARY KEY, value TEXT);
    CREATE TABLE IF NOT EXISTS taken (conversation TEXT, seq INTEGER, event TEXT, PRIMARY KEY (conversation, seq));
"""


def needed(name: str) -> str:
    """What the environment says; README.md has the commands that set it."""
    return os.environ.get(name) or sys.exit(f"{name} is not set: see README.md")


def ask(method: str, path: str, body: Any = None) -> Any:
    """A request to Parley, as its administrator. Raises OSError where it is refused, or Parley can't be reached."""
    headers = {"Authorization": f"Bearer {needed('PARLEY_TOKEN')}", "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(needed("PARLEY_HTTP_URL") + path, data, headers, method=method)
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)


def secret_of(database: sqlite3.Connection, url: str) -> bytes:
    """The webhook's secret. It is shown when the webhook is made, and only then: one that was lost is made anew."""
    made = ask("PUT", f"/v1/webhooks/{WEBHOOK}", {"url": url, "conversations": KINDS, "enabled": True})
    kept = database.execute("SELECT value FROM secret").fetchone()
    if "secret" not in made and not kept:
        made = ask("POST", f"/v1/webhooks/{WEBHOOK}/rotate")
    if "secret" in made:
        with database:
            database.execute("INSERT OR REPLACE INTO secret VALUES (1, ?)", (made["secret"],))
    return base64.b64decode((made.get("secret") or kept[0]).removeprefix("whsec_"))


def is_from_parley(headers: Message, body: bytes, secret: bytes) -> bool:
    """Whether one of the signatures is ours (there are two while a secret is replaced), and of these five minutes."""
    signed = f"{headers.get('webhook-id')}.{headers.get('webhook-timestamp')}.".encode() + body
    wanted = "v1," + base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode()
    given = headers.get("webhook-signature", "").encode().split(b" ")
    at = headers.get("webhook-timestamp", "")
    is_fresh = at.isdecimal() and abs(time.time() - int(at)) < FRESH_S
    return is_fresh and any(hmac.compare_digest(one, wanted.encode()) for one in given)


def take(database: sqlite3.Connection, event: dict[str, Any]) -> None:
    """Keep it, once. Where places before it never came, have them told: they come before anything that is newer."""
    conversation, seq = event["conversation_id"], event["seq"]
    [last] = database.execute("SELECT max(seq) FROM taken WHERE conversation = ?", (conversation,)).fetchone()
    if seq > (missing := (last or 0) + 1):
        print(f"gap {conversation}: {missing} to {seq - 1}", flush=True)
        ask("POST", f"/v1/webhooks/{WEBHOOK}/replay", {"conversation_id": conversation, "seq": missing})
    with database:  # kept before it is answered: what is not answered comes again
        row = (conversation, seq, json.dumps(event))
        is_new = database.execute("INSERT OR IGNORE INTO taken VALUES (?, ?, ?)", row).rowcount
    print(event["type"] if is_new else "again", event["id"], flush=True)


class Receiver(BaseHTTPRequestHandler):
    database: sqlite3.Connection
    secret: bytes

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        is_good = is_from_parley(self.headers, body, self.secret)
        if is_good and (event := json.loads(body))["type"] != "webhook.test":
            take(self.database, event)
        self.send_response(204 if is_good else 401)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Says nothing: what was taken is printed."""


def main() -> None:
    port = int(os.environ.get("PORT", "8080"))
    Receiver.database = sqlite3.connect(os.environ.get("RECEIVER_DB", "receiver.db"))
    Receiver.database.executescript(TABLES)
    with HTTPServer(("127.0.0.1", port), Receiver) as server:
        Receiver.secret = secret_of(Receiver.database, os.environ.get("PUBLIC_URL", f"http://localhost:{port}/"))
        print("ready", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    try:
        main()
    except OSError as error:
        sys.exit(f"The webhook can't be made, or the port is taken: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
