"""`make status`: what runs, where, how it is, and whether the code has moved on since."""

from dataclasses import replace

from local import deployment, health, server, stack
from local.console import fact
from local.errors import CommandError
from local.fingerprint import Fingerprint
from local.providers import process as push_servers
from local.settings import Settings
from shared.version import VERSION


def status(settings: Settings) -> bool:
    """Print the state of the stack; tell whether it is up, answers, and is what the code and the configuration say."""
    running = server.find(settings)
    if running is None:
        fact("emulator", "not running; start it with: make up")
        return False
    fact("emulator", f"runs on port {running.port}, process {running.process.pid}")
    is_elsewhere = running.port != settings.port
    if is_elsewhere:
        fact("PARLEY_PORT", f"is {settings.port} here. {server.other_port(running, settings)}")
    here = replace(settings, port=running.port)
    return _deployed(here, up=f"PARLEY_PORT={here.port} make up" if is_elsewhere else "make up") and not is_elsewhere


def _deployed(settings: Settings, *, up: str) -> bool:
    """The same of what is deployed there; `up` is the command that helps where something is missing."""
    try:
        deployed = stack.read(settings.stack_file)
    except CommandError:
        fact("stack", f"not deployed; deploy it with: {up}")
        return False
    pushes = push_servers.find(settings)
    healthy = health.http_answers(deployed)
    fact("health", "answers" if healthy else "does not answer; look into: make logs")
    wanted = deployment.wanted(settings, push_servers.remembered(settings))
    known = deployment.read(settings).fingerprint
    changes = ["a deployment did not come to its end"] if known is None else wanted.changes(known)
    fact("deployed", f"stale: {_changed(changes, known)}; deploy it with: {up}" if changes else "up to date")
    fact("version", _version(health.version_at(deployed.http_url) if healthy else None))
    fact("WebSocket", deployed.ws_url)
    fact("HTTP", deployed.http_url)
    fact("pushes", pushes.ports.inspect_url if pushes else f"not running; start the push servers with: {up}")
    fact("chat page", f"{settings.endpoint}/ui/")
    fact("details", settings.show(settings.stack_file))
    return healthy and not changes and pushes is not None


def _version(said: str | None) -> str:
    if said == VERSION:
        return VERSION
    return f"{said}, and {VERSION} here" if said else f"{VERSION} here; the stack says none"


def _changed(changes: list[str], known: Fingerprint | None) -> str:
    return changes[0] if known is None else f"{' and '.join(changes)} changed since"
