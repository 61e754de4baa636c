"""A change that a verb makes in a folder, made instead on a copy of what a branch holds there.

The copy has the few files that the verb looks at, sealed as they are in git, and lives for a moment in a folder of its
own. What the verb wrote there is the change.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from tempfile import TemporaryDirectory

from sealpy import config_file, files
from sealpy.errors import NoSuchFile
from sealpy.project import NAME as PROJECT_FILE

_KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")

Read = Callable[[str], bytes | None]


class FolderChange:
    """What ``act`` does to ``names``, which are relative to the top of the repository.

    ``act`` is called in the folder ``here`` of the copy, and may look at the kustomization beside a file, and at ``.sops.yaml`` and
    ``.sealpy.yaml`` in the folders above it, too. ``standing`` tells what is in the place that it changes.
    """

    def __init__(
        self,
        what: str,
        names: Sequence[str],
        here: str,
        act: Callable[[], None],
        standing: Callable[[Read], object],
    ) -> None:
        self.what = what
        self.names = names
        self.standing = standing
        self._here = here
        self._act = act

    def apply(self, read: Read) -> Mapping[str, bytes | None]:
        """Return what became of the files; None for one that was taken away.

        Raises:
            SealpyError: whatever ``act`` raises.
        """
        before = {name: read(name) for name in (*self.names, *self._around())}
        with TemporaryDirectory(prefix="sealpy-") as top:
            for name, data in before.items():
                if data is not None:
                    path = os.path.join(top, name)
                    os.makedirs(os.path.dirname(path), exist_ok=True)
                    files.create(path, data)
            before_that = os.getcwd()
            os.makedirs(os.path.join(top, self._here), exist_ok=True)
            os.chdir(os.path.join(top, self._here))
            try:
                self._act()
            finally:
                os.chdir(before_that)
            after = {name: _read(os.path.join(top, name)) for name in before}
        return {name: data for name, data in after.items() if data != before[name]}

    def _around(self) -> list[str]:
        around = {}
        for folder in {os.path.dirname(name) for name in self.names} | {self._here}:
            around.update(dict.fromkeys(os.path.join(folder, beside) for beside in _KUSTOMIZATIONS))
            above = folder
            while True:
                around.update(dict.fromkeys(os.path.join(above, name) for name in (config_file.NAME, PROJECT_FILE)))
                if not above:
                    break
                above = os.path.dirname(above)
        return list(around)


def _read(path: str) -> bytes | None:
    try:
        return files.read(path)
    except NoSuchFile:
        return None
