"""The keys and certificates of the local providers: where they are, and the secrets that a deployment gets of them."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PROJECT: Final = "parley-local"
CLIENT_EMAIL: Final = f"push@{PROJECT}.iam.gserviceaccount.com"
KEY_ID: Final = "LOCALKEY01"
TEAM_ID: Final = "LOCALTEAM1"


@dataclass(frozen=True, slots=True)
class Keys:
    """Where the keys are. `server_file` has the server's key, its certificate and the CA's, in this order."""

    folder: Path

    @property
    def ca_file(self) -> Path:
        return self.folder / "ca.pem"

    @property
    def server_file(self) -> Path:
        return self.folder / "server.pem"

    @property
    def fcm_file(self) -> Path:
        return self.folder / "fcm.key"

    @property
    def apns_file(self) -> Path:
        return self.folder / "apns.p8"

    @property
    def vapid_scalar(self) -> bytes:
        """The private key that browsers' subscriptions belong to, made of what is here: it needs no file of its own."""
        return _made_of("vapid", self.fcm_file)

    def web_push_secret(self) -> str:
        """As ops/web_push.py makes it."""
        private_key = base64.urlsafe_b64encode(self.vapid_scalar).rstrip(b"=").decode()
        return json.dumps({"private_key": private_key, "subject": "mailto:nobody@localhost"})

    @property
    def browser_secrets(self) -> tuple[bytes, bytes]:
        """The browser's private key, and what it shares with who pushes to it."""
        return _made_of("browser", self.fcm_file), _made_of("auth", self.fcm_file)[:16]

    def fcm_secret(self, token_uri: str) -> str:
        """A service account as Google gives it; it gets its access tokens at `token_uri`."""
        key = self.fcm_file.read_text(encoding="ascii")
        return json.dumps(
            {
                "type": "service_account",
                "project_id": PROJECT,
                "private_key_id": hashlib.sha256(key.encode()).hexdigest()[:40],
                "private_key": key,
                "client_email": CLIENT_EMAIL,
                "client_id": "100000000000000000000",
                "token_uri": token_uri,
                "universe_domain": "googleapis.com",
            }
        )

    def apns_secret(self) -> str:
        """What Apple gives: the key, its id and the team's."""
        key = self.apns_file.read_text(encoding="ascii")
        return json.dumps({"key_id": KEY_ID, "team_id": TEAM_ID, "private_key": key})


def _made_of(what: str, file: Path) -> bytes:
    """32 bytes, the same for the same file, and below the order of the curve."""
    digest = hashlib.sha256(f"{what} {file.read_text(encoding='ascii')}".encode()).digest()
    return b"\x01" + digest[1:]
