"""Keys that are made here, without a program: what they open is gone when the run is."""

import os

import pyrage
import pytest

from sealpy import registry
from sealpy.identities import Identities
from sealpy.keyring import Keyring
from tests.conftest import AgeKey


@pytest.fixture(scope="session")
def own_key() -> AgeKey:
    """Return a key that nothing else uses."""
    made = pyrage.x25519.Identity.generate()
    return AgeKey(identity=str(made), recipient=str(made.to_public()))


@pytest.fixture
def keyring(own_key: AgeKey) -> Keyring:
    """Return a key ring with that key alone."""
    return Keyring(registry.backends(Identities({"SOPS_AGE_KEY": own_key.identity}, home=os.devnull)))
