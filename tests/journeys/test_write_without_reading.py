"""A developer brings a secret to prod, which they cannot read; it is reviewed, folded in, and runs."""

from tests.cli.team import FILES
from tests.journeys.crew import Crew

_, PROD, _ = FILES


def test_a_developer_adds_a_secret_to_prod(crew: Crew) -> None:
    dan, rita, olga, leo = crew.dan, crew.rita, crew.olga, crew.leo

    # Dan needs a key of Stripe in prod. Who reads prod?
    assert (
        dan.does("sealpy who prod")
        == """\
prod  2 encrypted files
  olga (age1…olga)
  leo (age1…leo)
"""
    )

    # Not he, so what he is used to is refused, and he is told what is not.
    dan.branches("stripe")
    said = dan.types(f"""sealpy set {PROD} '["stringData"]["STRIPE_KEY"]' --value-stdin""", stdin='"sk_live_1"')
    assert said == (
        128,
        "",
        """\
sealpy: k8s/prod/app/secrets.yaml: stringData.STRIPE_KEY would be sealed, and no key here opens it: \
it is sealed for olga (age1…olga), leo (age1…leo); tried dan (age1…dan) (~/config/sops/age/keys.txt)
sealpy: hint: "sealpy add k8s/prod/app/secrets.yaml STRIPE_KEY" puts a value there without reading what is; \
ask whoever opens it to let you in, or name the file of another key of yours in SOPS_AGE_KEY_FILE
sealpy: hint: to be let in, ask with a pull request: sealpy grant --request prod dan
""",
    )
    assert dan.changed() == []

    # He does that, with the value on stdin.
    said = dan.types(f"{dan.advice[0]} --value-stdin", stdin="sk_live_1\n")
    assert said == (
        0,
        "",
        """\
sealpy: you can't read prod (it takes the key of olga (age1…olga) or leo (age1…leo)). \
Sealed STRIPE_KEY into k8s/prod/app/secrets.d/STRIPE_KEY.yaml; nothing else touched
sealpy: hint: kustomize and Flux learn of STRIPE_KEY when somebody with the key runs \
"sealpy fold k8s/prod/app/secrets.yaml"
""",
    )
    fold = dan.advice[0]

    # A password that is there already he may replace too; this time he is asked for it, and sees nothing of it.
    dan.types(f"""sealpy set {PROD} '["stringData"]["DB_PASSWORD"]' '"seen by every process"'""")
    code, screen = dan.answers(dan.advice[0], ("value for DB_PASSWORD: ", "battery-staple"))
    assert code == 0
    assert "battery-staple" not in screen
    assert (
        "sealpy: warning: DB_PASSWORD has a value in k8s/prod/app/secrets.yaml already, which this one replaces\n"
        in (screen)
    )

    # To fold is not for him.
    assert dan.types(fold) == (
        128,
        "",
        """\
sealpy: k8s/prod/app/secrets.yaml: k8s/prod/app/secrets.d/DB_PASSWORD.yaml: no key here opens it: \
it is sealed for olga (age1…olga), leo (age1…leo); tried dan (age1…dan) (~/config/sops/age/keys.txt)
sealpy: hint: ask whoever opens it to let you in, or name the file of another key of yours in SOPS_AGE_KEY_FILE
sealpy: hint: to be let in, ask with a pull request: sealpy grant --request prod dan
""",
    )
    assert dan.changed() == ["k8s/prod/app/secrets.d/DB_PASSWORD.yaml", "k8s/prod/app/secrets.d/STRIPE_KEY.yaml"]
    dan.pushes("Add the key of Stripe", "stripe")

    # Rita reviews without a key: what it is, and nothing of the values.
    rita.takes("stripe")
    assert rita.types("sealpy check") == (
        0,
        """\
note     k8s/prod/app/secrets.d/DB_PASSWORD.yaml:6: it replaces the value of DB_PASSWORD, \
which whoever wrote the part could perhaps not read  (SP315)
1 note: 5 files looked at, 5 encrypted, 5 not verified, for no key here is meant for them
""",
        "",
    )
    structure = """\
diff origin/main...stripe  (since their merge base)
values are hidden, for this is no terminal; --reveal shows them

k8s/prod/app/secrets.yaml  Secret app
  ? no key here opens it; who has one: olga (age1…olga), leo (age1…leo)
  + part k8s/prod/app/secrets.d/DB_PASSWORD.yaml, which whoever can push can write, without the key
  + part k8s/prod/app/secrets.d/STRIPE_KEY.yaml, which whoever can push can write, without the key
  ~ stringData.DB_PASSWORD  changed: str, 15 → 14 B   [replaces a value its author could not read]
  + stringData.STRIPE_KEY   str, 9 B
  = 1 value unchanged

to open more: {next_step}
2 changed files looked at: 2 that no key here opens
"""
    assert rita.does("sealpy diff") == structure.format(
        next_step='name your key file in SOPS_AGE_KEY_FILE, or add your key with "sealpy key import"; '
        'without a key, make one with "sealpy key new" and ask whoever opens it to let you in'
    )

    # With the key of dev she sees as much.
    assert rita.does(f"SOPS_AGE_KEY_FILE={crew.key_file('dan')} sealpy diff") == structure.format(
        next_step="ask whoever opens it to let you in, or name the file of another key of yours in SOPS_AGE_KEY_FILE"
    )

    # Olga has the key: she sees values, and what to look at twice.
    olga.takes("stripe")
    assert (
        olga.does("sealpy diff --reveal")
        == """\
diff origin/main...stripe  (since their merge base)
values are shown, as asked

k8s/prod/app/secrets.yaml  Secret app
  + part k8s/prod/app/secrets.d/DB_PASSWORD.yaml, which whoever can push can write, without the key
  + part k8s/prod/app/secrets.d/STRIPE_KEY.yaml, which whoever can push can write, without the key
  ~ stringData.DB_PASSWORD  "prod-app-canary" → "battery-staple"   [replaces a value its author could not read]
  + stringData.STRIPE_KEY   "sk_live_1"
  = 1 value unchanged

2 changed files looked at: 2 with changes
"""
    )

    # She does what Dan was told that somebody has to do.
    assert (
        olga.does(fold)
        == """\
sealpy: k8s/prod/app/secrets.yaml: folded in and removed \
k8s/prod/app/secrets.d/DB_PASSWORD.yaml, k8s/prod/app/secrets.d/STRIPE_KEY.yaml
"""
    )
    assert olga.does("sealpy check") == "nothing is wrong: 3 files looked at, 3 encrypted, 3 verified with a key\n"
    assert (
        olga.does("sealpy diff")
        == """\
diff HEAD (<Add the key of Stripe>) → worktree
values are hidden, for this is no terminal; --reveal shows them

k8s/prod/app/secrets.yaml
  - part k8s/prod/app/secrets.d/DB_PASSWORD.yaml
  - part k8s/prod/app/secrets.d/STRIPE_KEY.yaml
  = 2 values re-encrypted, plaintext unchanged; 1 value unchanged; folded in, no value changed

no change in any secret; 3 changed files looked at: 3 with the same values in new ciphertext or layout
"""
    )
    olga.pushes("Fold them in")

    # Leo uses sops and kustomize, and nothing else.
    leo.pulls()
    leo.does(f"sops decrypt -i {PROD}")
    assert (
        leo.does("kustomize build k8s/prod/app")
        == """\
apiVersion: v1
kind: Secret
metadata:
  name: app
stringData:
  DB_PASSWORD: battery-staple
  STRIPE_KEY: sk_live_1
  TOKEN: prod-app-canary-token
"""
    )
