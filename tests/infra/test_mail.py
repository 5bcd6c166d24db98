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
    assert "AWS/SES" not in text
    assert "mail_stop" not in text


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


def test_what_comes_back_or_is_called_spam_is_told_to_the_queue_of_looks(synthesize: Callable[..., Resources]) -> None:
    stack = synthesize(mail_from="chat@example.com")
    (told,) = stack.properties("AWS::SES::ConfigurationSetEventDestination")
    destination = told["EventDestination"]
    assert (destination["Enabled"], destination["MatchingEventTypes"]) == (True, ["BOUNCE", "COMPLAINT"])
    assert ":event-bus/default" in json.dumps(destination["EventBridgeDestination"]["EventBusArn"])
    (configuration,) = stack.of("AWS::SES::ConfigurationSet")
    for name, reason in (("MailBounces", "bounce"), ("MailComplaints", "complaint")):
        _, rule = stack.named("AWS::Events::Rule", name)
        pattern = rule["EventPattern"]
        assert pattern["source"] == ["aws.ses"]
        assert pattern["detail"]["mail"]["tags"] == {"ses:configuration-set": [{"Ref": configuration}]}
        (target,) = rule["Targets"]
        assert "LooksFailures" in json.dumps(target["DeadLetterConfig"])
        transformer = target["InputTransformer"]
        assert sorted(transformer["InputPathsMap"].values()) == ["$.detail.mail.destination", "$.detail.mail.tags"]
        assert f'"kind":"mail_stop","reason":"{reason}","tags":<' in transformer["InputTemplate"]
    _, bounces = stack.named("AWS::Events::Rule", "MailBounces")
    assert bounces["EventPattern"]["detail"]["bounce"] == {"bounceType": ["Permanent"]}


def test_on_a_laptop_the_rules_are_for_its_own_ses(synthesize: Callable[..., Resources]) -> None:
    stack = synthesize(target="local", local_endpoint="http://localhost:4577", mail_from="chat@example.com")
    _, rule = stack.named("AWS::Events::Rule", "MailComplaints")
    assert rule["EventPattern"]["source"] == ["local.ses"]
    assert "mail" not in rule["EventPattern"]["detail"]
    assert not [one for one in stack.properties("AWS::CloudWatch::Alarm") if one.get("Namespace") == "AWS/SES"]


def test_how_much_comes_back_has_alarms_before_ses_stops_the_account(synthesize: Callable[..., Resources]) -> None:
    stack = synthesize(mail_from="chat@example.com")
    alarms = {
        one["MetricName"]: one["Threshold"]
        for one in stack.properties("AWS::CloudWatch::Alarm")
        if one.get("Namespace") == "AWS/SES"
    }
    assert alarms == {"Reputation.BounceRate": 0.05, "Reputation.ComplaintRate": 0.001}
