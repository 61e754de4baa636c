"""Every verb and every flag, as data: the grammar, the help and the completion read this table.

``VERBS`` are sops' verbs, run without click. ``COMMANDS`` are sealpy's own, click commands that are imported
when asked for. ``LATER`` are verbs of sops that sealpy does not have yet.
"""

from typing import NamedTuple

from sealpy_cli.grammar import Flag, Verb

FORMATS = "yaml, json, dotenv, ini or binary"

KEYS = (
    Flag("kms", "text", "encrypt for these AWS KMS keys", "k", "ARN,…", "SOPS_KMS_ARN"),
    Flag("aws-profile", "text", "AWS profile for the KMS keys", value="NAME"),
    Flag("gcp-kms", "text", "encrypt for these Google Cloud KMS keys", value="ID,…", env="SOPS_GCP_KMS_IDS"),
    Flag("hckms", "text", "encrypt for these Huawei Cloud KMS keys", value="ID,…", env="SOPS_HUAWEICLOUD_KMS_IDS"),
    Flag("azure-kv", "text", "encrypt for these Azure Key Vault keys", value="URL,…", env="SOPS_AZURE_KEYVAULT_URLS"),
    Flag("hc-vault-transit", "text", "encrypt for these Vault transit keys", value="URI,…", env="SOPS_VAULT_URIS"),
    Flag("pgp", "text", "encrypt for these PGP fingerprints", "p", "FP,…", "SOPS_PGP_FP"),
    Flag("age", "text", "encrypt for these age recipients", "a", "AGE1…,…", "SOPS_AGE_RECIPIENTS"),
)
KEY_FLAGS = {
    "kms": "kms",
    "gcp-kms": "gcp_kms",
    "hckms": "hckms",
    "azure-kv": "azure_kv",
    "pgp": "pgp",
    "hc-vault-transit": "hc_vault",
    "age": "age",
}
"""Key flags and the back ends they name, in the order in which sops puts them into a group."""

SELECTION = (
    Flag("unencrypted-suffix", "text", "leave values in clear whose key ends so", value="SUFFIX"),
    Flag("encrypted-suffix", "text", "encrypt only values whose key ends so", value="SUFFIX"),
    Flag("unencrypted-regex", "text", "leave values in clear whose key matches", value="RE"),
    Flag("encrypted-regex", "text", "encrypt only values whose key matches", value="RE"),
)
COMMENT_SELECTION = (
    Flag("unencrypted-comment-regex", "text", "leave values in clear whose comment matches", value="RE"),
    Flag("encrypted-comment-regex", "text", "encrypt only values whose comment matches", value="RE"),
)
RULE = (
    *SELECTION,
    Flag("encryption-context", "text", "AWS KMS encryption context", value="KEY:VALUE,…"),
    Flag("shamir-secret-sharing-threshold", "number", "how many key groups open the file", value="N"),
)
INPUT_TYPE = Flag("input-type", "text", f"read the file as {FORMATS}", value="TYPE")
OUTPUT_TYPE = Flag("output-type", "text", f"write the file as {FORMATS}", value="TYPE")
IN_PLACE = Flag("in-place", "switch", "write the result back to the file", "i")
OUTPUT = Flag("output", "text", "write the result to this file", value="FILE")
FILENAME_OVERRIDE = Flag("filename-override", "text", "take type and rule as if the file had this name", value="NAME")
IGNORE_MAC = Flag("ignore-mac", "switch", "open the file though its MAC does not fit")
EXTRACT = Flag("extract", "text", """print one value only: '["key"][0]'""", value="PATH")
ORDER = Flag("decryption-order", "text", "which kinds of key to try first", value="KIND,…", env="SOPS_DECRYPTION_ORDER")
SERVICE = (
    Flag(
        "enable-local-keyservice", "switch", "use the keys of this machine", on=True, env="SOPS_ENABLE_LOCAL_KEYSERVICE"
    ),
    Flag("keyservice", "list", "ask this key service too", value="URI", env="SOPS_KEYSERVICE"),
)
MAX_SIZE = Flag("max-size", "text", "refuse larger files (default 256M)", value="SIZE", env="SEALPY_MAX_SIZE", own=True)
RECURSIVE = Flag("recursive", "switch", "take every fitting file below a folder", "r", own=True)
OUTPUT_DIR = Flag("output-dir", "text", "write the results below this folder", value="DIR", own=True)
MANY = (RECURSIVE, OUTPUT_DIR, MAX_SIZE)
COMMIT = (
    Flag("commit", "text", "commit the change, and nothing else, with this message", value="MSG", own=True),
    Flag("push", "switch", "make it on top of the branch as it is at the remote, and push", own=True),
    Flag("retries", "number", "how often to try again when others push (default 50)", value="N", own=True),
)
HELP = Flag("help", "switch", "show this help", "h")

