"""An "editor" that renames a key in a file: EDITOR='python rename_key.py OLD NEW'."""

import sys
from pathlib import Path

old, new, path = sys.argv[1:]
file = Path(path)
file.write_text(file.read_text().replace(f"{old}:", f"{new}:"))
