"""The directory: filled by the team's server, read and searched by those who may."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from functions.rest.api import make_api
from shared.domain.users import ACQUAINTED, NOBODY, folded, terms_of
from shared.wire.common import encode_cursor
from tests.functions.rest.harness import Answered, RestHarness
from tests.stores import LOG, MEMBERS

BOB: dict[str, Any] = {
    "name": "Bob Builder",
    "avatar": "https://example.com/b.png",
    "role": "agent",
    "data": {"team": 7, "tags": ["a", None]},
}


def put(harness: RestHarness, user_id: str, **record: Any) -> dict[str, Any]:
    answered = harness.call("PUT", f"/v1/users/{user_id}", scope="admin", body=record)
    assert answered.status in (200, 201), answered.body
    body: dict[str, Any] = answered.body
    return body


def put_many(harness: RestHarness, records: list[dict[str, Any]]) -> Answered:
    return harness.call("POST", "/v1/users", scope="admin", body={"users": records})


def show_users_to(harness: RestHarness, whom: str) -> None:
    harness.wired = replace(harness.wired, users_visible=whom)
    harness.api = make_api(harness.wired, unexpected=harness.unexpected.append)


def named(harness: RestHarness, prefix: str, user: str = "alice", **query: str) -> list[str]:
    answered = harness.call("GET", "/v1/users", user=user, query={"prefix": prefix, **query})
    assert answered.status == 200, answered.body
    return [one["user_id"] for one in answered.body["users"]]


def test_a_record_comes_back_as_it_was_put(harness: RestHarness) -> None:
    made = harness.call("PUT", "/v1/users/zoe", scope="admin", body=BOB)
    assert made.status == 201
    assert {**BOB, "user_id": "zoe", "deactivated": False}.items() <= made.body.items()
    assert harness.call("GET", "/v1/users/zoe", scope="admin").body == made.body
    for_few = {"email", "mail_stopped"}
    assert made.body.keys() >= for_few
    assert harness.call("GET", "/v1/users/zoe").body == {k: v for k, v in made.body.items() if k not in for_few}


def test_an_address_is_read_by_administrators_and_its_user_alone(harness: RestHarness) -> None:
    assert put(harness, "zoe", **BOB, email="Zoe.O'Neil+chat@Mail.example.com")["email"].startswith("Zoe")
    assert put_many(harness, [{"id": "yan", "email": "y@xn--mller-kva.example"}]).body["users"][0]["email"]
    for query in ({"ids": "zoe,yan"}, {"prefix": "bob"}):
        for user, scope, sees in (("zoe", "", True), ("root", "admin", True), ("alice", "", False)):
            found = harness.call("GET", "/v1/users", user=user, scope=scope, query=query).body["users"]
            assert ("email" in {one["user_id"]: one for one in found}["zoe"]) is sees
    assert "email" not in harness.call("GET", "/v1/users/zoe", user="alice").body
    assert "email" in harness.call("GET", "/v1/users/zoe", user="zoe").body
    assert "Neil" not in str(harness.stores.rows(LOG))


def test_an_address_stays_until_null_or_another_takes_its_place(harness: RestHarness) -> None:
    put(harness, "zoe", email="a@example.com")
    assert put(harness, "zoe", role="agent")["email"] == "a@example.com"
    assert [row["addressed"] for row in harness.stores.rows(MEMBERS, sk="mail")] == [True]
    version = put(harness, "zoe", email="b@example.com")["version"]
    assert put(harness, "zoe", email="b@example.com")["version"] == version
    assert put(harness, "zoe", email=None)["email"] is None
    assert "addressed" not in harness.stores.rows(MEMBERS, sk="mail")[0]
    put(harness, "zoe", email="a@example.com")
    harness.call("DELETE", "/v1/users/zoe", scope="admin")
    assert "addressed" not in harness.stores.rows(MEMBERS, sk="mail")[0]


def test_what_is_left_out_stays_and_null_clears(harness: RestHarness) -> None:
    first = put(harness, "zoe", **BOB)
    second = put(harness, "zoe", role=None, data=None)
    assert (second["name"], second["role"], second["data"]) == ("Bob Builder", None, {})
    assert second["version"] > first["version"]
    assert put(harness, "zoe", name="Bob Builder")["version"] == second["version"]


def test_who_has_no_record_is_what_they_say_of_themselves(harness: RestHarness) -> None:
    assert harness.call("GET", "/v1/users/zoe").code == "not_found"
    harness.call("PUT", "/v1/me", user="zoe", body={"display_name": "Zoe"})
    assert harness.call("GET", "/v1/users/zoe").body["name"] == "Zoe"
    assert harness.call("GET", "/v1/users/zoe").body["version"] == 0
    assert named(harness, "zoe") == []


def test_what_a_listed_user_says_of_themselves_changes_the_record(harness: RestHarness) -> None:
    version = put(harness, "zoe", name="Zoe One")["version"]
    answered = harness.call("PUT", "/v1/me", user="zoe", body={"display_name": "Zenobia", "push": {"previews": False}})
    assert (answered.body["display_name"], answered.body["push"]["previews"]) == ("Zenobia", False)
    assert harness.call("GET", "/v1/users/zoe").body["version"] > version
    assert (named(harness, "zoe"), named(harness, "zen")) == ([], ["zoe"])
    harness.call("PUT", "/v1/me", user="zoe", body={"display_name": None})
    assert named(harness, "zen") == []


def test_the_name_is_the_profiles(harness: RestHarness) -> None:
    put(harness, "zoe", name="Zoe", avatar="https://example.com/z.png")
    me = harness.call("GET", "/v1/me", user="zoe").body
    assert (me["display_name"], me["avatar_url"]) == ("Zoe", "https://example.com/z.png")


@pytest.mark.parametrize(
    ("record", "code"),
    [
        ({"name": ""}, "bad_request"),
        ({"name": "x" * 101}, "bad_request"),
        ({"name": "a\nb"}, "bad_request"),
        ({"name": 7}, "bad_request"),
        ({"avatar": "http://example.com"}, "bad_request"),
        ({"role": ""}, "bad_request"),
        ({"role": "x" * 65}, "bad_request"),
        ({"data": []}, "bad_request"),
        ({"data": {"x": "y" * 4_090}}, "too_large"),
        ({"deactivated": "yes"}, "bad_request"),
        ({"email": ""}, "bad_request"),
        ({"email": 7}, "bad_request"),
        ({"email": "zoe"}, "bad_request"),
        ({"email": "zoe@localhost"}, "bad_request"),
        ({"email": "zoe@example.com\r\nBcc: all@example.com"}, "bad_request"),
        ({"email": "Zoe <zoe@example.com>"}, "bad_request"),
        ({"email": "a@example.com,b@example.com"}, "bad_request"),
        ({"email": "zoé@example.com"}, "bad_request"),
        ({"email": "x" * 65 + "@example.com"}, "bad_request"),
        ({"email": "a@" + "b." * 130 + "com"}, "bad_request"),
        ({"email": "zoe@example.com\n"}, "bad_request"),
    ],
)
def test_what_is_no_record_changes_nothing(harness: RestHarness, record: dict[str, Any], code: str) -> None:
    before = put(harness, "zoe", **BOB)
    assert harness.call("PUT", "/v1/users/zoe", scope="admin", body=record).code == code
    answered = harness.call(
        "POST", "/v1/users", scope="admin", body={"users": [{"id": "yan"}, {"id": "zoe", **record}]}
    )
    assert answered.code == code
    assert harness.call("GET", "/v1/users/zoe", scope="admin").body == before
    assert harness.call("GET", "/v1/users/yan").code == "not_found"


def test_many_at_once_by_either_name_of_the_id(harness: RestHarness) -> None:
    records = [{"user_id": f"u{number}", "name": f"User {number}"} for number in range(99)] + [{"id": "zoe", **BOB}]
    for _ in range(2):
        ids = [one["user_id"] for one in put_many(harness, records).body["users"]]
        assert ids == [*(f"u{number}" for number in range(99)), "zoe"]
    assert harness.call("GET", "/v1/users/u98").body["name"] == "User 98"
    assert (
        harness.call("POST", "/v1/users", scope="admin", body={"users": [*records, {"id": "y"}]}).code == "bad_request"
    )
    twice = [{"id": "y"}, {"id": "y", "name": "Y"}]
    assert harness.call("POST", "/v1/users", scope="admin", body={"users": twice}).code == "bad_request"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "/v1/users/zoe", BOB),
        ("POST", "/v1/users", {"users": [{"id": "zoe"}]}),
        ("DELETE", "/v1/users/zoe", None),
    ],
)
def test_only_servers_write(harness: RestHarness, method: str, path: str, body: Any) -> None:
    assert harness.call(method, path, user="zoe", body=body).code == "forbidden"
    assert harness.call(method, path, user="zoe", scope="administrator", body=body).code == "forbidden"
    assert harness.call("GET", "/v1/users/zoe").code == "not_found"


def test_found_by_the_beginning_of_each_word_whatever_case_and_accents(harness: RestHarness) -> None:
    put(harness, "jose", name="José María  Ñandú")
    for prefix in ("jose", "JOSÉ", "mar", "Maria N", "ñan", "n", " jose "):
        assert named(harness, prefix) == ["jose"], prefix
    for prefix in ("ose", "xyz", "joses", "maria x"):
        assert named(harness, prefix) == [], prefix


def test_found_once_and_in_order_over_pages(harness: RestHarness) -> None:
    for number in (3, 1, 2):
        put(harness, f"u{number}", name=f"Anna {number} Annason")
    put(harness, "v", name="Annabel")
    assert named(harness, "ann") == ["u1", "u2", "u3", "v"]
    found: list[str] = []
    cursor = None
    for _ in range(6):
        query = {"prefix": "ann", "limit": "2"} | ({} if cursor is None else {"cursor": cursor})
        body = harness.call("GET", "/v1/users", query=query).body
        found += [one["user_id"] for one in body["users"]]
        cursor = body["next_cursor"]
        if cursor is None:
            break
    assert found == ["u1", "u2", "u3", "v"]
    first = harness.call("GET", "/v1/users", query={"prefix": "ann", "limit": "2"}).body["next_cursor"]
    for query, user in (({"prefix": "bob"}, "alice"), ({"prefix": "ann"}, "bob")):
        assert harness.call("GET", "/v1/users", user=user, query={**query, "cursor": first}).code == "bad_request"


def test_a_new_name_is_found_and_the_old_one_is_not(harness: RestHarness) -> None:
    put(harness, "zoe", name="Zoe Miller")
    put(harness, "zoe", name="Zoe Smith")
    assert (named(harness, "miller"), named(harness, "smith"), named(harness, "zoe")) == ([], ["zoe"], ["zoe"])


@pytest.mark.parametrize("name", ["\ufdfa" * 100, "\uac04" * 100, "\U0001d400" * 100, "a\u0301" * 50, "\u337f" * 100])
def test_a_name_that_grows_when_it_is_compared_is_listed_all_the_same(harness: RestHarness, name: str) -> None:
    user_id = "z" * 128
    put(harness, user_id, name=name)
    assert named(harness, name[:3]) == named(harness, name) == [user_id]
    keys = [len(row["sk"].encode()) for row in harness.stores.rows(MEMBERS) if row["pk"].startswith("names#")]
    assert keys
    assert max(keys) <= 1_024


def test_null_clears_that_somebody_is_deactivated(harness: RestHarness) -> None:
    put(harness, "zoe", name="Zoe", deactivated=True)
    assert put(harness, "zoe", deactivated=None)["deactivated"] is False


@pytest.mark.parametrize("query", [{"prefix": "\ud800"}, {"prefix": "a\x00"}, {"prefix": "\n"}])
def test_a_prefix_that_is_no_text_is_refused(harness: RestHarness, query: dict[str, str]) -> None:
    assert harness.call("GET", "/v1/users", query=query).code == "bad_request"


@pytest.mark.parametrize(
    "position", [["zo", "a", "x"], ["zo", "", ""], ["zo", "zo\x1f", "x"], ["zo", "ZOE", "x"], ["zo", "zoe", "\n"]]
)
def test_a_cursor_that_no_search_gave_is_refused(harness: RestHarness, position: list[str]) -> None:
    cursor = encode_cursor("alice", "users", position)
    assert harness.call("GET", "/v1/users", query={"prefix": "zo", "cursor": cursor}).code == "bad_request"


@pytest.mark.parametrize("whom", [ACQUAINTED, NOBODY])
def test_a_search_among_many_whom_one_may_not_see_is_bounded(harness: RestHarness, whom: str) -> None:
    for number in range(150):
        put(harness, f"s{number:03}", name=f"Sam {number:03}")
    put(harness, "bob", name="Sam 999")
    show_users_to(harness, whom)
    calls = len(harness.stores.calls.made)
    first = harness.call("GET", "/v1/users", query={"prefix": "s", "limit": "1"}).body
    assert first["users"] == []
    assert len(harness.stores.calls.made) - calls < 130
    found = harness.call("GET", "/v1/users", query={"prefix": "s", "limit": "1", "cursor": first["next_cursor"]}).body
    assert [one["user_id"] for one in found["users"]] == (["bob"] if whom == ACQUAINTED else [])


def test_who_is_deactivated_is_shown_and_not_found(harness: RestHarness) -> None:
    put(harness, "zoe", **BOB)
    assert put(harness, "zoe", deactivated=True)["deactivated"] is True
    assert named(harness, "bob b") == []
    assert harness.call("GET", "/v1/users/zoe").body["deactivated"] is True
    put(harness, "zoe", deactivated=False)
    assert named(harness, "bob b") == ["zoe"]


def test_a_deleted_record_leaves_nothing(harness: RestHarness) -> None:
    put(harness, "zoe", **BOB)
    for _ in range(2):
        assert harness.call("DELETE", "/v1/users/zoe", scope="admin").status == 204
    assert harness.call("GET", "/v1/users/zoe").code == "not_found"
    assert named(harness, "bob b") == []
    assert not any("Builder" in str(row) or "builder" in str(row) for row in harness.stores.rows(MEMBERS))
    assert put(harness, "zoe", name="Zoe")["version"] > 0


@pytest.mark.parametrize(
    "query", [{}, {"prefix": ""}, {"prefix": " "}, {"prefix": "x" * 101}, {"prefix": "a", "ids": "b"}]
)
def test_a_search_for_nothing_is_refused(harness: RestHarness, query: dict[str, str]) -> None:
    assert harness.call("GET", "/v1/users", query=query).code == "bad_request"


def test_several_by_their_ids(harness: RestHarness) -> None:
    put(harness, "zoe", name="Zoe")
    put(harness, "yan", name="Yan")
    body = harness.call("GET", "/v1/users", query={"ids": "zoe,nobody,yan,zoe"}).body
    assert ([one["user_id"] for one in body["users"]], body["next_cursor"]) == (["zoe", "yan"], None)
    too_many = ",".join(f"u{number}" for number in range(101))
    for ids in ("a\nb", too_many):
        assert harness.call("GET", "/v1/users", query={"ids": ids}).code == "bad_request"


def test_acquaintances_alone_where_a_deployment_says_so(harness: RestHarness) -> None:
    """Bob is in alice's group, carol too; zoe is nobody that alice knows, and dave blocks her."""
    show_users_to(harness, ACQUAINTED)
    for one in ("alice", "bob", "zoe", "dave"):
        put(harness, one, name=f"Some {one}")
    assert named(harness, "some") == ["alice", "bob"]
    assert harness.call("GET", "/v1/users/zoe").code == "not_found"
    assert harness.call("GET", "/v1/users/bob").body["name"] == "Some bob"
    assert harness.call("GET", "/v1/users/zoe", scope="admin").body["name"] == "Some zoe"


def test_nobody_but_oneself_and_servers_where_a_deployment_says_so(harness: RestHarness) -> None:
    show_users_to(harness, NOBODY)
    put(harness, "bob", name="Bob")
    assert named(harness, "bob") == []
    assert named(harness, "bob", user="bob") == ["bob"]
    assert harness.call("GET", "/v1/users/bob").code == "not_found"
    assert harness.call("GET", "/v1/users/bob", scope="admin").status == 200


def test_names_are_compared_without_case_accents_and_blanks() -> None:
    assert folded("  Ǆ\u00a0É \u212b ") == "dz e a"
    assert terms_of("a b c d e") == ("a b c d e", "b c d e", "c d e", "d e")
    assert terms_of("ha ha") == ("ha ha", "ha")
