"""A machine with a key for prod keeps a folder equal to the branch."""

from pathlib import Path

from tests.cli.team import FILES
from tests.journeys.crew import Crew

_, PROD, MAIL = FILES


def running(folder: Path) -> dict[str, str]:
    """Return what a program would read."""
    return {
        str(path.relative_to(folder)): path.read_text()
        for path in sorted(folder.glob("default/secrets/*/*"))
        if path.is_file()
    }


def test_what_is_merged_runs_and_what_does_not_open_leaves_what_runs(crew: Crew) -> None:
    olga, dan, leo = crew.olga, crew.dan, crew.leo
    cluster = crew.machine("cluster")
    olga.does(f"sealpy grant prod {crew.team.recipient('cluster')} --name prod-cluster")
    olga.pushes("Let the cluster read prod")
    folder = cluster.home / "running"
    # Of the shop only the folder counts; the warning is for those who put it on a disk.
    reconcile = f"sealpy reconcile --source {crew.origin.as_uri()} --ref main --path k8s/prod --to ~/running --once"
    disk = "sealpy: warning: ~/running is not on a tmpfs: what is decrypted there lands on a disk\n"

    # Dan adds what he cannot read; the machine has file and part as one.
    dan.pulls()
    dan.does(f"sealpy add {PROD} STRIPE_KEY --value-stdin", stdin="sk_live_1")
    dan.pushes("Add the key of Stripe")
    assert cluster.types(reconcile) == (
        0,
        "",
        f"""\
{disk}\
sealpy: created Secret default/app from k8s/prod/app/secrets.yaml: +DB_PASSWORD, +STRIPE_KEY, +TOKEN
sealpy: created Secret default/mail from k8s/prod/mail/secrets.yaml: +DB_PASSWORD, +TOKEN
sealpy: main at <Add the key of Stripe>: 2 created; 2 files left alone
""",
    )
    good = {
        "default/secrets/app/DB_PASSWORD": "prod-app-canary",
        "default/secrets/app/STRIPE_KEY": "sk_live_1",
        "default/secrets/app/TOKEN": "prod-app-canary-token",
        "default/secrets/mail/DB_PASSWORD": "prod-mail-canary",
        "default/secrets/mail/TOKEN": "prod-mail-canary-token",
    }
    assert running(folder) == good

    # To fold it in changes nothing that runs.
    olga.pulls()
    olga.does(f"sealpy fold {PROD}")
    olga.pushes("Fold it in")
    cluster.does(reconcile)
    assert running(folder) == good

    # Dan writes a part by hand, with sops, for himself alone, over the password; meanwhile mail goes on.
    dan.pulls()
    part = "k8s/prod/app/secrets.d/DB_PASSWORD.yaml"
    dan.write(part, "apiVersion: v1\nkind: Secret\nmetadata:\n  name: app\nstringData:\n  DB_PASSWORD: mine\n")
    own = crew.team.recipient("dan")
    dan.does(f"sops --config /dev/null encrypt -i --age {own} --encrypted-regex '^(data|stringData)$' {part}")
    dan.pushes("Change the password")
    leo.pulls()
    leo.does(f"""sealpy set {MAIL} '["stringData"]["TOKEN"]' '"mail-2"'""")
    leo.pushes("Change the token of mail")
    assert cluster.types(reconcile) == (
        128,
        "",
        f"""\
{disk}\
sealpy: updated Secret default/mail from k8s/prod/mail/secrets.yaml: ~TOKEN
sealpy: failed: k8s/prod/app/secrets.d/DB_PASSWORD.yaml: no key here opens it: it is sealed for dan (age1…dan); \
tried prod-cluster (age1…cluster) (~/config/sops/age/keys.txt)
sealpy: hint: ask whoever opens it to let you in, or name the file of another key of yours in SOPS_AGE_KEY_FILE
sealpy: main at <Change the token of mail>: 1 updated, 1 held, 1 failed; 2 files left alone
""",
    )
    good["default/secrets/mail/TOKEN"] = "mail-2"
    assert running(folder) == good

    # CI had said so; what it says is for Dan, who alone opens the part.
    rita = crew.rita
    rita.pulls()
    ended = rita.types("sealpy check")
    assert ended == (
        1,
        f"""\
error    {part}: dan (age1…dan) can read it, but the rule does not say so  (SP301)
error    {part}: olga (age1…olga) cannot read it, but the rule says so  (SP302)
error    {part}: leo (age1…leo) cannot read it, but the rule says so  (SP302)
error    {part}: prod-cluster (age1…cluster) cannot read it, but the rule says so  (SP302)
warning  {part}: dan (age1…dan) can read this part, and not k8s/prod/app/secrets.yaml  (SP316)
warning  {part}: olga (age1…olga), leo (age1…leo), prod-cluster (age1…cluster) can read k8s/prod/app/secrets.yaml, \
and not this part of it  (SP316)
         to mend it: sealpy sync {part}
note     {part}:6: it replaces the value of DB_PASSWORD, which whoever wrote the part could perhaps not read  (SP315)
4 errors, 2 warnings, 1 note: 4 files looked at, 4 encrypted, 4 not verified, for no key here is meant for them
""",
        "",
    )
    assert rita.advice == [f"sealpy sync {part}"]
    dan.pulls()
    assert dan.answers(rita.advice[0], ("write 1 file? (y/n): ", "y"))[0] == 0
    dan.pushes("Let those read the password who should")

    cluster.does(reconcile)
    good["default/secrets/app/DB_PASSWORD"] = "mine"
    assert running(folder) == good
