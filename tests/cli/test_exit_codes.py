"""The numbers that the process ends with."""

import pytest

from sealpy import errors
from sealpy_cli.exit_codes import CODES, Stop, code_of, common


@pytest.mark.parametrize(
    ("error", "clear", "sealed"),
    [
        (errors.ParseError("x"), 2, 1),
        (errors.EmptyDocument("x"), 92, 1),
        (errors.UnsealableValue("x"), 23, 1),
        (errors.AlreadyEncrypted("x"), 203, 1),
        (errors.NotEncrypted("x"), 1, 1),
        (errors.InvalidMetadata("x"), 1, 1),
        (errors.PathNotFound("x"), 1, 1),
        (errors.InvalidEncryptedValue("x"), 25, 25),
        (errors.MacMismatch("x"), 51, 51),
        (errors.DataKeyUnavailable("x"), 128, 128),
        (errors.KeyServiceError("x"), 1, 128),
        (errors.BackendMissing("x"), 1, 128),
        (errors.RuleError("x"), 1, 1),
        (errors.NoMatchingRule("x"), 1, 1),
        (errors.SourceError("x"), 2, 2),
        (errors.Refused("x"), 1, 1),
        (Stop(8, "x"), 8, 8),
    ],
)
def test_every_error_has_the_code_that_sops_gives_it(error: errors.SealpyError, clear: int, sealed: int) -> None:
    assert code_of(error, clear=True) == clear
    assert code_of(error) == sealed


def test_a_class_stands_before_its_bases_in_the_table() -> None:
    kinds = [kind for kind, _, _ in CODES]
    for place, kind in enumerate(kinds):
        assert not any(issubclass(kind, earlier) for earlier in kinds[:place])


def test_many_files_share_a_code_or_end_with_one() -> None:
    assert common([]) == 0
    assert common([0, 0]) == 0
    assert common([0, 51, 51]) == 51
    assert common([0, 51, 128]) == 1
