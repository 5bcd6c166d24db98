from dataclasses import replace
from pathlib import Path

import pytest

from local.fingerprint import fingerprint
from local.settings import Settings


@pytest.fixture
def project(tmp_path: Path) -> Settings:
    for name in ("app.py", "uv.lock", "functions/rest/handler.py", "shared/errors.py", "docs/guide.md"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return Settings(home=tmp_path / ".parley", port=4600, root=tmp_path)


def test_the_same_project_has_the_same_fingerprint(project: Settings) -> None:
    assert fingerprint(project, {}) == fingerprint(project, {})


@pytest.mark.parametrize("name", ["app.py", "uv.lock", "functions/rest/handler.py", "shared/errors.py"])
def test_changed_code_changes_it(project: Settings, name: str) -> None:
    before = fingerprint(project, {})
    (project.root / name).write_text("changed")
    assert fingerprint(project, {}) != before


def test_a_renamed_and_a_new_file_change_it(project: Settings) -> None:
    before = fingerprint(project, {})
    (project.root / "shared/errors.py").rename(project.root / "shared/mistakes.py")
    renamed = fingerprint(project, {})
    (project.root / "shared/new.py").touch()
    assert len({before.code, renamed.code, fingerprint(project, {}).code}) == 3


def test_what_is_not_deployed_does_not_count(project: Settings) -> None:
    before = fingerprint(project, {})
    (project.root / "docs/guide.md").write_text("changed")
    cache = project.root / "shared/__pycache__"
    cache.mkdir()
    (cache / "errors.cpython-311.pyc").write_bytes(b"compiled")
    assert fingerprint(project, {}) == before


def test_configuration_counts_and_the_rest_of_the_environment_does_not(project: Settings) -> None:
    plain = fingerprint(project, {})
    assert fingerprint(project, {"PARLEY_JWT_ISSUER": "us"}) != plain
    assert fingerprint(project, {"LANG": "C", "PARLEY_HOME": "/elsewhere"}) == plain


@pytest.mark.parametrize("name", ["TOKEN", "WS_URL", "HTTP_URL", "STAGE", "TARGET", "LOCAL_ENDPOINT", "FCM_SECRET_ARN"])
def test_what_is_the_clients_and_what_make_up_gives_itself_changes_nothing(project: Settings, name: str) -> None:
    assert fingerprint(project, {f"PARLEY_{name}": "x"}) == fingerprint(project, {})


def test_another_port_counts_since_the_functions_are_told_it(project: Settings) -> None:
    assert fingerprint(replace(project, port=4601), {}) != fingerprint(project, {})


def test_what_has_changed_is_told_by_name(project: Settings) -> None:
    before = fingerprint(project, {"PARLEY_FRAME_RATE": "a", "PARLEY_TEXT_LIMIT": "5"})
    assert fingerprint(project, {"PARLEY_FRAME_RATE": "a", "PARLEY_TEXT_LIMIT": "5"}).changes(before) == []
    changed = fingerprint(project, {"PARLEY_FRAME_RATE": "b", "PARLEY_JWT_ISSUER": "us"}).changes(before)
    assert changed == ["configuration (PARLEY_FRAME_RATE, PARLEY_JWT_ISSUER, PARLEY_TEXT_LIMIT)"]
    (project.root / "app.py").write_text("changed")
    assert fingerprint(replace(project, port=1), {}).changes(fingerprint(project, {})) == [
        "configuration (PARLEY_PORT)"
    ]
    assert fingerprint(project, {"PARLEY_FRAME_RATE": "a", "PARLEY_TEXT_LIMIT": "5"}).changes(before) == ["code"]


def test_values_are_kept_as_digests_alone(project: Settings) -> None:
    assert "hush" not in str(fingerprint(project, {"PARLEY_JWT_ISSUER": "hush"}))
