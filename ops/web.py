"""The chat page's files, put into its bucket after a deployment."""

import json
from pathlib import Path
from typing import Any

from local import page
from local.console import step
from local.settings import Settings

TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
}
LASTING = "public, max-age=31536000, immutable"
ASKED_EACH_TIME = "no-cache"


def publish(settings: Settings, outputs: dict[str, str]) -> None:
    """Put the built page, and where its stack is, into the bucket; the page itself last, behind what it names."""
    import boto3

    with step("page files") as line:
        store = boto3.client("s3", region_name=outputs["Region"])
        _put(store, outputs["WebBucket"], "config.json", json.dumps(_config(outputs)).encode())
        names = _names(page.folder(settings.root))
        for name in names:
            _put(store, outputs["WebBucket"], name, (page.folder(settings.root) / name).read_bytes())
        line.result = f"{len(names) + 1} put into {outputs['WebBucket']}"


def _config(outputs: dict[str, str]) -> dict[str, str]:
    config = {"ws_url": outputs["WsUrl"], "http_url": outputs["HttpUrl"]}
    if url := outputs.get("WebTokenUrl"):
        config["token_url"] = url
    return config


def _names(folder: Path) -> list[str]:
    found = (str(path.relative_to(folder)) for path in folder.rglob("*") if path.suffix in TYPES)
    return sorted(found, key=lambda name: (name == "index.html", name))


def _put(store: Any, bucket: str, name: str, content: bytes) -> None:
    lasting = LASTING if name.startswith("assets/") else ASKED_EACH_TIME
    kind = TYPES[Path(name).suffix]
    store.put_object(Bucket=bucket, Key=name, Body=content, ContentType=kind, CacheControl=lasting)
