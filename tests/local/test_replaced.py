"""What is replaced in MiniStack is what ADR 0021 says, is still there, and reads as it did when it was replaced."""

from __future__ import annotations

import ast
import json
import re
import subprocess

from local.settings import ROOT

EMULATOR = ROOT / "local/emulator"
ADR = ROOT / "docs/adr/0021-what-the-emulator-replaces.md"
# What stands in a fresh process under these names: the beginning of its source's SHA-256, or its type if it has none.
INSPECT = """
import functools, hashlib, importlib, inspect, json, sys
found = {}
for module, path in json.loads(sys.stdin.read()):
    try:
        value = functools.reduce(getattr, path.split("."), importlib.import_module(module))
    except AttributeError:
        continue
    source = inspect.getsource(value).encode() if inspect.isfunction(value) else None
    found[f"{module}.{path}"] = hashlib.sha256(source).hexdigest()[:12] if source else type(value).__name__
print(json.dumps(found))
"""
# MiniStack 1.5.33. Where one has changed: read both again, and write down what it is now.
KNOWN = {
    "ministack.app._load_persisted_state": "03de3b870e8f",
    "ministack.app.save_all": "ea253a04fd05",
    "ministack.core.lambda_runtime.Worker._drain_stderr_bounded": "3fd7cc742872",
    "ministack.core.lambda_runtime.Worker._read_stderr": "d8eb30038f94",
    "ministack.core.lambda_runtime._detect_runtime_binary": "222e200df2c0",
    "ministack.core.lambda_runtime.execution_credentials": "cffaadc4f396",
    "ministack.core.lambda_runtime.zipfile": "module",
    "ministack.core.persistence.STATE_DIR": "str",
    "ministack.services.apigateway._handle_execute_in_scope": "aa60b8b0dfaa",
    "ministack.services.apigateway._invoke_lambda_proxy": "fbe5024fcd36",
    "ministack.services.apigateway.handle_connections_api": "6fe56ee5b247",
    "ministack.services.apigateway.handle_websocket": "6d609b2db6a0",
    "ministack.services.dynamodb._emit_stream_event": "8568d0446f26",
    "ministack.services.dynamodb._remove_item": "5cce50c99688",
    "ministack.services.dynamodb._set_item": "4e78ad492132",
    "ministack.services.dynamodb.handle_request": "1201f2ac993c",
    "ministack.services.eventbridge._dispatch_to_lambda": "1f95adbaed3a",
    "ministack.services.lambda_svc.CODE_BLOB_DIR": "str",
    "ministack.services.lambda_svc._dynamodb_stream_positions": "AccountRegionScopedDict",
    "ministack.services.lambda_svc._emit_lambda_logs": "111efbf06968",
    "ministack.services.lambda_svc._ensure_poller": "a21371869881",
    "ministack.services.lambda_svc._execute_function_warm": "62b9218bef5b",
    "ministack.services.lambda_svc._poll_dynamodb_streams": "2b2460e933a9",
    "ministack.services.sqs.DEFAULT_PORT": "str",
    "ministack.services.sqs._CANONICAL_NETLOC": "str",
}


def named(node: ast.expr) -> str | None:
    """`a.b.c` of such an expression."""
    if isinstance(node, ast.Name):
        return node.id
    inner = named(node.value) if isinstance(node, ast.Attribute) else None
    return f"{inner}.{node.attr}" if inner and isinstance(node, ast.Attribute) else None


def names() -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
    """MiniStack's names that the emulator assigns to, and its private ones that it uses: module and path."""
    replaced, used = set(), set()
    for file in EMULATOR.glob("*.py"):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        modules = {
            alias.name: f"{node.module}.{alias.name}"
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("ministack")
            for alias in node.names
        }
        for node in ast.walk(tree):
            name = named(node) if isinstance(node, ast.Attribute) else None
            head, _, path = (name or "").partition(".")
            if head in modules and isinstance(node, ast.Attribute):
                if isinstance(node.ctx, ast.Store):
                    replaced.add((modules[head], path))
                elif re.match(r"_[a-z]", path):
                    used.add((modules[head], path.partition(".")[0]))
    return replaced, used


def standing(wanted: set[tuple[str, str]]) -> dict[str, str]:
    """What MiniStack itself has under these names."""
    python = ROOT / ".tools/emulator/bin/python"
    done = subprocess.run(
        [python, "-c", INSPECT], input=json.dumps(sorted(wanted)), capture_output=True, text=True, check=True
    )
    found: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_what_is_replaced_still_reads_as_it_did() -> None:
    replaced, _ = names()
    assert standing(replaced) == KNOWN


def test_every_private_name_that_is_used_is_there() -> None:
    _, used = names()
    assert {f"{module}.{path}" for module, path in used} - standing(used).keys() == set()


def test_the_adr_says_what_is_replaced() -> None:
    replaced, _ = names()
    told = set(re.findall(r"`(\w+(?:\.\w+)+)`", "".join(re.findall(r"^\|.*\|$", ADR.read_text(), re.MULTILINE))))
    assert {f"{module.rpartition('.')[2]}.{path}" for module, path in replaced} == told