KEY_CHANGES = tuple(
    Flag(f"{change}-{flag.name}", "text", f"{words} these {what}", value=flag.value)
    for flag, what in (
        (KEYS[7], "age recipients"),
        (KEYS[6], "PGP fingerprints"),
        (KEYS[0], "AWS KMS keys"),
        (KEYS[2], "Google Cloud KMS keys"),
        (KEYS[3], "Huawei Cloud KMS keys"),
        (KEYS[4], "Azure Key Vault keys"),
        (KEYS[5], "Vault transit keys"),
    )
    for change, words in (("add", "add"), ("rm", "remove"))
)

ROOT = (
    Flag("decrypt", "switch", "decrypt a file", "d"),
    Flag("encrypt", "switch", "encrypt a file", "e"),
    Flag("rotate", "switch", "give a file a new data key", "r"),
    Flag("set", "text", """set one value: '["key"] JSON'""", value="PATH JSON"),
    IN_PLACE,
    OUTPUT,
    EXTRACT,
    Flag("show-master-keys", "switch", "show the metadata too while editing", "s"),
    IGNORE_MAC,
    FILENAME_OVERRIDE,
    INPUT_TYPE,
    OUTPUT_TYPE,
    *KEYS,
    *KEY_CHANGES,
    *RULE,
    *COMMENT_SELECTION,
    Flag("mac-only-encrypted", "switch", "let the MAC cover encrypted values only"),
    Flag("config", "text", "use this file instead of searching for .sops.yaml", value="FILE", env="SOPS_CONFIG"),
    Flag("indent", "number", "accepted; sealpy keeps the indentation that it finds", value="N"),
    ORDER,
    *SERVICE,
    Flag("verbose", "switch", "accepted"),
    Flag("disable-version-check", "switch", "accepted; sealpy never checks", env="SOPS_DISABLE_VERSION_CHECK"),
    Flag("check-for-updates", "switch", "accepted; sealpy never checks"),
    MAX_SIZE,
    HELP,
    Flag("version", "switch", "print the version", "v"),
)
ROOT_ONLY = ("config", "indent", "mac-only-encrypted", "verbose", "max-size")
"""Root flags that work before a verb. All the others say something only in the root form."""

DAILY, KEY_WORK, INSIDE = "Files", "Keys", "Tools"
REVIEW, RUN = "Review", "Cluster"

