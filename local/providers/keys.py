"""The keys and certificates of the local providers: where they are, and the secrets that a deployment gets of them."""

from __future__ import annotations

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
