"""The check before a commit: nothing goes into history in clear that should be encrypted, and nothing damaged.

It is the check of the repository, done on what is staged, and no key is used: a commit should not wait for one. Who
reads a file is not for a commit to be stopped by: whoever changes a value may be without the key that updates it.
"""

from collections.abc import Sequence
from typing import NamedTuple

from sealpy.checking.findings import ERROR, Finding
from sealpy_cli import checked
from sealpy_cli.repo.git import Git
from sealpy_cli.repo.repository import Repository

_BLOCKING = ("SP1", "SP4", "SP506", "SP507")
"""Secrets in clear, damage, and a configuration that cannot tell what should be encrypted, and for whom."""

_IN_CLEAR = frozenset(("SP101", "SP102"))


class Staged(NamedTuple):
    """What is wrong with the next commit: what stops it, and what is worth a word."""

    top: str
    stops: Sequence[Finding]
    warnings: Sequence[Finding]

    @property
    def in_clear(self) -> list[str]:
        """The files that encrypting them would mend, relative to the top."""
        return list(dict.fromkeys(one.path for one in self.stops if one.id in _IN_CLEAR and one.fix))


def find(git: Git) -> Staged:
    """Look at every staged file that is new or changed.

    Raises:
        SourceError: git fails, or a file cannot be read.
    """
    top = git.top()
    repository = Repository(git, top, staged=True)
    try:
        findings = checked.run(repository, (), environ=None).findings
    finally:
        repository.close()
    stops = [one for one in findings if one.severity == ERROR and one.id.startswith(_BLOCKING)]
    return Staged(top, stops, [one for one in findings if one.severity == ERROR and one not in stops])
