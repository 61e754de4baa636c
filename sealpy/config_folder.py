"""Where a person's configuration lives, by the rules that sops follows on each platform."""

import os
import sys
from collections.abc import Mapping


def config_folder(environ: Mapping[str, str], home: str | None = None, platform: str = sys.platform) -> str | None:
    """Return the folder that holds ``sops`` and ``sealpy``; None where the environment names none."""
    home = home or environ.get("HOME")
    if platform == "win32":
        return environ.get("APPDATA") or None
    configured = environ.get("XDG_CONFIG_HOME")
    if configured:
        # On Linux sops turns a relative path down; on macOS it takes it as it is.
        return configured if platform == "darwin" or os.path.isabs(configured) else None
    if not home:
        return None
    return f"{home}/Library/Application Support" if platform == "darwin" else f"{home}/.config"
