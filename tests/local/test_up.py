import io
import json
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path

import pytest

from local import cdk, deployment, health, page, server, tokens
from local import stack as stack_file
from local.errors import CommandError
from local.processes import Process
from local.providers import context
from local.providers import process as push_servers
from local.providers.keys import Keys
from local.providers.ports import Ports
from local.providers.process import Running
from local.reset import reset
from local.server import Server
from local.settings import Settings
from local.status import status
from local.up import down, up
from shared.version import VERSION

OUTPUTS = {
    "WsUrl": "ws://localhost:4600/ws",
    "HttpUrl": "http://localhost:4600/http",
    "LogTable": "log",
    "MembersTable": "members",
    "SessionsTable": "sessions",
    "TicketsTable": "tickets",
    "Bucket": "files",
    "FailureQueueUrl": "http://localhost:4600/queue",
    "JwtSecretArn": "arn:secret",
    "Region": "us-east-1",
}


@dataclass
class FakeMachine:
    """An emulator, push servers and a CDK that only note what is asked of them."""

    class exceptions:  # noqa: N801  # as boto3's clients have it
        ResourceExistsException = KeyError

    settings: Settings
    server: Server | None = None
    pushes: Running | None = None
    ports: Ports = field(default_factory=lambda: Ports.beside(4600))
    secrets: dict[str, str] = field(default_factory=dict)
    context: list[str] = field(default_factory=list)
    ready: bool = True
    current: bool = True
    healthy: bool = True
    version: str | None = VERSION
    commands: list[str] = field(default_factory=list)
    fails: str = ""
    outputs: dict[str, str] = field(default_factory=lambda: dict(OUTPUTS))

    def start(self, settings: Settings) -> Server:
        self.commands.append("start")
        self.server = Server(Process(1, "now"), settings.port)
        return self.server

    def stop(self, _settings: Settings) -> bool:
        was_running, self.server = self.server is not None, None
        return was_running

    def checkpoint(self, settings: Settings) -> None:
        settings.state.mkdir(parents=True, exist_ok=True)
        (settings.state / "CURRENT").write_text("1")

    def start_pushes(self, settings: Settings) -> Running:
        self.commands.append("start push servers")
        keys = Keys(settings.providers)
        settings.providers.mkdir(parents=True, exist_ok=True)
        for file in (keys.fcm_file, keys.apns_file):
            if not file.exists():
                file.write_text(secrets.token_hex())
        self.pushes = Running(Process(2, "now"), self.ports)
        return self.pushes

    def stop_pushes(self, _settings: Settings) -> bool:
        was_running, self.pushes = self.pushes is not None, None
        return was_running

    def create_secret(self, Name: str, SecretString: str) -> dict[str, str]:  # noqa: N803
        if Name in self.secrets:
            raise self.exceptions.ResourceExistsException
        return self.put_secret_value(Name, SecretString)

    def put_secret_value(self, SecretId: str, SecretString: str) -> dict[str, str]:  # noqa: N803
        self.secrets[SecretId] = SecretString
        return {"ARN": f"arn:{SecretId}"}

    def build_page(self, settings: Settings) -> None:
        self.commands.append("page")
        page.folder(settings.root).mkdir(parents=True)

    def cdk(self, settings: Settings, command: str, *arguments: str, **_: object) -> None:
        self.commands.append(command)
        self.context = [value for option, value in pairwise(arguments) if option == "-c"]
        if command == self.fails:
            raise CommandError("cdk failed")
        if command == "deploy":
            (settings.home / "outputs.json").write_text(json.dumps({"Parley-local": self.outputs}))

    def get_secret_value(self, SecretId: str) -> dict[str, str]:  # noqa: N803
        assert SecretId == "arn:secret"
        return {"SecretString": "s" * 64}


