"""Shell completion.

``sealpy completion bash|zsh`` prints a script that asks the program itself, the way scripts made for sops do:
the words typed so far, then ``--generate-bash-completion``. Answering is quick, and the answer never lags behind
the flags.
"""

import sys
from collections.abc import Mapping, Sequence

from sealpy_cli.grammar import Call, Flag, UsageError
from sealpy_cli.verbs_table import COMMANDS, HELP, ROOT, VERBS

ASK = "--generate-bash-completion"

BASH = """\
_NAME_complete() {
    local word="${COMP_WORDS[COMP_CWORD]}"
    local typed=("${COMP_WORDS[@]:0:COMP_CWORD}")
    [[ $word == -* ]] && typed+=("$word")
    mapfile -t COMPREPLY < <(compgen -W "$("${typed[@]}" ASK 2>/dev/null)" -- "$word")
}
complete -o bashdefault -o default -F _NAME_complete NAME
"""

ZSH = """\
#compdef NAME
_NAME_complete() {
    local -a typed answers
    typed=("${words[@]:0:$((CURRENT - 1))}")
    [[ ${words[CURRENT]} == -* ]] && typed+=("${words[CURRENT]}")
    answers=("${(@f)$(_CLI_ZSH_AUTOCOMPLETE_HACK=1 "${typed[@]}" ASK 2>/dev/null)}")
    if [[ -n ${answers[1]} ]]; then _describe NAME answers; else _files; fi
}
compdef _NAME_complete NAME
"""


def run(call: Call) -> int:
    """Print the script for the shell that is named."""
    scripts = {"bash": BASH, "zsh": ZSH}
    shell = call.arguments.operands[0] if call.arguments.operands else ""
    if shell not in scripts:
        raise UsageError("completion needs the name of a shell", hint="bash or zsh")
    name = "sops" if call.as_sops else "sealpy"
    sys.stdout.write(scripts[shell].replace("NAME", name).replace("ASK", ASK))
    return 0


def answer(words: Sequence[str], environ: Mapping[str, str], as_sops: bool) -> int:
    """Print what may follow ``words``, one a line; zsh wants ``name:meaning``."""
    verb = next((verb for word in words for verb in VERBS if verb.name == word), None)
    flags: Sequence[Flag] = ROOT if verb is None else (*verb.flags, HELP)
    if words and words[-1].startswith("-"):
        names = [
            (("-" if len(spelling) == 1 else "--") + spelling, flag.help)
            for flag in flags
            if not (flag.own and as_sops)
            for spelling in flag.spellings
        ]
        names = [(name, meaning) for name, meaning in names if name.startswith(words[-1])]
    elif verb is None:
        names = [(verb.name, verb.help) for verb in VERBS]
        if not as_sops:
            names += [(command.name, command.help) for command in COMMANDS]
    elif verb.name == "completion":
        names = [("bash", "bash"), ("zsh", "zsh")]
    else:
        names = []
    with_meaning = environ.get("_CLI_ZSH_AUTOCOMPLETE_HACK") == "1"
    for name, meaning in names:
        sys.stdout.write(f"{name}:{meaning.replace(':', ' ')}\n" if with_meaning else f"{name}\n")
    return 0
