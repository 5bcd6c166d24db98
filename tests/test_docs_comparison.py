"""docs/comparison.md says what is computed, of all twelve, each price with its day; the README names all twelve."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest

from benchmarks import profiles
from benchmarks.list_prices import RIVALS
from infra.config import Config
from shared.domain.packs import window_ms

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs/comparison.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
PRODUCTS = (
    "Stream",
    "Sendbird",
    "Ably",
    "PubNub",
    "Tinode",
    "Centrifugo",
    "Matrix",
    "Rocket.Chat",
    "Chime SDK messaging",
    "AppSync Events",
    "IoT Core",
    "AWS's sample",
)
DAY = re.compile(r"\b20\d\d-[01]\d(-[0-3]\d)?\b")
LEVELS = re.compile(r"(yes|partly|no)(: .+|, .+)?|\?")


def words(text: str) -> str:
    return " ".join(text.split())


def section(product: str) -> str:
    [text] = re.findall(rf"^### {re.escape(product)}\n(.*?)(?=^##)", PAGE, flags=re.DOTALL | re.MULTILINE)
    return str(text)


def feature_tables() -> list[list[list[str]]]:
    """Of each table its rows, of each row its cells."""
    text = PAGE.split("## Feature by feature\n")[1]
    tables = re.split(r"^### .+$", text, flags=re.MULTILINE)[1:]
    rows = [[line for line in table.splitlines() if line.startswith("|")] for table in tables]
    return [[[cell.strip() for cell in line.strip("|").split("|")] for line in lines] for lines in rows]


def test_the_table_of_prices_is_the_computed_one() -> None:
    table = PAGE.split("<!-- prices -->\n")[1].split("<!-- end of prices -->")[0]
    assert table.strip().splitlines() == profiles.table(), "python -m benchmarks.profiles prints it"


@pytest.mark.parametrize("sentence", profiles.sentences())
def test_what_is_said_of_it_in_words_is_computed_too(sentence: str) -> None:
    assert sentence in words(PAGE)


def test_what_the_months_are_is_what_is_reckoned() -> None:
    support, private, groups, channel, all_there = profiles.MONTHS.values()
    assert f"{support.users} users, {support.private:g} messages each a day, {support.online:.0%}" in words(
        PAGE
    ).replace(" %", "%")
    assert f"{private.users:,} users, an hour online and {private.private:g} messages a day" in words(PAGE)
    assert (private.hours, groups.users, groups.group, groups.group_size, groups.online) == (1, 10_000, 1, 1_000, 0.1)
    assert f"{channel.channel:g} messages a day, written at one in ten seconds, a tenth" in words(PAGE)
    assert (channel.pace, channel.users, channel.readers) == (0.1, 100_000, channel.users / 10)
    assert all_there.readers == all_there.users


def test_a_channels_readers_have_a_message_after_as_long_as_the_page_says() -> None:
    rate = Config.load({}, {}).channel_rate
    few, all_there = (window_ms(readers, rate=rate) // 1_000 for readers in (10_000, 100_000))
    assert f"**That is paid for with time**: {rate:,} posts a second" in words(PAGE)
    assert (few, all_there) == (5, 50)
    assert "10,000 readers who are there have a message after five seconds, and 100,000 after fifty" in words(PAGE)


@pytest.mark.parametrize("product", PRODUCTS)
def test_each_product_has_what_it_does_better_first_and_a_price_with_a_day_and_a_place(product: str) -> None:
    text = section(product)
    better, worse = text.index("- **Better than Parley**"), text.index("- **Parley better**")
    assert better < worse < text.index("- **Price**")
    price = text.split("- **Price**")[1]
    assert DAY.search(price), "of which day"
    assert re.search(r"\w\.(com|chat|dev|io)/[\w./-]+|costs\.md", price), "where it was read"


def test_no_price_of_others_is_without_a_day_and_a_place() -> None:
    for one in RIVALS:
        assert DAY.fullmatch(one.dated.split(" to ")[0]), one.name
        assert re.search(r"\.(com|io)/", one.source), one.name
        [product] = [product for product in PRODUCTS if product in one.name]
        assert one.dated in section(product).split("- **Price**")[1], one.name


def test_every_feature_is_said_of_all_and_the_same_of_parley_everywhere() -> None:
    tables = feature_tables()
    for table in tables:
        assert len({len(row) for row in table}) == 1
        for row in table[2:]:
            assert all(LEVELS.fullmatch(cell) for cell in row[1:]), row
    for one, other in pairwise(tables):
        assert [row[:2] for row in one] == [row[:2] for row in other]
    names = [name for table in tables for name in table[0][2:]]
    assert [name.replace("the sample", "AWS's sample") for name in names] == [
        product.replace(" messaging", "") for product in PRODUCTS
    ]


def test_the_readme_names_all_twelve_with_a_link_each() -> None:
    text = README.split("## How it compares\n")[1].split("\n## ")[0]
    table = [line for line in text.splitlines() if line.startswith("| [")]
    linked = dict(
        link for line in table for link in re.findall(r"\[([^\]]+)\]\((https://[^)]+)\)", line.split(" | ")[0])
    )
    assert set(linked) == {product.replace("AWS's sample", "websocket-chat-application") for product in PRODUCTS}
    assert "docs/comparison.md" in text
