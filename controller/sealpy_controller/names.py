"""What the source calls recipients, for what is told of files that do not open.

The names are those of the ``.sealpy.yaml`` nearest to the folder that is reconciled. Nothing depends on them: where
they cannot be read, recipients are told as they are.
"""

from sealpy import config_file, project
from sealpy.project import EMPTY, Project
from sealpy_controller.git import Stopped
from sealpy_controller.source import Source

_SIZE_LIMIT = 1 << 20


def read(source: Source, commit: str) -> Project:
    """Return the names that hold in a commit, as far as there are any.

    Raises:
        Stopped
    """
    folders = source.path.split("/") if source.path else []
    paths = ["/".join([*folders[:depth], project.NAME]) for depth in range(len(folders), -1, -1)]
    try:
        found = {file.path: file for file in source.named(commit, paths)}
        nearest = [found[path] for path in paths if path in found][:1]
        for file, data in source.contents(nearest):
            if data is not None and len(data) <= _SIZE_LIMIT:
                return project.parse(config_file.decode(data, file.path), file.path)
    except Stopped:
        raise
    except Exception:  # noqa: BLE001 - names are no reason to serve nothing, however hostile their file
        return EMPTY
    return EMPTY
