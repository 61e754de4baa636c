"""What docs/compatibility.md says of programs that have no other test."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests import places
from tests.cli.process import Program
from tests.conftest import AgeKey


def test_kustomize_builds_a_sealed_folder_and_its_values_open_afterwards(
    tmp_path: Path, tool: Callable[[str], str], age_key: AgeKey
) -> None:
    shutil.copytree(places.ROOT / "examples" / "gitops", tmp_path / "work")
    run = Program(tmp_path / "work", tmp_path, {"SOPS_AGE_KEY": age_key.identity})
    rule = f"  - age: {age_key.recipient}\n    encrypted_regex: ^(data|stringData)$\n"
    run.write(".sops.yaml", f"creation_rules:\n{rule}")
    assert run("encrypt", "-r", "-i", "k8s").code == 0

    built = subprocess.run(
        [tool("kustomize"), "build", "k8s/gitops/prod/service1"],
        cwd=run.folder,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    (secret,) = [document for document in built.split("\n---\n") if "kind: Secret" in document]
    run.write("built.yaml", secret)

    assert "prod-correct-horse" not in built
    assert "ENC[AES256_GCM" in secret
    # kustomize sorts the keys, which the MAC notices; Flux reads it so.
    opened = run("decrypt", "--ignore-mac", "built.yaml", program=[tool("sops")])
    assert "DB_PASSWORD: prod-correct-horse-battery" in opened.out
    assert "DB_PASSWORD: prod-correct-horse-battery" in run("decrypt", "--ignore-mac", "built.yaml").out.replace(
        '"', ""
    )
