"""Names of formats and back ends."""

import subprocess
import sys

import pytest

from sealpy import metadata, registry
from sealpy.errors import BackendMissing, SourceError
from sealpy.identities import Identities

LOOK_UP = registry.backends(Identities({}))


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("a.yaml", "yaml"),
        ("dir.json/a.yml", "yaml"),
        ("a.json", "json"),
        ("a.env", "dotenv"),
        (".env", "dotenv"),
        ("a.ini", "ini"),
        ("a.txt", "binary"),
        ("a.YAML", "binary"),
        ("a.yaml.enc", "binary"),
        (".env.local", "binary"),
        ("yaml", "binary"),
        ("", "binary"),
    ],
)
def test_the_suffix_decides_by_the_rules_of_sops(path: str, name: str) -> None:
    assert registry.format_for(path).name == name


@pytest.mark.parametrize("name", registry.format_names)
def test_every_format_goes_by_its_name(name: str) -> None:
    assert registry.format_named(name).name == name


def test_an_unknown_format_names_the_known_ones() -> None:
    with pytest.raises(SourceError) as caught:
        registry.format_named("toml")

    assert caught.value.hint == "one of yaml, json, dotenv, ini, binary"


def test_age_is_built_in_and_made_once() -> None:
    assert LOOK_UP("age").name == "age"
    assert LOOK_UP("age") is LOOK_UP("age")


@pytest.mark.parametrize("name", ["pgp", "kms", "gcp_kms", "azure_kv", "hc_vault", "hckms"])
def test_what_is_not_built_in_says_so_and_what_to_do(name: str) -> None:
    with pytest.raises(BackendMissing, match="keys are not supported yet") as caught:
        LOOK_UP(name)

    assert caught.value.hint


def test_an_unknown_kind_of_key_is_no_crash() -> None:
    with pytest.raises(BackendMissing, match="its kind of master key is not known here"):
        LOOK_UP("os")


def test_every_kind_of_key_of_the_metadata_has_a_name_here() -> None:
    assert set(registry.backend_names) == set(metadata.BACKENDS)


def test_importing_it_imports_no_format_and_no_back_end() -> None:
    code = "import sys, sealpy.registry; print([n for n in sys.modules if n.startswith(('sealpy.formats.', 'sealpy.keys.'))])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert ran.stdout == "[]\n"
