"""The page's words: every language says everything, and fills in the same things."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "web/src/i18n"
ENTRY = re.compile(r'^  "(?P<key>[\w.]+)":\s*"(?P<text>(?:[^"\\]|\\.)*)",$', flags=re.MULTILINE)
OTHERS = ("de", "zh")


def table(language: str) -> dict[str, str]:
    if language != "en":
        told: dict[str, str] = json.loads((FOLDER / f"{language}.json").read_text(encoding="utf-8"))
        return told
    source = (FOLDER / f"{language}.ts").read_text(encoding="utf-8")
    found = {match["key"]: match["text"] for match in ENTRY.finditer(source)}
    assert len(found) == source.count('":'), f"{language}: an entry is not read"
    return found


def test_english_has_a_table() -> None:
    assert len(table("en")) > 150


@pytest.mark.parametrize("language", OTHERS)
def test_all_tables_have_the_same_keys(language: str) -> None:
    assert table(language).keys() == table("en").keys()


@pytest.mark.parametrize("language", OTHERS)
def test_a_text_fills_in_what_the_english_one_does(language: str) -> None:
    english = table("en")
    for key, text in table(language).items():
        assert text.strip(), key
        filled = [set(re.findall(r"\{(\w+)\}", form)) for form in text.split("|")]
        for form in filled:
            assert form == set(re.findall(r"\{(\w+)\}", english[key])), key


def test_every_key_is_used() -> None:
    code = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "web/src").rglob("*.tsx"))
    code += "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "web/src/lib").rglob("*.ts"))
    made = re.findall(r"`([\w.]+\.)\$\{", code)
    for key in table("en"):
        assert f'"{key}"' in code or any(key.startswith(prefix) for prefix in made), key


def test_a_language_that_the_emoji_picker_has_no_data_for_is_none() -> None:
    config = (ROOT / "web/vite.config.ts").read_text(encoding="utf-8")
    listed = re.search(r"const LANGUAGES = \[(.*)\]", config)
    assert listed is not None
    assert set(re.findall(r'"(\w+)"', listed[1])) == {
        path.stem for path in (*FOLDER.glob("??.ts"), *FOLDER.glob("??.json"))
    }
