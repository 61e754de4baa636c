"""What ``sealpy init`` writes into a new repository."""

import re
from collections.abc import Sequence

from sealpy_cli.team.environments import Environment

_FILES = r"([^/]*[-_.])?(secrets?|configmaps?|enc|sops)([-_.][^/]*)?\.ya?ml$"
"""Manifests by the names that people give them: secrets.yaml, db-secret.yml, configmap.yaml, mail.enc.yaml."""

_SPECIAL = re.compile(r"[\\.+*?()|\[\]{}^$]")

ATTRIBUTES = """\
# Encrypted files have the same bytes on every machine.
# They have no "diff" attribute on purpose: git and every review must go on showing their changes.
*.yaml text eol=lf
*.yml text eol=lf
"""

HOOK = """\
#!/bin/sh
# Written by "sealpy init": refuses a commit of files in clear that .sops.yaml wants encrypted.
if ! command -v sealpy >/dev/null 2>&1; then
    echo "sealpy is not on PATH, so this commit cannot be checked; install it, or commit with --no-verify" >&2
    exit 1
fi
exec sealpy hook pre-commit
"""

_HEAD = """\
# Which files are encrypted, for whom, and what in them. The first rule whose path_regex matches a path holds.
# To let somebody read an environment: sealpy grant ENV RECIPIENT --name NAME. After other changes here: sealpy sync
creation_rules:
"""


def rules(environments: Sequence[Environment], recipient: str) -> str:
    """Return a ``.sops.yaml`` with a rule for each environment; without environments, one for all of the repository.

    A single folder is named in full. Where several have the name of an environment, later ones count too.
    """
    patterns = [_pattern(environment) for environment in environments] or [f"(^|/){_FILES}"]
    return _HEAD + "".join(_rule(pattern, recipient) for pattern in patterns)


def _pattern(environment: Environment) -> str:
    if len(environment.folders) == 1:
        return f"^{_escaped(environment.folders[0])}/(.+/)?{_FILES}"
    return f"(^|/){_escaped(environment.name)}/(.+/)?{_FILES}"


def _rule(pattern: str, recipient: str) -> str:
    quoted = pattern.replace("'", "''")
    return (
        f"  - path_regex: '{quoted}'\n"
        "    encrypted_regex: ^(data|stringData|binaryData)$\n"
        "    age:\n"
        f"      - {recipient}\n"
    )


def _escaped(text: str) -> str:
    return _SPECIAL.sub(lambda match: f"\\{match[0]}", text)