@pytest.fixture
def machine(settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeMachine:
    for name in [name for name in os.environ if name.startswith("PARLEY_")]:
        monkeypatch.delenv(name)
    project = tmp_path / "project"
    project.mkdir()
    (project / "app.py").write_text("app")
    machine = FakeMachine(Settings(home=settings.home, port=settings.port, root=project))
    monkeypatch.setattr(server, "find", lambda _settings: machine.server)
    monkeypatch.setattr(server, "start", machine.start)
    monkeypatch.setattr(server, "stop", machine.stop)
    monkeypatch.setattr(server, "wait_until_ready", lambda _settings: machine.ready)
    monkeypatch.setattr(server, "checkpoint", machine.checkpoint)
    monkeypatch.setattr(push_servers, "find", lambda _settings: machine.pushes)
    monkeypatch.setattr(push_servers, "start", machine.start_pushes)
    monkeypatch.setattr(push_servers, "stop", machine.stop_pushes)
    monkeypatch.setattr(push_servers, "is_current", lambda _settings: machine.current)
    monkeypatch.setattr(push_servers, "is_ready", lambda _ports: machine.ready)
    monkeypatch.setattr(page, "_run", machine.build_page)
    monkeypatch.setattr(cdk, "run", machine.cdk)
    monkeypatch.setattr(deployment, "_client", lambda *_: machine)
    monkeypatch.setattr(health, "http_answers", lambda _stack: machine.healthy)
    monkeypatch.setattr(health, "version_at", lambda _url: machine.version)
    monkeypatch.setattr(health, "websocket_answers", lambda *_: machine.healthy)
    monkeypatch.setattr("local.up.HEALTH_SECONDS", 0.0)
    return machine


def test_the_first_time_everything_is_done_in_order(machine: FakeMachine) -> None:
    deployed = up(machine.settings)
    assert machine.commands == ["page", "start", "start push servers", "bootstrap", "deploy"]
    assert stack_file.read(machine.settings.stack_file) == deployed
    assert deployed.jwt_secret == "s" * 64
    assert machine.settings.secret_file.stat().st_mode & 0o777 == 0o600


def test_the_second_time_nothing_is_done(machine: FakeMachine) -> None:
    first = up(machine.settings)
    machine.commands.clear()
    assert up(machine.settings) == first
    assert machine.commands == []


def test_changed_code_is_deployed_and_nothing_else_is_done_again(machine: FakeMachine) -> None:
    up(machine.settings)
    machine.commands.clear()
    (machine.settings.root / "app.py").write_text("changed")
    up(machine.settings)
    assert machine.commands == ["deploy"]


def test_after_down_the_emulator_is_started_and_nothing_deployed(machine: FakeMachine) -> None:
    up(machine.settings)
    down(machine.settings)
    machine.commands.clear()
    up(machine.settings)
    assert machine.commands == ["start", "start push servers"]


def test_where_the_state_is_gone_everything_is_done_again(machine: FakeMachine) -> None:
    up(machine.settings)
    down(machine.settings)
    (machine.settings.state / "CURRENT").unlink()
    machine.commands.clear()
    up(machine.settings)
    assert machine.commands == ["start", "start push servers", "bootstrap", "deploy"]


def test_a_deleted_stack_file_is_written_again(machine: FakeMachine) -> None:
    up(machine.settings)
    machine.settings.stack_file.unlink()
    up(machine.settings)
    assert stack_file.read(machine.settings.stack_file).bucket == "files"


def test_after_a_failed_deployment_the_next_one_is_tried_in_full(machine: FakeMachine) -> None:
    up(machine.settings)
    (machine.settings.root / "app.py").write_text("broken")
    machine.fails = "deploy"
    with pytest.raises(CommandError, match="cdk failed"):
        up(machine.settings)
    (machine.settings.root / "app.py").write_text("app")
    machine.fails, machine.commands = "", []
    up(machine.settings)
    assert machine.commands == ["deploy"]


def test_a_configuration_that_is_not_taken_touches_nothing(
    machine: FakeMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    up(machine.settings)
    known, machine.commands = deployment.read(machine.settings), []
    monkeypatch.setenv("PARLEY_TEXT_LIMIT", "0")
    monkeypatch.setenv("PARLEY_REMOVAL", "maybe")
    with pytest.raises(CommandError, match="Configuration: text_limit: '0' is not allowed") as refused:
        up(machine.settings)
    assert refused.value.hint.startswith("And 1 more. docs/configuration.md")
    assert (machine.commands, deployment.read(machine.settings)) == ([], known)


def test_where_mails_lead_and_come_from_is_taken_from_the_environment(
    machine: FakeMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    up(machine.settings)
    monkeypatch.setenv("PARLEY_MAIL_LINK", "https://example.com/chat/{conversation_id}")
    monkeypatch.setenv("PARLEY_MAIL_REPLY_TO", "help@example.com")
    machine.commands = []
    up(machine.settings)
    assert machine.commands == ["deploy"]
    assert context.mails(machine.settings) == {
        "mail_from": "chat@example.com",
        "mail_link": "https://example.com/chat/{conversation_id}",
    }
    monkeypatch.setenv("PARLEY_MAIL_FROM", "nobody")
    with pytest.raises(CommandError, match="Configuration: mail_from: 'nobody' is not allowed"):
        up(machine.settings)


def test_a_failed_bootstrap_is_not_taken_for_done(machine: FakeMachine) -> None:
    machine.fails = "bootstrap"
    with pytest.raises(CommandError, match="cdk failed"):
        up(machine.settings)
    assert not deployment.read(machine.settings).bootstrapped


def test_a_stack_that_does_not_answer_says_so_with_the_functions_last_words(machine: FakeMachine) -> None:
    log = machine.settings.log("functions")
    log.parent.mkdir(parents=True)
    log.write_text(
        json.dumps({"time": "2026-11-23T17:06:44+00:00", "function": "Rest", "line": "no such module"}) + "\n"
    )
    machine.healthy = False
    with pytest.raises(CommandError, match="does not answer with 200") as caught:
        up(machine.settings)
    assert "no such module" in caught.value.hint
    assert "make logs" in caught.value.hint


def test_a_stack_that_runs_on_another_port_is_not_moved_silently(machine: FakeMachine) -> None:
    up(machine.settings)
    elsewhere = Settings(home=machine.settings.home, port=4601, root=machine.settings.root)
    with pytest.raises(CommandError, match="runs on port 4600") as caught:
        up(elsewhere)
    assert caught.value.hint.endswith("make down, and then PARLEY_PORT=4601 make up")


def test_an_emulator_that_hangs_is_one_clear_line(machine: FakeMachine) -> None:
    up(machine.settings)
    machine.ready = False
    with pytest.raises(CommandError, match="does not answer") as caught:
        up(machine.settings)
    assert caught.value.hint == "Run: make down, make up"


def test_of_two_at_once_one_is_turned_away(machine: FakeMachine, monkeypatch: pytest.MonkeyPatch) -> None:
    def start(_settings: Settings) -> Server:
        with pytest.raises(CommandError, match="Another make up, down or reset is at work"):
            down(machine.settings)
        return machine.start(machine.settings)

    monkeypatch.setattr(server, "start", start)
    up(machine.settings)


def test_with_a_jwks_url_there_is_no_secret_and_no_handshake(machine: FakeMachine) -> None:
    up(machine.settings)
    del machine.outputs["JwtSecretArn"]
    (machine.settings.root / "app.py").write_text("changed")
    deployed = up(machine.settings)
    assert deployed.jwt_secret_file is None
    assert not machine.settings.secret_file.exists()


def test_issuer_and_audience_are_told_where_they_are_checked(
    machine: FakeMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PARLEY_JWT_ISSUER", "us")
    monkeypatch.setenv("PARLEY_JWT_AUDIENCE", "")
    deployed = up(machine.settings)
    assert (deployed.iss, deployed.aud) == ("us", None)


def test_the_fingerprint_that_is_kept_is_the_one_of_what_was_deployed(machine: FakeMachine) -> None:
    up(machine.settings)
    assert deployment.read(machine.settings).fingerprint == deployment.wanted(machine.settings, machine.ports)


def test_the_deployment_is_told_where_the_push_servers_are_and_its_secrets(machine: FakeMachine) -> None:
    deployed = up(machine.settings)
    assert deployed.pushes_url == "http://localhost:4601"
    assert set(machine.context) > {
        "local_fcm_endpoint=https://localhost:4602",
        "local_apns_endpoint=https://localhost:4603,https://localhost:4604",
        f"local_ca_file={machine.settings.providers / 'ca.pem'}",
        "mail_from=chat@example.com",
        f"mail_link={machine.settings.endpoint}/ui/#/{{conversation_id}}",
        "fcm_secret_arn=arn:parley/local/fcm",
        "apns_secret_arn=arn:parley/local/apns",
    }
    assert json.loads(machine.secrets["parley/local/fcm"])["token_uri"] == "https://localhost:4602/token"
    assert json.loads(machine.secrets["parley/local/apns"])["key_id"] == "LOCALKEY01"


def test_push_servers_that_moved_are_deployed(machine: FakeMachine) -> None:
    up(machine.settings)
    down(machine.settings)
    machine.ports = Ports(1, 2, 3, 4)
    machine.commands.clear()
    up(machine.settings)
    assert machine.commands == ["start", "start push servers", "deploy"]
    assert "local_fcm_endpoint=https://localhost:1" in machine.context


def test_push_servers_with_other_keys_are_deployed(machine: FakeMachine) -> None:
    up(machine.settings)
    down(machine.settings)
    first = dict(machine.secrets)
    Keys(machine.settings.providers).apns_file.unlink()
    machine.commands.clear()
    up(machine.settings)
    assert machine.commands == ["start", "start push servers", "deploy"]
    changed = [name for name, secret in machine.secrets.items() if secret != first[name]]
    assert changed == ["parley/local/apns"]


def test_push_servers_of_a_version_before_are_replaced(machine: FakeMachine) -> None:
    up(machine.settings)
    machine.current = False
    machine.commands.clear()
    up(machine.settings)
    assert machine.commands == ["start push servers"]


def test_killed_push_servers_are_started_again_and_nothing_else_is_done(machine: FakeMachine) -> None:
    up(machine.settings)
    machine.pushes = None
    machine.commands.clear()
    up(machine.settings)
    assert machine.commands == ["start push servers"]


def test_push_servers_whose_keys_were_deleted_are_one_clear_line(machine: FakeMachine) -> None:
    up(machine.settings)
    Keys(machine.settings.providers).fcm_file.unlink()
    with pytest.raises(CommandError, match="keys are gone") as caught:
        up(machine.settings)
    assert caught.value.hint == "Run: make down, make up"


def test_down_stops_both(machine: FakeMachine) -> None:
    up(machine.settings)
    down(machine.settings)
    assert (machine.server, machine.pushes) == (None, None)


def test_reset_forgets_the_keys_and_the_ports_too(machine: FakeMachine) -> None:
    up(machine.settings)
    machine.settings.providers_file.write_text("{}")
    reset(machine.settings, confirmed=True)
    assert not machine.settings.providers.exists()
    assert not machine.settings.providers_file.exists()


def test_reset_wipes_the_logs_too(machine: FakeMachine) -> None:
    up(machine.settings)
    log = machine.settings.log("functions")
    log.parent.mkdir(exist_ok=True)
    log.touch()
    reset(machine.settings, confirmed=True)
    assert {path.name for path in machine.settings.home.iterdir()} == {"lock"}


def test_without_a_terminal_to_ask_in_nothing_is_wiped(machine: FakeMachine, monkeypatch: pytest.MonkeyPatch) -> None:
    up(machine.settings)
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    with pytest.raises(CommandError, match="Nothing was wiped: there is no terminal") as caught:
        reset(machine.settings, confirmed=False)
    assert caught.value.hint == "Run: make reset YES=1"
    assert machine.settings.stack_file.exists()


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("answer", "wiped"), [("y", True), ("YES", True), ("n", False), ("", False), (None, False)])
def test_reset_asks(machine: FakeMachine, monkeypatch: pytest.MonkeyPatch, answer: str | None, wiped: bool) -> None:
    up(machine.settings)
    monkeypatch.setattr("sys.stdin", Terminal("" if answer is None else f"{answer}\n"))
    if wiped:
        reset(machine.settings, confirmed=False)
    else:
        with pytest.raises(CommandError, match="Nothing was wiped"):
            reset(machine.settings, confirmed=False)
    assert machine.settings.stack_file.exists() is not wiped


@pytest.mark.parametrize("command", [up, lambda settings: reset(settings, confirmed=True)], ids=["up", "reset"])
def test_a_folder_that_holds_other_things_is_nobodys_home(
    machine: FakeMachine, command: Callable[[Settings], object]
) -> None:
    (machine.settings.home / "tmp").mkdir(parents=True)
    (machine.settings.home / "photos").mkdir()
    with pytest.raises(CommandError, match="holds other things, such as photos") as caught:
        command(machine.settings)
    assert "PARLEY_HOME=" in caught.value.hint
    assert (machine.settings.home / "tmp").exists()
    assert machine.commands == []


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"ws_url": 7}', '{"tables": []}', "\x00\xff"])
def test_a_damaged_stack_file_is_written_again(machine: FakeMachine, text: str) -> None:
    up(machine.settings)
    machine.settings.stack_file.write_text(text)
    with pytest.raises(CommandError, match="damaged") as caught:
        stack_file.read(machine.settings.stack_file)
    assert "make up" in caught.value.hint
    machine.commands.clear()
    up(machine.settings)
    assert machine.commands == ["deploy"]
    assert stack_file.read(machine.settings.stack_file).bucket == "files"


@pytest.mark.parametrize(
    "damage", [lambda path: path.unlink(), lambda path: path.write_text("")], ids=["gone", "empty"]
)
def test_a_secret_that_is_gone_is_written_again(machine: FakeMachine, damage: Callable[[Path], object]) -> None:
    deployed = up(machine.settings)
    damage(machine.settings.secret_file)
    with pytest.raises(CommandError, match="is gone") as caught:
        tokens.mint(deployed, "alice")
    assert "make up" in caught.value.hint
    up(machine.settings)
    assert tokens.mint(deployed, "alice")


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "{}", '{"bootstrapped": true, "fingerprint": "of earlier"}'])
def test_a_damaged_record_of_the_deployment_means_that_it_is_done_again(machine: FakeMachine, text: str) -> None:
    up(machine.settings)
    machine.settings.deployment_file.write_text(text)
    machine.commands.clear()
    up(machine.settings)
    assert machine.commands[-1] == "deploy"


