"""The gateway's @connections API: posting to many connections in parallel, and closing one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from urllib.parse import quote

from shared.adapters.aws.deadline import Deadline
from shared.adapters.aws.json_service import UNBOUNDED, timestamp
from shared.adapters.aws.parallel_map import ThreadedMap
from shared.adapters.aws.sigv4 import signer_for
from shared.adapters.aws.transport import Pool, TransportError
from shared.config import AwsEnvironment
from shared.domain.connections import Posted, PostOutcome
from shared.errors import Unavailable

_MAX_ATTEMPTS: Final = 3
_OK: Final = 200
# 410: closed. 400: an id that never was one; keeping it would mean posting to it for ever.
_GONE: Final = frozenset({400, 410})
# 429: the account's rate, or the client's full buffer. 5xx: the gateway's own trouble.
_RETRYABLE: Final = frozenset({429, 500, 502, 503, 504})


class ApiGatewayConnections:
    """Gateway on the management API of one WebSocket stage."""

    def __init__(
        self,
        endpoint_url: str,
        environment: AwsEnvironment,
        *,
        parallel_map: ThreadedMap,
        deadline: Deadline = UNBOUNDED,
    ) -> None:
        self._pool = Pool(endpoint_url)
        self._parallel_map = parallel_map
        self._deadline = deadline
        self._signer = signer_for("execute-api", environment)

    def post(self, connection_ids: Sequence[str], data: bytes) -> Sequence[Posted]:
        return list(self._parallel_map(lambda one: Posted(one, self._post(one, data)), connection_ids))

    def close(self, connection_id: str) -> None:
        try:
            self._request("DELETE", connection_id, b"")
        except TransportError:
            return  # it is unregistered already, and the gateway ends it within its two hours

    def _post(self, connection_id: str, data: bytes) -> PostOutcome:
        for attempt in range(_MAX_ATTEMPTS):
            try:
                if attempt:
                    self._deadline.pause(attempt)
                self._deadline.check()
                status = self._request("POST", connection_id, data)
            except (TransportError, Unavailable):
                return PostOutcome.FAILED  # it has waited long enough already, and a delivery check follows
            if status == _OK:
                return PostOutcome.SENT
            if status in _GONE:
                return PostOutcome.GONE
            if status not in _RETRYABLE:
                return PostOutcome.FAILED
        return PostOutcome.FAILED

    def _request(self, method: str, connection_id: str, data: bytes) -> int:
        path = f"{self._pool.base_path}/%40connections/{quote(connection_id, safe='')}"
        headers = self._signer.sign(method, path, {"host": self._pool.host}, data, timestamp=timestamp())
        return self._pool.request(method, path, headers, data).status
