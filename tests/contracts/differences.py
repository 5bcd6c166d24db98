"""Where an engine is known to answer otherwise than DynamoDB does: engine → test → what it does instead → which cases.

It holds both ways: each of these cases must fail with that engine, so a difference that is gone has to be struck out.
The simulation must have none. DynamoDB Local is Amazon's own, and the judge but for what the API reference says.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

WHOLE: Final = ("",)
"""A test that has no cases."""

DIFFERENCES: Final[Mapping[str, Mapping[str, tuple[str, tuple[str, ...]]]]] = {
    "simulation": {},
    "dynamodb-local": {
        "test_an_update_that_does_not_fit_its_item_is_a_reason": (
            "refuses the request; the API reference has a ValidationError among the reasons",
            ("no map", "no source", "no number", "the key", "too large"),
        ),
        "test_a_transaction_that_makes_no_sense_is_refused": (
            "checks what the same transaction has just written",
            ("one item checked",),
        ),
    },
    "emulator": {
        "test_a_page_that_ends_where_the_range_ends_knows_it": ("does not know it", WHOLE),
        "test_a_place_within_what_is_no_map_is_refused": (
            "ADD makes the map",
            ("ADD {} :v-gone.a", "ADD {} :v-places.gone.a"),
        ),
        "test_nothing_is_removed_from_a_map_that_is_not_there": ("does nothing", ("gone.a", "places.gone.a")),
        "test_a_number_is_added_to_numbers_alone": ("takes a text for zero", ("SET a = word + :v",)),
        "test_an_update_that_makes_no_sense_is_refused": (
            "does it",
            (
                "SET a = :v REMOVE a-{}",
                "SET #a.b = :v, a.b = :v-{'names': {'a': 'a'}}",
                "SET a = :v SET b = :v-{}",
                "SET a = :v,-{}",
                "SET a = :v + :v + :v-{}",
            ),
        ),
        "test_a_condition_on_one_value": (
            "a number has a beginning and a size",
            ("begins_with(n, :v)-1-False", "size(n) < :v-9-False"),
        ),
        "test_a_condition_that_makes_no_sense_is_refused": (
            "finds it not to hold",
            (
                "n = n-{}",
                "n < :v-{'v': {}}",
                "n BETWEEN :v AND :w-{'v': 1, 'w': 'a'}",
                "attribute_type(n, :v)-{'v': 'X'}",
                "Attribute_exists(n)-{}",
                "_n = :v-{'v': 1}",
            ),
        ),
        "test_a_page_ends_with_the_item_that_completes_a_megabyte": ("the page ends before that item", WHOLE),
        "test_a_query_that_makes_no_sense_is_refused": ("reads something", ("<>", "attribute_exists", "OR")),
        "test_a_batch_get_that_makes_no_sense_is_refused": ("counts each table for itself", ("101 in two tables",)),
        "test_a_batch_get_ends_before_16_megabytes_and_says_what_is_left": ("answers with all of it", WHOLE),
        "test_an_update_that_does_not_fit_its_item_is_a_reason": (
            "does it, or refuses the request",
            ("no number", "the key"),
        ),
        "test_a_transaction_that_makes_no_sense_is_refused": (
            "makes something of it",
            ("two in one", "check of nothing"),
        ),
    },
    "moto": {
        "test_a_page_that_ends_where_the_range_ends_knows_it": ("does not know it", WHOLE),
        "test_a_number_is_stored_in_its_shortest_form": (
            "stores it as it was sent",
            ("1.50-1.5", "1E+3-1000", "007-7", "-0-0"),
        ),
        "test_an_item_that_is_none_is_refused": (
            "stores it, or breaks",
            ("set with duplicates", "39 digits", "number too large", "no value", "two values"),
        ),
        "test_an_item_has_400_kilobytes_with_its_names": ("counts another size", WHOLE),
        "test_an_update_cannot_make_an_item_too_large": ("counts another size", WHOLE),
        "test_an_update_that_makes_no_sense_is_refused": (
            "does something, or breaks",
            ("SET #a.b = :v, a.b = :v-{'names': {'a': 'a'}}", "SET a = :v + :v + :v-{}", "SET #gone = :v-{}"),
        ),
        "test_a_condition_on_one_value": (
            "breaks",
            ("n < :v-a-False", "n > :v-a-False", "size(gone) < :v-9-False", "size(n) < :v-9-False"),
        ),
        "test_a_condition_that_makes_no_sense_is_refused": (
            "finds it to hold or not, or breaks",
            (
                "n = :v-{}",
                "n = :v-{'v': 1, 'unused': 1}",
                "n = :v AND-{'v': 1}",
                "n == :v-{'v': 1}",
                "n = :v)-{'v': 1}",
                "n = n-{}",
                "n < :v-{'v': {}}",
                "n BETWEEN :v AND :w-{'v': 2, 'w': 1}",
                "n BETWEEN :v AND :w-{'v': 1, 'w': 'a'}",
                "begins_with(word, :v)-{'v': 1}",
                "attribute_type(n, :v)-{'v': 'X'}",
                "attribute_exists(:v)-{'v': 1}",
                "Attribute_exists(n)-{}",
                "size(n)-{}",
                "_n = :v-{'v': 1}",
                "-{}",
            ),
        ),
        "test_a_part_of_the_sort_keys": ("knows no value on the left", (":a < seq-{'a': 4}-[10]",)),
        "test_a_page_that_ends_with_the_last_item_does_not_know_it": ("knows it", WHOLE),
        "test_a_page_ends_with_the_item_that_completes_a_megabyte": ("the page ends elsewhere", WHOLE),
        "test_a_query_that_makes_no_sense_is_refused": (
            "reads something, or breaks",
            (
                "limit of 0",
                "start elsewhere",
                "start outside",
                "half a start",
                "<>",
                "another type",
                "IN",
                "begins_with of a number",
                "two of one key",
                "upside down",
                "OR",
                "unused value",
            ),
        ),
        "test_a_batch_get_that_makes_no_sense_is_refused": ("takes it", ("nothing", "no keys")),
        "test_a_batch_get_ends_before_16_megabytes_and_says_what_is_left": (
            "forgets ConsistentRead in what is left",
            WHOLE,
        ),
        "test_a_batch_write_that_makes_no_sense_is_refused_as_a_whole": (
            "takes it, or a part of it",
            ("nothing", "one place twice", "26", "one without its key", "one too large"),
        ),
        "test_an_update_that_does_not_fit_its_item_is_a_reason": (
            "refuses the request, or breaks",
            ("no map", "no source", "no number", "the key", "too large"),
        ),
        "test_a_transaction_that_makes_no_sense_is_refused": (
            "takes it, or breaks",
            ("none", "no condition", "4 MB", "check of nothing"),
        ),
        "test_a_repeated_transaction_with_the_same_token_has_no_second_effect": (
            "applies it again: it does not look at the token",
            WHOLE,
        ),
        "test_a_repeated_transaction_succeeds_though_its_condition_does_not_hold_any_more": (
            "refuses it: it does not look at the token",
            WHOLE,
        ),
        "test_a_token_stands_for_one_request": ("applies it: it does not look at the token", WHOLE),
        "test_a_token_has_at_most_36_characters": ("does not look at the token", WHOLE),
    },
}


def difference(engine: str, test: str) -> str | None:
    """What the engine does instead of what this test (its name with its case) wants."""
    name, _, case = test.partition("[")
    known = DIFFERENCES[engine].get(name)
    if known is None:
        return None
    reason, cases = known
    return reason if case.removesuffix("]").removeprefix(engine).removeprefix("-") in cases else None
