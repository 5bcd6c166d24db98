"""docs/costs.md and the README say what benchmarks/costs.py computes, and that knows the prices that the page lists."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import channel_costs, cost_model, costs, handlers, list_prices
from infra import prices

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs/costs.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("title", costs.TABLES)
def test_each_table_is_the_computed_one(title: str) -> None:
    section = PAGE.split(f"# {title}\n", 1)[1].split("\n## ", 1)[0]
    assert "\n".join(costs.TABLES[title]()) in section


def test_the_table_of_channels_is_the_computed_one() -> None:
    assert "\n".join(channel_costs.table()) in PAGE
    told, million = channel_costs.Told(0.1, 10_000), prices.MILLION
    each = channel_costs.posted()
    assert f"$10,000 are the gateway's posts, ${each['DynamoDB'] * 10_000 * million:,.0f} read units" in PAGE
    assert f"once for a pack and reader: ${channel_costs.READ.a_million:.2f} a million" in PAGE
    assert f"pack, at ${channel_costs.SYNC.a_million:.2f} a million" in PAGE
    assert f"4 read units: ${cost_model.Cost(writes=6, reads=4).a_million:.2f} a million" in PAGE
    others = {one.name: (one.publish + told.readers * one.deliver) * million for one in list_prices.RIVALS}
    for name in ("AWS AppSync Events", "Ably, by use", "PubNub, by transactions"):
        assert f"{name.replace(',', '')} ${others[name]:,.0f}" in PAGE


@pytest.mark.parametrize("sentence", costs.sentences())
def test_what_is_said_of_them_in_words_is_computed_too(sentence: str) -> None:
    assert sentence in " ".join(PAGE.split()) or sentence in PAGE


@pytest.mark.parametrize(
    ("what", "figure"),
    [
        ("WebSocket message", f"${prices.WEBSOCKET_MESSAGE * prices.MILLION:.2f} per million"),
        ("WebSocket connection minute", f"${prices.CONNECTION_MINUTE * prices.MILLION:.2f} per million"),
        ("HTTP API request", f"${prices.HTTP_REQUEST * prices.MILLION:.2f} per million"),
        (
            "Lambda arm64",
            f"${prices.INVOCATION * prices.MILLION:.2f} per million invocations and ${prices.GB_SECOND:.10f}",
        ),
        ("DynamoDB write unit", f"${prices.WRITE_UNIT * prices.MILLION} per million"),
        ("DynamoDB read unit", f"${prices.READ_UNIT * prices.MILLION} per million"),
        ("SQS request", f"${prices.SQS_REQUEST * prices.MILLION:.2f} per million"),
        ("S3: PUT", f"${prices.S3_PUT * prices.MILLION:.2f}; ${prices.S3_GET * prices.MILLION:.2f};"),
        ("S3: stored", f"${prices.S3_GB_MONTH} per GB"),
        ("S3's events", f"${prices.EVENT * prices.MILLION:.2f} per million"),
        ("EventBridge Scheduler", f"${prices.SCHEDULE * prices.MILLION:.2f} per million"),
        ("logs", f"${prices.LOGS_GB:.2f} per GB"),
        ("custom metrics", f"${prices.METRIC_MONTH:.2f}; ${prices.ALARM_MONTH:.2f}; ${prices.DASHBOARD_MONTH:.2f}"),
        (
            "Secrets Manager",
            f"${prices.SECRET_MONTH:.2f} a month; ${prices.SECRET_CALL * prices.MILLION:.2f} per million",
        ),
        ("SES", f"${prices.MAIL * 1_000:.2f} per thousand"),
        ("X-Ray", f"${prices.TRACE * prices.MILLION:.2f} per million"),
    ],
)
def test_the_page_lists_the_prices_that_are_reckoned_with(what: str, figure: str) -> None:
    head = PAGE.split("\n## ")[0]
    [row] = [line for line in head.splitlines() if line.startswith(f"| {what}")]
    assert figure in row


def test_a_message_takes_as_long_as_its_cpu_at_the_memorys_share_and_its_round_trips() -> None:
    run = cost_model.Run(cpu=1.0, reads=1, writes=1, posts=1, sends=1, memory_mb=cost_model.CORE_MB)
    trips = cost_model.READ_MS + cost_model.WRITE_MS + cost_model.POST_MS + cost_model.SEND_MS
    assert run.ms == pytest.approx((1.0 + cost_model.RUNTIME_MS) * cost_model.ARM + trips)
    half = cost_model.Run(cpu=1.0, reads=1, writes=1, posts=1, sends=1, memory_mb=cost_model.CORE_MB // 2)
    assert half.cpu_ms == pytest.approx(2 * run.cpu_ms, rel=1e-2)
    assert cost_model.Run(cpu=1.0, memory_mb=10_240).cpu_ms == run.cpu_ms
    assert 35 <= cost_model.MESSAGE.ms <= 40


def test_the_readme_says_the_same_figures() -> None:
    section = " ".join(README.split("## What it costs\n")[1].split("\n## ")[0].split())
    busy, alone = cost_model.busy_message(), cost_model.private_message().a_million
    reads = 3.5 + 1 / cost_model.BURST
    beside = busy - 3 - prices.MILLION * (prices.WRITE_UNIT + reads * prices.READ_UNIT)
    read = prices.MILLION * reads * prices.READ_UNIT
    assert f"{reads:.1f} read units \N{MULTIPLICATION SIGN} $0.125 | ${read:.2f} |" in section
    assert f"| **${busy:.2f}** |" in section
    assert f"Where each message comes alone, it is ${alone:.2f}" in section
    assert f"(durations reckoned) | | ${beside:.2f} |" in section
    assert f"A push is ${cost_model.push(10):.2f} to ${cost_model.push(1):.2f} a million" in section
    assert f"An edit or a reaction is ${cost_model.EDIT.a_million:.2f} a million" in section
    large = f"to one of 1,000 with 100 online ${cost_model.LARGE.a_million:.0f}"
    assert f"10 online ${cost_model.GROUP.a_million:.2f}, {large}. An hour" in section
    idle, with_pushes = cost_model.WITHOUT_PUSHES, cost_model.WITH_PUSHES
    assert f"Idle: $0.40 a month for the secret, ${idle.alarmed:.2f} for {idle.alarms} alarms, $3.00" in section
    assert f"for the dashboard and ${idle.polled:.2f} for polling {idle.queues} queues" in section
    assert f"about ${with_pushes.dollars - idle.dollars:.2f} more for both push providers" in section


def test_what_is_taken_off_costs_what_the_page_says() -> None:
    page = (ROOT / "docs" / "costs.md").read_text(encoding="utf-8")
    assert f"of the same user: ${cost_model.withdrawal():.2f} in tens" in page


def test_the_cpu_of_handlers_is_measured_by_what_still_runs() -> None:
    """Once: the figures themselves belong to a quiet machine."""
    measured = handlers.measure(calls=2, rounds=1)
    assert set(measured) >= {"authorizer", "$connect", "message", "ping", "stream record", "delivery check"}
    assert all(cpu > 0 for (cpu,) in measured.values())
