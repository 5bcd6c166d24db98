"""`make status`: what runs, where, how it is, and whether the code has moved on since."""

import os

from local import deployment, health, server, stack
from local.console import fact
from local.errors import LocalError
from local.fingerprint import fingerprint
from local.settings import Settings


def status(settings: Settings) -> bool:
    """Print the state of the stack; tell whether it is up and answers."""
    running = server.find(settings)
    if running is None:
        fact("emulator", "not running; start it with: make up")
        return False
    fact("emulator", f"runs on port {running.port}, process {running.process.pid}")
    try:
        deployed = stack.read(settings.stack_file)
    except LocalError:
        fact("stack", "not deployed; deploy it with: make up")
        return False
    healthy = health.http_answers(deployed)
    fact("health", "answers" if healthy else "does not answer; look into: make logs")
    current = deployment.read(settings).fingerprint == fingerprint(settings, os.environ)
    fact("deployed", "up to date" if current else "older than the code; deploy it with: make up")
    fact("WebSocket", deployed.ws_url)
    fact("HTTP", deployed.http_url)
    fact("details", settings.show(settings.stack_file))
    return healthy
