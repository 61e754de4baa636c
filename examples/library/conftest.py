"""A fixture for tests that need real credentials."""

from pathlib import Path

import pytest

import sealpy


@pytest.fixture(scope="session")
def credentials() -> dict[str, str]:
    """Return the sealed credentials of the tests; who holds no key for them skips those tests."""
    try:
        return sealpy.load_secret(Path(__file__).parent / "secrets.yaml")
    except sealpy.KeyAccessError as error:
        pytest.skip(f"{error}; {error.hint}")
