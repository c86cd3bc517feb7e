"""What cloud-init itself says of the files: by the schemas of the distribution's package, which tools/test fetches."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft4Validator

from tests.provision.desk import Desk

_PLACES = (Path(__file__).resolve().parents[2] / ".cache/cloud-init", Path("/"))
_SCHEMAS = "usr/lib/python3/dist-packages/cloudinit/config/schemas"
pytestmark = pytest.mark.slow  # not so much slow as in need of what tools/test fetches


@pytest.fixture(scope="module")
def user_data_schema() -> Draft4Validator:
    found = [place / _SCHEMAS for place in _PLACES if (place / _SCHEMAS).is_dir()]
    assert found, f"expected cloud-init's schemas under one of {_PLACES}; tools/test fetches them"
    return Draft4Validator(json.loads((found[0] / "schema-cloud-config-v1.json").read_text()))


def complaints(schema: Draft4Validator, text: str) -> list[str]:
    document: dict[str, Any] = yaml.safe_load(text)
    return [error.message for error in schema.iter_errors(document)]


@pytest.mark.parametrize("path", ["user-data", "edge/clean/user-data"])
def test_cloud_init_accepts_what_is_on_the_card(desk: Desk, user_data_schema: Draft4Validator, path: str) -> None:
    assert complaints(user_data_schema, desk.contents()[path]) == []


def test_cloud_init_accepts_a_login_without_a_password(desk: Desk, user_data_schema: Draft4Validator) -> None:
    desk.change("  password_hash: {file: password-hash}\n", "")

    assert complaints(user_data_schema, desk.contents()["user-data"]) == []


def test_the_schema_would_notice_a_mistake(desk: Desk, user_data_schema: Draft4Validator) -> None:
    wrong = desk.contents()["user-data"].replace("runcmd:", "runcmd: yes\nnot-runcmd:")

    assert complaints(user_data_schema, wrong) != []
