"""Uploading by a form, as a browser does it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from http.client import HTTPConnection
from urllib.parse import urlsplit

from shared.domain.files import Upload

_BOUNDARY = "----a-boundary-that-is-in-no-file"


def form_body(fields: Mapping[str, str], data: bytes) -> tuple[bytes, str]:
    """The body, and its content type: every field, and then the file."""
    parts = [
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    head = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="blob"\r\n\r\n'.encode()
    return b"".join(
        [*parts, head, data, f"\r\n--{_BOUNDARY}--\r\n".encode()]
    ), f"multipart/form-data; boundary={_BOUNDARY}"


def post_form(upload: Upload, data: bytes) -> int:
    """Send the form to a store on this machine. Returns the status."""
    url = urlsplit(upload.url)
    body, content_type = form_body(upload.fields, data)
    with closing(HTTPConnection(url.netloc, timeout=60)) as connection:
        connection.request("POST", url.path, body, {"Content-Type": content_type})
        return connection.getresponse().status