def shown(machine: FakeMachine, capsys: pytest.CaptureFixture[str]) -> tuple[bool, str]:
    capsys.readouterr()
    return status(machine.settings), capsys.readouterr().out


def test_status_is_good_only_where_all_runs_and_nothing_has_changed(
    machine: FakeMachine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert shown(machine, capsys) == (False, "  emulator      not running; start it with: make up\n")
    up(machine.settings)
    monkeypatch.setattr(push_servers, "remembered", lambda _: machine.ports)
    good, text = shown(machine, capsys)
    assert (good, "up to date" in text) == (True, True)
    assert f"{machine.settings.endpoint}/ui/" in text
    (machine.settings.root / "app.py").write_text("changed")
    good, text = shown(machine, capsys)
    assert (good, "stale: code changed since; deploy it with: make up" in text) == (False, True)
    monkeypatch.setenv("PARLEY_TEXT_LIMIT", "9")
    assert "stale: code and configuration (PARLEY_TEXT_LIMIT) changed since" in shown(machine, capsys)[1]
    (machine.settings.root / "app.py").write_text("app")
    assert "stale: configuration (PARLEY_TEXT_LIMIT) changed since" in shown(machine, capsys)[1]
    monkeypatch.delenv("PARLEY_TEXT_LIMIT")
    assert shown(machine, capsys)[0]
    machine.pushes = None
    assert not shown(machine, capsys)[0]
    machine.pushes = Running(Process(2, "now"), machine.ports)
    machine.healthy = False
    assert not shown(machine, capsys)[0]


@pytest.mark.parametrize(
    ("said", "shown_as"),
    [
        (VERSION, f"  version       {VERSION}\n"),
        ("9.8.7", f"  version       9.8.7, and {VERSION} here\n"),
        (None, f"  version       {VERSION} here; the stack says none\n"),
    ],
)
def test_status_says_which_version_runs_and_which_is_here(
    machine: FakeMachine, capsys: pytest.CaptureFixture[str], said: str | None, shown_as: str
) -> None:
    machine.version = said
    up(machine.settings)
    assert shown_as in shown(machine, capsys)[1]


def test_status_with_another_port_says_so_and_advises_what_helps(
    machine: FakeMachine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(push_servers, "remembered", lambda _: machine.ports)
    up(machine.settings)
    here = machine.settings.port
    machine.settings = replace(machine.settings, port=4711)
    good, text = shown(machine, capsys)
    assert (good, "up to date" in text) == (False, True)
    helps = f"For the stack as it runs: PARLEY_PORT={here}. To move it: make down, and then PARLEY_PORT=4711 make up"
    assert f"  PARLEY_PORT   is 4711 here. {helps}\n" in text
    with pytest.raises(CommandError, match=f"runs on port {here}, not 4711") as caught:
        up(machine.settings)
    assert caught.value.hint == helps
    (machine.settings.root / "app.py").write_text("changed")
    assert f"deploy it with: PARLEY_PORT={here} make up\n" in shown(machine, capsys)[1]


def test_status_says_that_a_deployment_did_not_come_to_its_end(
    machine: FakeMachine, capsys: pytest.CaptureFixture[str]
) -> None:
    up(machine.settings)
    (machine.settings.root / "app.py").write_text("broken")
    machine.fails = "deploy"
    with pytest.raises(CommandError):
        up(machine.settings)
    good, text = shown(machine, capsys)
    assert (good, "stale: a deployment did not come to its end" in text) == (False, True)
