"""Where in a document: ``["data"]["hosts"][0]``, as sops spells it.

Keys stand in quotes of either kind and are taken as they are: nothing is unescaped. A key ends at a quote that is
followed by ``]`` and then by ``[`` or the end, so that any other sign may be in it.
"""

from sealpy.document import Path
from sealpy_cli.exit_codes import Stop


def parse(text: str, code: int) -> Path:
    """Read a path; an empty text is the empty path, the whole document.

    Raises:
        Stop: with ``code``.
    """
    path: list[str | int] = []
    position = 0
    while position < len(text):
        opening = text[position : position + 2]
        if opening in ('["', "['"):
            end = _end_of_key(text, position + 2, opening[1])
            if end < 0:
                raise _bad(code)
            path.append(text[position + 2 : end])
            position = end + 2
        else:
            end = text.find("]", position)
            digits = text[position + 1 : end]
            if opening[:1] != "[" or end < 0 or not (digits.isascii() and digits.isdigit()) or len(digits) > 9:
                raise _bad(code)
            path.append(int(digits))
            position = end + 1
    return tuple(path)


def _end_of_key(text: str, start: int, quote: str) -> int:
    end = text.find(quote, start)
    while end >= 0 and not (text[end + 1 : end + 2] == "]" and text[end + 2 : end + 3] in ("", "[")):
        end = text.find(quote, end + 1)
    return end


def _bad(code: int) -> Stop:
    return Stop(
        code, "this is not a path in a document", hint="""write it like '["data"]["password"]' or '["hosts"][0]'"""
    )
