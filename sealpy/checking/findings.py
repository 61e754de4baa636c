"""What can be found wrong, and how bad each of it is unless a project says otherwise.

An id never changes its meaning. 1xx: secrets in clear. 3xx: who reads. 4xx: files that were damaged or tampered with.
5xx: the repository and its configuration.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

ERROR, WARNING, NOTE, OFF = "error", "warning", "note", "off"
SEVERITIES = (ERROR, WARNING, NOTE)
"""From bad to harmless."""


class Kind(NamedTuple):
    """A kind of finding: how bad it is, and what it is about in a few words."""

    severity: str
    title: str


KINDS: Mapping[str, Kind] = {
    "SP101": Kind(ERROR, "a Kubernetes Secret in clear"),
    "SP102": Kind(ERROR, "a file in clear that a rule wants encrypted"),
    "SP103": Kind(ERROR, "a value in clear in an encrypted file whose rule wants it encrypted"),
    "SP104": Kind(ERROR, "an encrypted value where nothing will decrypt it"),
    "SP105": Kind(ERROR, "an encrypted file whose rule leaves values of a Secret in clear"),
    "SP106": Kind(ERROR, "an encrypted file in which nothing is encrypted"),
    # sops 2 left comments in clear, and sops only warns of them.
    "SP107": Kind(WARNING, "a comment in clear where a file's rule wants it encrypted"),
    "SP301": Kind(ERROR, "a recipient that the rule does not name"),
    "SP302": Kind(ERROR, "a recipient of the rule that cannot read the file"),
    "SP305": Kind(ERROR, "other key groups, or another threshold, than the rule's"),
    "SP309": Kind(ERROR, "a recipient that nothing can be encrypted for"),
    "SP310": Kind(ERROR, "another choice of what is encrypted than the rule's"),
    "SP311": Kind(ERROR, "another scope of the MAC than the rule's"),
    "SP312": Kind(WARNING, "a recipient without a name in a project that has names"),
    "SP313": Kind(NOTE, "no recipient has a name"),
    "SP314": Kind(ERROR, "a key that should open the file and does not"),
    "SP315": Kind(NOTE, "a part that replaces a value of its file"),
    "SP316": Kind(WARNING, "a part that others can read than those who read its file"),
    "SP401": Kind(ERROR, "a MAC that is missing or does not fit"),
    "SP402": Kind(ERROR, "an encrypted value that does not open"),
    "SP403": Kind(ERROR, "a value that was edited without a key"),
    "SP404": Kind(ERROR, "conflict markers"),
    "SP406": Kind(ERROR, "sops metadata that make no sense"),
    "SP407": Kind(ERROR, "a file that cannot be read"),
    "SP408": Kind(ERROR, "a part that does not fit its file"),
    "SP506": Kind(ERROR, "an encrypted file that no rule covers, so that its readers cannot be checked"),
    "SP507": Kind(ERROR, "a mistake in .sops.yaml or .sealpy.yaml"),
    "SP508": Kind(NOTE, "a remark on .sops.yaml or .sealpy.yaml"),
}

INTEGRITY = frozenset(("SP401", "SP402", "SP403"))
"""The file is not what its author sealed."""

KEYS = frozenset(("SP314",))
"""Nothing is known to be wrong but a key."""


class Finding(NamedTuple):
    """One thing that is wrong.

    ``path`` is the file; ``line`` counts from 1, 0 means the whole file; ``key`` is the place in the document, such as
    ``stringData.PASSWORD``. ``fix`` is the one command that mends it, often empty; ``{path}`` in it stands for the
    file. None of these texts holds a value; names come from the file and are not yet safe to print.
    """

    id: str
    path: str
    message: str
    line: int = 0
    key: str = ""
    fix: str = ""
    severity: str = ""

    @property
    def title(self) -> str:
        """What a finding of this kind is about."""
        return KINDS[self.id].title


def graded(findings: Iterable[Finding], severities: Mapping[str, str]) -> list[Finding]:
    """Give each finding the severity that the project has for it, and drop what the project does not want."""
    found = []
    for finding in findings:
        severity = severities.get(finding.id, KINDS[finding.id].severity)
        if severity != OFF:
            found.append(finding._replace(severity=severity))
    return found
