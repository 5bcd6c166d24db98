"""What every contract suite runs against: the adapters on all that is a DynamoDB, and objects in memory and on moto."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import closing
from http import HTTPStatus
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest

from local import ports, server
from local.settings import ROOT, Settings
from shared.adapters.aws import transport as http
from shared.adapters.aws.calls import JsonService
from shared.adapters.aws.s3 import S3Objects, s3
from shared.adapters.aws.threads import ThreadedMap
from shared.adapters.dynamodb.client import Calls
from shared.domain.files import Upload
from shared.ports.services import Objects
from tests.aws.checked import Checked
from tests.contracts.differences import difference
from tests.contracts.engines import ENDPOINT, ENGINES, OTHERWISE, OfOneTest, OneAtATime, empty, remove, service
from tests.dynamodb import Store
from tests.fakes import FakeObjects
from tests.forms import post_form
from tests.moto_tables import bucket, environment, moto_url, tables
from tests.stores import Stores, adapters
from tests.watchdog import watchdog

__all__ = ["bucket", "environment", "moto_url", "tables", "watchdog"]


@pytest.fixture(scope="session")
def moto(moto_url: str) -> Iterator[JsonService]:
    with service(moto_url) as calls:
        yield calls


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory, watchdog: None) -> Iterator[JsonService]:
    """The local emulator, running for all tests of this worker that want it."""
    settings = Settings(home=tmp_path_factory.mktemp("emulator"), port=ports.free_port(), root=ROOT)
    server.start(settings)
    with service(settings.address) as calls:
        yield calls
    server.stop(settings)


@pytest.fixture(scope="session")
def dynamodb_local() -> Iterator[JsonService]:
    with service(os.environ[ENDPOINT]) as calls:
        yield calls
        remove(calls)


def calls_to(engine: str, request: pytest.FixtureRequest) -> Calls:
    """An engine with the four tables, empty."""
    if engine == "simulation":
        return OneAtATime(Store())
    # On a busy machine a retry would meet the first attempt.
    for limit in ("CONNECT_TIMEOUT_S", "READ_TIMEOUT_S"):
        request.getfixturevalue("monkeypatch").setattr(http, limit, 60.0)
    calls: JsonService = request.getfixturevalue(engine.replace("-", "_"))
    empty(calls)
    return OneAtATime(calls) if engine == "moto" else calls


@pytest.fixture(params=ENGINES)
def stores(request: pytest.FixtureRequest) -> Stores:
    """The adapters on an engine, each of their requests valid by AWS's own models."""
    return adapters(Checked(OfOneTest(calls_to(request.param, request))), parallel_map=ThreadedMap(4))


@pytest.fixture(params=ENGINES)
def calls(request: pytest.FixtureRequest) -> Calls:
    """DynamoDB's API, as itself. A test that is among an engine's known differences must fail there."""
    reason = difference(request.param, request.node.name)
    if reason is not None:
        request.applymarker(pytest.mark.xfail(reason=reason, strict=True, raises=OTHERWISE))
    return calls_to(request.param, request)


@pytest.fixture(params=["fake", "moto"])
def objects(request: pytest.FixtureRequest) -> Iterator[Objects]:
    if request.param == "fake":
        yield FakeObjects()
        return
    sdk = s3(request.getfixturevalue("environment"))
    yield S3Objects(sdk, bucket=request.getfixturevalue("bucket"))
    sdk.client.close()


@pytest.fixture
def send(objects: Objects) -> Callable[[Upload, bytes], int]:
    """Uploads by a form. Returns the status."""
    return objects.receive if isinstance(objects, FakeObjects) else post_form


@pytest.fixture
def fetch(objects: Objects) -> Callable[[str], bytes | None]:
    """What is at a link, if anything."""
    return objects.serve if isinstance(objects, FakeObjects) else _download


def _download(url: str) -> bytes | None:
    parts = urlsplit(url)
    with closing(HTTPConnection(parts.netloc, timeout=60)) as connection:
        connection.request("GET", f"{parts.path}?{parts.query}")
        answer = connection.getresponse()
        body = answer.read()
    return body if answer.status == HTTPStatus.OK else None
