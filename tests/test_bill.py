"""`make cost` and docs/calculator.html: the same sums, of the counted operations, by service; each has a budget."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks import bill, calculator, channel_costs, cost_model, costs, list_prices
from benchmarks.bill import Usage
from benchmarks.channel_costs import Told
from infra import prices

ROOT = Path(__file__).resolve().parent.parent
NOTHING = Usage(
    users=1,
    hours=0,
    connects=0,
    private=0,
    group=0,
    online=0,
    requests=0,
    images=0,
    downloads=0,
    pushes=0,
    kept_months=0,
)
ONE = 1 / bill.DAYS
USAGES = {
    "the usual": Usage(),
    "a small team": Usage(users=30, pushes=0),
    "large groups": Usage(group_size=1_000, online=0.1, group=2),
    "large groups that are not quiet": Usage(group_size=500, online=0.1, group=2),
    "a quiet group": Usage(group_size=501, group=0.01),
    "just over a shard": Usage(group_size=101),
    "all online": Usage(online=1),
    "alone": Usage(group_size=1),
    "much data": Usage(users=1_000_000, images=100, kept_months=36),
    "a channel": Usage(channel=500, readers=10_000),
    "a channel beyond its packs": Usage(channel=5_000, readers=20_000, pace=10),
    "a channel without readers": Usage(channel=5, readers=0, pace=0),
    "mails": Usage(mails=3),
    "nothing": NOTHING,
}
# The most that a million may cost, in dollars: what is built later keeps to it, or says why not.
BUDGETS = {
    "a private message, alone": (cost_model.private_message().a_million, 6.30),
    "a private message, under load": (cost_model.busy_message(), 4.5),
    "an edit": (cost_model.EDIT.a_million, 6.50),
    "a receipt": (cost_model.RECEIPT.a_million, 3.50),
    "a receipt with a message": (cost_model.riding_receipt(), 0.80),
    "a message in a group of 20": (cost_model.GROUP.a_million, 19.80),
    "a message in a group of 1,000": (cost_model.LARGE.a_million, 130.0),
    "a digest in a group of 1,000": (cost_model.DIGEST.a_million, 132.0),
    "a message in a channel, 10,000 there, 0.1/s": (Told(0.1, 10_000).a_million, 10_900.0),
    "the same, 1/s": (Told(1, 10_000).a_million, 2_200.0),
    "the same, 10/s": (Told(10, 10_000).a_million, 860.0),
    "a push, in tens": (cost_model.push(10), 5.30),
    "a mail, with SES's part": (cost_model.mail(), 106.0),
    "an image": (costs.image(), 40.0),
    "a request": (cost_model.REQUESTED.a_million, 1.50),
    "an hour online": (cost_model.hour_online() * prices.MILLION, 60.5),
    "a month without anybody": (cost_model.WITH_PUSHES.dollars, 10.85),
}


@pytest.mark.parametrize("operation", BUDGETS)
def test_an_operation_keeps_to_its_budget(operation: str) -> None:
    dollars, most = BUDGETS[operation]
    assert 0.95 * most <= dollars <= most, "dearer than it may be, or so much cheaper that the budget should follow"


# What a receipt was, with the reply by its route's response.
BEFORE = cost_model.Cost(
    messages=3, reads=4, writes=1, lines=cost_model.FRAME_LINE, runs=(cost_model.MESSAGE,)
).a_million


def test_in_a_slow_exchange_receipts_cost_less_than_six_tenths_of_before() -> None:
    """A message is delivered, read some time later, and answered: the answer says that it was read."""
    now = cost_model.RECEIPT.a_million + cost_model.riding_receipt()
    assert now <= 0.6 * 2 * BEFORE


def test_in_a_quick_exchange_they_cost_no_gateway_message_and_no_invocation() -> None:
    riding = cost_model.RIDING_RECEIPT
    assert (riding.messages, riding.runs, riding.lines) == (0, (), 0)
    assert cost_model.riding_receipt() <= 0.2 * BEFORE


def test_a_receipt_alone_saves_its_reply_and_several_share_a_frame() -> None:
    assert pytest.approx(1) == BEFORE - cost_model.RECEIPT.a_million
    assert cost_model.receipts_together(1) == cost_model.RECEIPT
    assert cost_model.receipts_together(3).a_million / 3 <= 0.7 * BEFORE
    assert cost_model.ANSWERED_RECEIPT.a_million <= 1.02 * BEFORE


def dollars_of(usage: Usage, *, but: str = "") -> float:
    units = bill.pieces()
    return sum(count * sum(units[name].values()) for name, count in bill.counts(usage).items() if name != but)


def test_the_pieces_come_to_what_the_counted_operations_cost() -> None:
    small = replace(NOTHING, group=ONE, group_size=20, online=9 / 19)
    assert dollars_of(small, but="receipt") == pytest.approx(cost_model.GROUP.dollars, rel=1e-9)
    large = replace(NOTHING, group=ONE, group_size=1_000, online=99 / 999)
    one_each = cost_model.LARGE.dollars + cost_model.DIGEST.dollars
    assert dollars_of(large) == pytest.approx(one_each, rel=1e-9)
    busy = replace(large, group=1)  # of a thousand in a day
    assert dollars_of(busy) == pytest.approx(30 * (cost_model.LARGE.dollars + 0.096 * cost_model.DIGEST.dollars))
    channel = replace(NOTHING, channel=ONE, readers=10_000, pace=0.1)
    assert dollars_of(channel) * prices.MILLION == pytest.approx(Told(0.1, 10_000).a_million)
    private = replace(NOTHING, private=ONE, online=1)
    assert dollars_of(private, but="receipt") * prices.MILLION == pytest.approx(cost_model.busy_message(), rel=1e-9)
    assert dollars_of(private) - dollars_of(private, but="receipt") == pytest.approx(cost_model.RECEIPT.dollars)
    away = replace(private, online=0, pushes=1)
    assert bill.counts(away)["push"] == pytest.approx(1)
    assert dollars_of(replace(NOTHING, hours=ONE)) == pytest.approx(cost_model.hour_online())
    assert dollars_of(replace(NOTHING, images=1)) * prices.MILLION == pytest.approx(costs.image())


def test_the_faster_a_channel_is_written_the_more_share_a_pack() -> None:
    few, more, many = (Told(pace, 10_000) for pace in (0.1, 1, 10))
    assert (few.posts, more.posts, many.posts) == (10_000, 2_000, 200)
    assert (few.syncs, more.syncs, many.syncs) == (0, 0, 200)
    assert Told(3.2, 10_000).syncs == 0 < Told(3.3, 10_000).syncs


def test_a_post_of_a_pack_is_hardly_more_than_the_gateways_price() -> None:
    each = channel_costs.posted()
    assert each["API Gateway"] == prices.WEBSOCKET_MESSAGE
    assert sum(each.values()) < 1.1 * prices.WEBSOCKET_MESSAGE


def test_a_month_without_anything_is_what_stands_still() -> None:
    assert bill.bill(NOTHING) == {bill.IDLE: cost_model.WITHOUT_PUSHES.dollars}


def test_mails_cost_what_is_counted_of_them_and_ses_and_none_cost_nothing() -> None:
    one, none = bill.bill(replace(NOTHING, users=1_000, mails=2)), bill.bill(replace(NOTHING, users=1_000))
    assert none == {bill.IDLE: cost_model.WITHOUT_PUSHES.dollars}
    assert one[bill.SES] == pytest.approx(0.2)
    assert sum(one.values()) - sum(none.values()) == pytest.approx(
        2_000 * cost_model.mail() / prices.MILLION + cost_model.idle_mails()
    )


def test_the_internet_is_charged_beyond_what_is_free() -> None:
    usage = replace(NOTHING, images=1, image_kb=1e6, downloads=bill.FREE_GB)
    assert bill.INTERNET not in bill.bill(usage)
    more = replace(usage, downloads=bill.FREE_GB + 10)
    assert bill.bill(more)[bill.INTERNET] == pytest.approx(10 * bill.INTERNET_GB)


@pytest.mark.parametrize(
    ("users", "dollars"), [(100, [0.012, 0.012, 29.03, 49.0]), (100_000, [12.0, 12.0, 59.0, 936.0])]
)
def test_others_are_reckoned_by_what_they_publish_and_deliver(users: int, dollars: list[float]) -> None:
    """A message a day to somebody online is one publication and one delivery, and its receipt is as much again."""
    usage = replace(NOTHING, users=users, private=1, online=1)
    by_use = [one for one in list_prices.RIVALS if not one.plans]
    assert [bill.rival(one, usage) for one in by_use] == pytest.approx(dollars)
    minutes = [bill.rival(one, replace(usage, hours=1)) for one in by_use]
    aws = dollars[0] + users * 0.000144
    assert minutes == pytest.approx([aws, aws, dollars[2] + users * 0.0018, dollars[3]])


@pytest.mark.parametrize(
    ("users", "dollars"),
    [
        (1, [29.05, 98, 399, 349]),
        (1_000, [79, 98, 399, 349]),
        (5_000, [279, 370, 399, 349]),
        (5_001, [279.05, 550, 399, 499]),
        (10_000, [529, 550, 399, 499]),
        (10_100, [534, 1_130, 408, 1_199]),
        (24_000, [1_229, 1_130, 1_049, 1_199]),
        (25_000, [1_279, 1_130, 1_049, 1_199]),
        (25_001, [1_279.05, None, 1_049.09, None]),
        (60_000, [3_029, None, 2_749, None]),
    ],
)
def test_plans_by_users_are_the_cheapest_that_will_do(users: int, dollars: list[float | None]) -> None:
    """Whatever their users do. Beyond what is published there is none."""
    by_users = [one for one in list_prices.RIVALS if one.plans]
    assert all(list(one.plans) == sorted(one.plans) for one in by_users)
    for usage in (Usage(users=users), Usage(users=users, private=1_000, hours=24)):
        found = [bill.rival(one, usage) for one in by_users]
        assert [one if one is None else round(one, 2) for one in found] == dollars


def test_the_calculator_is_written_with_the_figures_of_today() -> None:
    assert calculator.PAGE.read_text("utf-8") == calculator.page(), "write it: python -m benchmarks.calculator"


def test_the_calculators_sums_are_those_of_the_command() -> None:
    node = shutil.which("node")
    assert node, "the web page's tests need it as well"
    page = calculator.PAGE.read_text("utf-8")
    sums = page.split('<script id="sums">')[1].split("</script>")[0]
    figures = page.split('<script id="figures" type="application/json">')[1].split("</script>")[0]
    asked = f"""
        const f = {figures};
        const found = {json.dumps([asdict(one) for one in USAGES.values()])}.map(
            (u) => [bill(u, f), f.rivals.map((one) => rival(one, u, f))]);
        console.log(JSON.stringify(found));"""
    found = json.loads(
        subprocess.run([node, "-"], input=sums + asked, capture_output=True, text=True, check=True).stdout
    )
    for usage, (services, others) in zip(USAGES.values(), found, strict=True):
        expected = bill.bill(usage)
        assert services == pytest.approx(expected, rel=1e-9)
        assert list(services) == list(expected)
        ours = [bill.rival(one, usage) for one in list_prices.RIVALS]
        assert [one is None for one in others] == [one is None for one in ours]
        assert [one or 0 for one in others] == pytest.approx([one or 0 for one in ours], rel=1e-9)


def cost(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks.bill", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_the_command_prints_each_service_the_sum_and_the_others() -> None:
    done = cost("--USERS=500", "--group-size", "7")
    assert done.returncode == 0
    total = sum(bill.bill(Usage(users=500, group_size=7)).values())
    assert f"${total:,.2f}" in done.stdout
    for name in (*bill.bill(Usage()), *(one.name for one in list_prices.RIVALS)):
        assert name in done.stdout


def test_the_command_prints_json_for_a_program() -> None:
    said: dict[str, Any] = json.loads(cost("--json", "--users=2").stdout)
    assert said["usage"] == asdict(Usage(users=2))
    assert said["services"] == bill.bill(Usage(users=2))


@pytest.mark.parametrize(
    ("argument", "words"),
    [
        ("--mails=-1", "from 0 to a trillion"),
        ("--online=2", "share from 0 to 1"),
        ("--users=0", "users must be 1"),
        ("--users=1.5", "invalid whole number"),
        ("--users=inf", "invalid whole number"),
        ("--hours=nan", "from 0 to a trillion"),
        ("--private=-1", "from 0 to a trillion"),
        ("--group-size=0", "group_size must be 1"),
        ("--pushes=2", "pushes is 0 or 1"),
        ("--unknown=1", "unrecognized arguments"),
    ],
)
def test_what_makes_no_sense_is_told(argument: str, words: str) -> None:
    done = cost(argument)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr
