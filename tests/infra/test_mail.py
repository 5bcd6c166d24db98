"""Mail digests are there where a deployment says from which address, and nothing of them is elsewhere."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.infra.templates import Resources


def test_nothing_of_it_is_there_by_default(synthesize: Callable[..., Resources]) -> None:
    text = json.dumps(synthesize().template)
    assert "AWS::SES::" not in text
    assert "ses:SendEmail" not in text
    assert "MailRounds" not in text


def test_on_a_laptop_it_is_every_minute(synthesize: Callable[..., Resources]) -> None:
    stack = synthesize(target="local", local_endpoint="http://localhost:4577", mail_from="chat@example.com")
    _, rule = stack.named("AWS::Events::Rule", "MailRounds")
    assert rule["ScheduleExpression"] == "rate(1 minute)"
    variables = stack.functions["OfflinePush"]["Environment"]["Variables"]
    assert variables["MAIL_DIGEST_AFTER_M"] == "1"


def test_a_rule_looks_every_five_minutes_and_mails_come_from_one_address(synthesize: Callable[..., Resources]) -> None:
    stack = synthesize(mail_from="chat@example.com")
    _, rule = stack.named("AWS::Events::Rule", "MailRounds")
    assert rule["ScheduleExpression"] == "rate(5 minutes)"
    assert [json.loads(target["Input"]) for target in rule["Targets"]] == [{"kind": "mail"}]
    (kept,) = stack.properties("AWS::SES::ConfigurationSet")
    assert kept["SuppressionOptions"] == {"SuppressedReasons": ["BOUNCE", "COMPLAINT"]}
    granted = [one for one in stack.statements("OfflinePush") if one["Action"] == "ses:SendEmail"]
    text = json.dumps(granted)
    assert all(name in text for name in ("identity/chat@example.com", "identity/example.com", "configuration-set/"))
    assert "*" not in text
    assert not [one for one in stack.statements("Rest") if "ses:" in json.dumps(one)]
    variables = stack.functions["OfflinePush"]["Environment"]["Variables"]
    assert (variables["MAIL_FROM"], variables["MAIL_DIGEST_AFTER_M"]) == ("chat@example.com", "60")