VERBS = (
    Verb(
        "encrypt",
        "[FILE…]",
        "encrypt files; stdin if there is none",
        (
            IN_PLACE,
            OUTPUT,
            FILENAME_OVERRIDE,
            *KEYS,
            INPUT_TYPE,
            OUTPUT_TYPE,
            *RULE,
            *SERVICE,
            Flag("update", "text", "keep the ciphertext of what did not change since FILE", value="FILE", own=True),
            Flag("allow-clear", "switch", "encrypt though no value of a Secret would be sealed", own=True),
            Flag("staged", "switch", "encrypt what is staged in clear for the next commit, in the index", own=True),
            Flag("allow-drop", "switch", "encrypt though keys of the committed file go away", own=True),
            *MANY,
        ),
        "sealpy_cli.verbs.encrypt:run",
        DAILY,
        first=True,
        many=True,
    ),
    Verb(
        "decrypt",
        "[FILE…]",
        "decrypt files; stdin if there is none",
        (
            IN_PLACE,
            OUTPUT,
            EXTRACT,
            IGNORE_MAC,
            FILENAME_OVERRIDE,
            INPUT_TYPE,
            OUTPUT_TYPE,
            ORDER,
            *SERVICE,
            Flag("no-parts", "switch", "leave out the keys of the file's parts", own=True),
            *MANY,
        ),
        "sealpy_cli.verbs.decrypt:run",
        DAILY,
        many=True,
    ),
    Verb(
        "edit",
        "FILE",
        "edit a file in your editor, encrypted before and after",
        (
            *KEYS,
            INPUT_TYPE,
            OUTPUT_TYPE,
            *RULE,
            Flag("show-master-keys", "switch", "show the metadata too", "s"),
            IGNORE_MAC,
            ORDER,
            *SERVICE,
            MAX_SIZE,
        ),
        "sealpy_cli.verbs.edit:run",
        DAILY,
        first=True,
    ),
    Verb(
        "set",
        "FILE PATH [JSON]",
        "set one value; without JSON it is asked for, hidden",
        (
            Flag("value-file", "switch", "the third operand is a file that holds the JSON"),
            Flag("value-stdin", "switch", "read the JSON from stdin"),
            Flag("idempotent", "switch", "leave the file alone when it has that value"),
            IGNORE_MAC,
            Flag("shamir-secret-sharing-threshold", "number", "accepted, without effect, as in sops", value="N"),
            INPUT_TYPE,
            OUTPUT_TYPE,
            ORDER,
            *SERVICE,
            *COMMIT,
            MAX_SIZE,
        ),
        "sealpy_cli.verbs.set:run",
        DAILY,
    ),
    Verb(
        "unset",
        "FILE PATH",
        "remove one value or branch",
        (
            Flag("idempotent", "switch", "no error when there is no such path"),
            IGNORE_MAC,
            Flag("shamir-secret-sharing-threshold", "number", "accepted, without effect, as in sops", value="N"),
            INPUT_TYPE,
            OUTPUT_TYPE,
            ORDER,
            *SERVICE,
            *COMMIT,
            MAX_SIZE,
        ),
        "sealpy_cli.verbs.set:run_unset",
        DAILY,
    ),
    Verb(
        "rotate",
        "FILE…",
        "give files a new data key; add or remove master keys",
        (
            IN_PLACE,
            OUTPUT,
            *KEY_CHANGES,
            Flag("encryption-context", "text", "AWS KMS encryption context", value="KEY:VALUE,…"),
            FILENAME_OVERRIDE,
            INPUT_TYPE,
            OUTPUT_TYPE,
            ORDER,
            *SERVICE,
            *MANY,
        ),
        "sealpy_cli.verbs.rotate:run",
        KEY_WORK,
        many=True,
    ),
    Verb(
        "updatekeys",
        "FILE…",
        "make files' master keys those of .sops.yaml",
        (
            Flag("yes", "switch", "do not ask", "y"),
            INPUT_TYPE,
            *SERVICE,
            Flag("check", "switch", "change nothing; exit 1 when a file's keys differ", own=True),
            RECURSIVE,
            MAX_SIZE,
        ),
        "sealpy_cli.verbs.updatekeys:run",
        KEY_WORK,
        many=True,
    ),
    Verb(
        "filestatus",
        "FILE",
        "tell whether a file is encrypted, as JSON",
        (INPUT_TYPE, MAX_SIZE),
        "sealpy_cli.verbs.filestatus:run",
        INSIDE,
    ),
    Verb("completion", "bash|zsh", "print a completion script", (), "sealpy_cli.completion:run", INSIDE),
    Verb("help", "[VERB]", "explain a verb; --all: every verb", (), "sealpy_cli.help:run", INSIDE),
)


class Command(NamedTuple):
    """One of sealpy's own verbs: a click command, imported when asked for."""

    name: str
    help: str
    runs: str
    """``module:attribute``; a module that is not there is a verb that is not built yet."""
    group: str
    first: bool = False


COMMANDS = (
    Command("init", "set a repository up: key, rules, attributes, hook", "sealpy_cli.commands.init:init", DAILY, True),
    Command("add", "put a key into a file, also one you can't read", "sealpy_cli.commands.add:add", DAILY, True),
    Command("fold", "make parts, which others added, part of their file", "sealpy_cli.commands.fold:fold", DAILY),
    Command("cp", "copy a file, or keys of it, into another environment", "sealpy_cli.commands.cp:cp", DAILY),
    Command("reseal", "sign a file again that was edited without its key", "sealpy_cli.commands.reseal:reseal", DAILY),
    Command("diff", "show what changed between two versions, in clear", "sealpy_cli.commands.diff:diff", REVIEW, True),
    Command("check", "is every secret encrypted as .sops.yaml says", "sealpy_cli.commands.check:check", REVIEW, True),
    Command("who", "tell who can read which secrets", "sealpy_cli.commands.who:who", REVIEW),
    Command("hook", "what git runs before a commit", "sealpy_cli.commands.hook:hook", REVIEW),
    Command("grant", "let somebody read an environment", "sealpy_cli.commands.grant:grant", KEY_WORK, True),
    Command("revoke", "let somebody read an environment no longer", "sealpy_cli.commands.revoke:revoke", KEY_WORK),
    Command("sync", "bring files in line with a changed .sops.yaml", "sealpy_cli.commands.sync:sync", KEY_WORK),
    Command("key", "make, list, import and export keys", "sealpy_cli.commands.key:key", KEY_WORK),
    Command("reconcile", "turn a branch into running secrets", "sealpy_controller.command:reconcile", RUN),
)

LATER = ("exec-env", "exec-file", "publish", "keyservice", "groups")
