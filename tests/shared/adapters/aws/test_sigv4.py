from __future__ import annotations

import datetime as dt
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from unittest.mock import patch
from urllib.parse import quote

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.adapters.aws.calls import Signer

ACCESS_KEY, SECRET_KEY = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"


def signed_by_botocore(
    method: str,
    path: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    timestamp: str,
    service: str = "execute-api",
    region: str = "eu-west-1",
    access_key: str = ACCESS_KEY,
    secret_key: str = SECRET_KEY,
    session_token: str = "",
) -> dict[str, str]:
    """What botocore's own signer adds to the same request, under the same clock."""
    request = AWSRequest(method, f"https://{headers['host']}{path}", headers=dict(headers), data=body)
    credentials = Credentials(access_key, secret_key, session_token or None)
    with as_of(timestamp):
        SigV4Auth(credentials, service, region).add_auth(request)
    return {name.lower(): value for name, value in request.headers.items()}


def _segment(text: str) -> str:
    return quote(text, safe="")


# Neither empty nor dots: a URL has them normalised away, and no path of ours holds them.
_LITERAL = ["%40connections", "@connections", "abc%3D", "$default", "_aws", "~x", "a+b", "a:b", "(c)", "%2F"]
_SEGMENTS = (
    st.text(min_size=1, max_size=20).filter(lambda text: text not in {".", ".."}).map(_segment)
) | st.sampled_from(_LITERAL)
_PATHS = st.just("/") | st.lists(_SEGMENTS, min_size=1, max_size=5).map(lambda parts: "/" + "/".join(parts))
_VALUES = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40)
_HEADERS = st.dictionaries(st.sampled_from(["content-type", "X-Amz-Target", "x-amz-meta", "accept"]), _VALUES)
_HOSTS = st.sampled_from(["abc.execute-api.eu-west-1.amazonaws.com", "localhost:4577", "[::1]:8000"])
_TIMES = st.integers(1_400_000_000, 4_100_000_000).map(lambda at: time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(at)))


@given(
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE"]),
    path=_PATHS,
    headers=_HEADERS,
    host=_HOSTS,
    body=st.binary(max_size=200),
    timestamp=_TIMES,
    service=st.sampled_from(["dynamodb", "secretsmanager", "execute-api"]),
    region=st.sampled_from(["us-east-1", "eu-central-1", "cn-north-1"]),
    session_token=st.just("") | st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1),
    secret_key=st.text(min_size=1, max_size=40),
)
@settings(max_examples=200)
def test_every_signature_is_botocores(
    *,
    method: str,
    path: str,
    headers: dict[str, str],
    host: str,
    body: bytes,
    timestamp: str,
    service: str,
    region: str,
    session_token: str,
    secret_key: str,
) -> None:
    signer = Signer(
        service=service, region=region, access_key=ACCESS_KEY, secret_key=secret_key, session_token=session_token
    )
    given_headers = {"host": host, **headers}
    assert signer.sign(method, path, given_headers, body, timestamp=timestamp) == signed_by_botocore(
        method,
        path,
        given_headers,
        body,
        timestamp=timestamp,
        service=service,
        region=region,
        secret_key=secret_key,
        session_token=session_token,
    )


@pytest.mark.parametrize(
    "path",
    [
        "/prod/%40connections/abc%3D",
        "/prod/%40connections/L0SM9cOFvHcCIhw%3D",
        "/_aws/execute-api/a1b2c3/local/%40connections/abc%3D",
        "/$default/%40connections/P-S_9e-7liACH9A%3D",
        "/prod/%40connections/%C3%A9%F0%9F%98%80",
        "/prod/%40connections/a%2Fb%20c%25",
        "/",
    ],
)
@pytest.mark.parametrize("session_token", ["", "FwoGZXIvYXdzEB4a//token=="])
def test_the_paths_that_are_signed_in_earnest_are_signed_as_botocore_does(path: str, session_token: str) -> None:
    signer = Signer(
        service="execute-api",
        region="eu-west-1",
        access_key=ACCESS_KEY,
        secret_key=SECRET_KEY,
        session_token=session_token,
    )
    headers = {"host": "abc.execute-api.eu-west-1.amazonaws.com"}
    ours = signer.sign("POST", path, headers, b"{}", timestamp="20261123T120000Z")
    assert ours == signed_by_botocore(
        "POST", path, headers, b"{}", timestamp="20261123T120000Z", session_token=session_token
    )
    assert ("x-amz-security-token" in ours) == bool(session_token)


def test_the_key_of_a_day_is_not_used_on_another() -> None:
    signer = Signer(service="dynamodb", region="us-east-1", access_key=ACCESS_KEY, secret_key=SECRET_KEY)
    headers = {"host": "dynamodb.us-east-1.amazonaws.com"}
    for timestamp in ("20261123T235959Z", "20261124T000000Z", "20261123T235959Z", "20271124T000000Z"):
        assert signer.sign("POST", "/", headers, b"", timestamp=timestamp) == signed_by_botocore(
            "POST", "/", headers, b"", timestamp=timestamp, service="dynamodb", region="us-east-1"
        )


def test_the_headers_given_are_left_alone() -> None:
    headers = {"Host": "localhost", "X-Amz-Target": "a"}
    signer = Signer(service="dynamodb", region="us-east-1", access_key=ACCESS_KEY, secret_key=SECRET_KEY)
    signed = signer.sign("POST", "/", headers, b"", timestamp="20261123T120000Z")
    assert headers == {"Host": "localhost", "X-Amz-Target": "a"}
    assert set(signed) == {"host", "x-amz-target", "x-amz-date", "authorization"}
    assert "SignedHeaders=host;x-amz-date;x-amz-target," in signed["authorization"]


def as_of(timestamp: str) -> AbstractContextManager[object]:
    """botocore's clock."""
    now = dt.datetime.strptime(timestamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=dt.UTC)
    return patch("botocore.auth.get_current_datetime", return_value=now)
