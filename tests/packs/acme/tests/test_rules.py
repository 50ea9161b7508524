"""What every rule owes."""

import os

import pytest

from otplint.testkit import Check, checks


@pytest.mark.parametrize("check", checks("acme_rules"), ids=str)
def test_rule(check: Check, request: pytest.FixtureRequest) -> None:
    check(update=bool(os.environ.get("UPDATE")) or request.config.getoption("--snapshot-update", False))
