"""What is asked of an account before a deployment: each thing that is missing is one line with its cause and remedy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from infra.config import Config
from local.errors import CommandError
from ops import account
from ops.account import Place
from ops.target import Stacks
from tests.ops.account import ACCOUNT, REGION, Account, Answer, concurrency, ready, refused, resources, stack

TABLES = [f"Parley-prod-Storage{name}71D2C972-1ABCDEFGHIJKL" for name in ("Log", "Members", "Sessions", "Tickets")]
ROLE = "AWS::IAM::Role"
FUNCTION = "AWS::Lambda::Function"
SECRET = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:fcm-AbCdEf"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"
CERTIFICATE = f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/0a1b2c3d"


def config(**context: str) -> Config:
    return Config.load(context, {})


def place(told: Account) -> Place:
    return Place(ACCOUNT, REGION, told)


def stacks(told: Account) -> Stacks:
    return Stacks("Parley-prod", REGION, told)


def one_line(caught: pytest.ExceptionInfo[CommandError]) -> str:
    """What a person reads, which is one line and a remedy."""
    assert "\n" not in caught.value.message
    assert caught.value.hint
    return f"{caught.value.message} | {caught.value.hint}"


# -- region -----------------------------------------------------------------------------------------------------------


def test_a_region_that_there_is_not_is_told_with_the_nearest() -> None:
    with pytest.raises(CommandError) as caught:
        account.check_region("eu-centrall-1", config())
    assert "There is no region eu-centrall-1 | Did you mean eu-central-1?" in one_line(caught)


@pytest.mark.parametrize("region", [REGION, "us-east-1", "cn-north-1"])
def test_regions_of_each_partition_are_known(region: str) -> None:
    account.check_region(region, config())


@pytest.mark.parametrize(
    "context",
    [
        {"jwt_secret_arn": SECRET},
        {"fcm_secret_arn": SECRET},
        {"apns_secret_arn": SECRET, "apns_key_arn": KEY},
        {"jwt_key_arn": KEY},
        {"alarm_topic_arn": f"arn:aws:sns:{REGION}:{ACCOUNT}:alarms"},
        {"domain_name": "a.example.com", "certificate_arn": CERTIFICATE},
        {"http_domain_name": "a.example.com", "http_certificate_arn": CERTIFICATE},
    ],
    ids=lambda context: next(iter(context)),
)
def test_what_is_named_by_an_arn_is_in_the_stacks_region(context: dict[str, str]) -> None:
    account.check_region(REGION, config(**context))
    with pytest.raises(CommandError) as caught:
        account.check_region("us-east-1", config(**context))
    assert f"_arn is in {REGION}, and the stack would be in us-east-1 | " in one_line(caught)


# -- bootstrap --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "known"),
    [
        ({"Parameter": {"Value": "6"}}, True),
        ({"Parameter": {"Value": "27"}}, True),
        (refused("ParameterNotFound"), False),
    ],
)
def test_cdks_own_stack_is_there_or_not(answer: Answer, known: bool) -> None:
    assert account.is_bootstrapped(place(ready(**{"ssm.GetParameter": answer}))) is known


@pytest.mark.parametrize("version", ["5", "1", "?"])
def test_cdks_own_stack_may_be_too_old(version: str) -> None:
    with pytest.raises(CommandError) as caught:
        account.is_bootstrapped(place(ready(**{"ssm.GetParameter": {"Parameter": {"Value": version}}})))
    assert f"has version {version}, and 6 is needed | Bring it up to date: node_modules/.bin/cdk bootstrap" in one_line(
        caught
    )


def test_another_refusal_is_not_taken_for_a_missing_bootstrap() -> None:
    with pytest.raises(Exception, match="AccessDenied"):
        account.is_bootstrapped(place(ready(**{"ssm.GetParameter": refused("AccessDeniedException")})))


# -- the stack --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "status", ["CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE"]
)
def test_a_stack_that_stands_can_be_deployed_to(status: str) -> None:
    told = ready(**{"cloudformation.DescribeStacks": stack(status), "dynamodb.ListTables": {"TableNames": TABLES}})
    account.check_stack(stacks(told), afresh=False)


@pytest.mark.parametrize("status", ["UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS", "UPDATE_ROLLBACK_IN_PROGRESS"])
def test_a_stack_that_is_at_work_is_waited_for(status: str) -> None:
    with pytest.raises(CommandError) as caught:
        account.check_stack(stacks(ready(**{"cloudformation.DescribeStacks": stack(status)})), afresh=False)
    assert one_line(caught).startswith(f"Parley-prod is at work: {status} | Wait")


@pytest.mark.parametrize(
    ("status", "remedy"),
    [
        ("UPDATE_ROLLBACK_FAILED", f"continue-update-rollback --stack-name Parley-prod --region {REGION}"),
        ("ROLLBACK_FAILED", "make destroy"),
        ("DELETE_FAILED", "make destroy"),
    ],
)
def test_a_stack_that_is_stuck_is_told_with_its_way_out(status: str, remedy: str) -> None:
    with pytest.raises(CommandError) as caught:
        account.check_stack(stacks(ready(**{"cloudformation.DescribeStacks": stack(status)})), afresh=False)
    assert f"is stuck: {status} | " in one_line(caught)
    assert remedy in one_line(caught)


def test_tables_of_a_deleted_stack_are_not_passed_over_unnoticed() -> None:
    told = ready(**{"dynamodb.ListTables": _two_pages(["users", *TABLES[:2]], ["Parley-production-x", *TABLES[2:]])})
    with pytest.raises(CommandError) as caught:
        account.check_stack(stacks(told), afresh=False)
    assert "There are 4 tables of an earlier Parley-prod" in one_line(caught)
    assert "make adopt. Or begin with empty ones: make deploy AFRESH=1" in one_line(caught)
    account.check_stack(stacks(told), afresh=True)


def _two_pages(*pages: list[str]) -> Answer:
    def answer(asked: Mapping[str, Any]) -> dict[str, Any]:
        if "ExclusiveStartTableName" in asked:
            return {"TableNames": pages[1]}
        return {"TableNames": pages[0], "LastEvaluatedTableName": pages[0][-1]}

    return answer


def test_of_a_first_deployment_that_failed_the_tables_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    told = ready(
        **{"cloudformation.DescribeStacks": stack("ROLLBACK_COMPLETE"), "dynamodb.ListTables": {"TableNames": TABLES}}
    )
    account.check_stack(stacks(told), afresh=False)
    assert TABLES[0] in capsys.readouterr().out


# -- concurrency ------------------------------------------------------------------------------------------------------


def test_a_usual_quota_is_said_in_a_word(capsys: pytest.CaptureFixture[str]) -> None:
    account.check_concurrency(stacks(ready()), config(), place(ready()))
    assert capsys.readouterr().out == "  concurrency   1,000\n"


def test_a_new_accounts_quota_is_said_with_what_it_means_and_how_to_raise_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    told = ready(**{"lambda.GetAccountSettings": concurrency(10)})
    account.check_concurrency(stacks(told), config(), place(told))
    shown = capsys.readouterr().out
    assert "run 10 at a time and 100 times a second" in shown
    assert "about 33 messages a second" in shown
    assert "aws service-quotas request-service-quota-increase --service-code lambda --quota-code L-B99A9384" in shown
    assert f"--desired-value 1000 --region {REGION}" in shown


@pytest.mark.parametrize(
    ("quota", "free", "message", "connect", "fits"),
    [
        (1_000, 1_000, 900, 0, True),
        (1_000, 1_000, 901, 0, False),
        (1_000, 1_000, 700, 100, True),
        (1_000, 1_000, 700, 101, False),
        (1_000, 300, 200, 0, True),
        (1_000, 300, 201, 0, False),
        (10, 10, 1, 0, False),
    ],
)
def test_what_is_to_be_reserved_has_to_be_there(quota: int, free: int, message: int, connect: int, fits: bool) -> None:
    told = ready(**{"lambda.GetAccountSettings": concurrency(quota, free=free)})
    wanted = config(message_concurrency=str(message), connect_concurrency=str(connect))
    if fits:
        account.check_concurrency(stacks(told), wanted, place(told))
        return
    with pytest.raises(CommandError) as caught:
        account.check_concurrency(stacks(told), wanted, place(told))
    assert f"would keep {message + 2 * connect} invocations, and of the account's {quota}" in one_line(caught)
    assert "Keep fewer, or have the quota raised" in one_line(caught)


def test_what_the_stack_has_reserved_by_now_is_its_own() -> None:
    mine = {"WebSocketAuthorizerFunctionF0": "auth", "WebSocketConnectFunction4D": "connect", "HttpRestFunction40": "r"}
    told = ready(
        **{
            "lambda.GetAccountSettings": concurrency(1_000, free=300),
            "lambda.GetFunctionConcurrency": {"ReservedConcurrentExecutions": 150},
            "cloudformation.DescribeStacks": stack(),
            "cloudformation.ListStackResources": resources({FUNCTION: mine}),
        }
    )
    account.check_concurrency(stacks(told), config(message_concurrency="500"), place(told))
    assert {asked["FunctionName"] for asked in told.of("lambda.GetFunctionConcurrency")} == {"auth", "connect"}
    with pytest.raises(CommandError, match="of the account's 1000 there are 600 free"):
        account.check_concurrency(stacks(told), config(message_concurrency="501"), place(told))


# -- the gateway's role for logs --------------------------------------------------------------------------------------

OTHERS = {"cloudwatchRoleArn": f"arn:aws:iam::{ACCOUNT}:role/service-role/theirs"}
OWN = {"cloudwatchRoleArn": f"arn:aws:iam::{ACCOUNT}:role/Parley-prod-WebSocketGatewayLogsRole-1"}
THERE: dict[str, Answer] = {"iam.GetRole": refused("AccessDenied")}
DEPLOYED: dict[str, Answer] = {
    "cloudformation.DescribeStacks": stack(),
    "cloudformation.ListStackResources": resources(
        {ROLE: {"WebSocketGatewayLogsRoleE1844662": "Parley-prod-WebSocketGatewayLogsRole-1"}}
    ),
}


def chosen(told: Account, choice: str) -> str:
    wanted = config(gateway_logs_role=choice) if choice else config()
    return account.gateway_logs_role(stacks(told), wanted, place(told), choice)


@pytest.mark.parametrize("choice", ["", "create"])
def test_where_the_account_has_no_role_the_stack_makes_one(choice: str) -> None:
    assert chosen(ready(), choice) == "create"


def test_where_the_account_has_a_role_it_stays_and_that_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert chosen(ready(**{"apigateway.GetAccount": OTHERS, **THERE}), "") == "existing"
    assert "with the account's role theirs, which stays as it is" in capsys.readouterr().out
    assert chosen(ready(**{"apigateway.GetAccount": OTHERS, **THERE}), "existing") == "existing"


def test_a_role_is_never_replaced_even_where_that_is_configured() -> None:
    with pytest.raises(CommandError) as caught:
        chosen(ready(**{"apigateway.GetAccount": OTHERS, **THERE}), "create")
    assert "gateway_logs_role=create would replace" in one_line(caught)
    assert "set it to existing" in one_line(caught)


@pytest.mark.parametrize("choice", ["", "create"])
def test_the_role_of_the_stack_itself_is_kept_in_it(choice: str) -> None:
    assert chosen(ready(**{"apigateway.GetAccount": OWN, **THERE}, **DEPLOYED), choice) == "create"


def test_the_role_of_a_stack_that_was_deleted_is_another_ones() -> None:
    assert chosen(ready(**{"apigateway.GetAccount": OWN, **THERE}), "") == "existing"


def test_a_role_that_is_gone_is_made_anew(capsys: pytest.CaptureFixture[str]) -> None:
    told = ready(**{"apigateway.GetAccount": OTHERS, "iam.GetRole": refused("NoSuchEntity")})
    assert chosen(told, "") == "create"
    assert "names the role theirs, which is gone" in capsys.readouterr().out
    assert told.of("iam.GetRole") == [{"RoleName": "theirs"}]


def test_existing_needs_one_that_exists() -> None:
    with pytest.raises(CommandError) as caught:
        chosen(ready(), "existing")
    assert f"API Gateway has no role for its logs in {REGION}" in one_line(caught)


# -- secrets and certificates -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["jwt", "fcm", "apns"])
def test_a_secret_that_is_not_there_is_told_before_the_deployment(name: str) -> None:
    told = ready(**{"secretsmanager.DescribeSecret": refused("ResourceNotFoundException")})
    with pytest.raises(CommandError) as caught:
        account.check_secrets(config(**{f"{name}_secret_arn": SECRET}), place(told))
    assert f"{name}_secret_arn names a secret that is not there" in one_line(caught)


@pytest.mark.parametrize(
    ("found", "key", "fits"),
    [
        ({}, "", True),
        ({"KmsKeyId": "alias/aws/secretsmanager"}, "", True),
        ({"KmsKeyId": f"arn:aws:kms:{REGION}:{ACCOUNT}:alias/aws/secretsmanager"}, "", True),
        ({"KmsKeyId": KEY}, "", False),
        ({"KmsKeyId": "alias/ours"}, "", False),
        ({"KmsKeyId": KEY}, KEY, True),
    ],
)
def test_a_secret_under_a_key_of_ones_own_needs_the_key(found: dict[str, str], key: str, fits: bool) -> None:
    told = ready(**{"secretsmanager.DescribeSecret": {"ARN": SECRET, **found}})
    wanted = config(fcm_secret_arn=SECRET, fcm_key_arn=key)
    if fits:
        account.check_secrets(wanted, place(told))
        return
    with pytest.raises(CommandError) as caught:
        account.check_secrets(wanted, place(told))
    assert "The secret of fcm_secret_arn is under a key of your own" in one_line(caught)
    assert f"fcm_key_arn={'arn:aws:kms' if found['KmsKeyId'] == KEY else 'the ARN of alias/ours'}" in one_line(caught)


def test_who_deploys_need_not_see_secrets() -> None:
    told = ready(**{"secretsmanager.DescribeSecret": refused("AccessDeniedException")})
    account.check_secrets(config(fcm_secret_arn=SECRET), place(told))


def test_without_secrets_and_domains_nothing_is_asked() -> None:
    told = ready()
    account.check_secrets(config(), place(told))
    account.check_certificates(config(), place(told))
    assert told.asked == []


DOMAINS = {"domain_name": "ws.example.com", "http_domain_name": "api.example.com", "certificate_arn": CERTIFICATE}


@pytest.mark.parametrize(
    ("names", "missing"),
    [
        (["*.example.com"], ""),
        (["ws.example.com", "api.example.com"], ""),
        (["WS.example.com", "*.example.com"], ""),
        (["ws.example.com"], "api.example.com"),
        (["example.com"], "ws.example.com"),
        (["*.com"], "ws.example.com"),
        (["wsxexample.com", "*.example.com.evil.com"], "ws.example.com"),
    ],
)
def test_a_certificate_names_its_domain(names: list[str], missing: str) -> None:
    issued = {"Certificate": {"Status": "ISSUED", "DomainName": names[0], "SubjectAlternativeNames": names}}
    told = ready(**{"acm.DescribeCertificate": issued})
    if not missing:
        account.check_certificates(config(**DOMAINS), place(told))
        return
    with pytest.raises(CommandError) as caught:
        account.check_certificates(config(**DOMAINS), place(told))
    assert one_line(caught).startswith(f"The certificate of {missing} is for {', '.join(names)} | ")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"Certificate": {"Status": "PENDING_VALIDATION", "DomainName": "x"}}, "is not issued: PENDING_VALIDATION"),
        ({"Certificate": {"Status": "EXPIRED", "DomainName": "x"}}, "is not issued: EXPIRED"),
        (refused("ResourceNotFoundException"), "is not there"),
    ],
)
def test_a_certificate_has_to_be_issued(answer: Answer, said: str) -> None:
    with pytest.raises(CommandError) as caught:
        account.check_certificates(config(**DOMAINS), place(ready(**{"acm.DescribeCertificate": answer})))
    assert f"The certificate of ws.example.com {said}" in one_line(caught)
