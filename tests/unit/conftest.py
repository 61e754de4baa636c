"""What several unit tests ask of the reference."""

import base64
import json
import random
import subprocess
from collections.abc import Callable, Iterable

import pytest

from tests import places

Ask = Callable[[Iterable[dict[str, str]]], list[dict[str, object]]]


@pytest.fixture
def goyaml(tool: Callable[[str], object]) -> Ask:
    """Ask the real go-yaml and Go's standard library about many texts at once; see its main.go for the questions."""

    def ask(questions: Iterable[dict[str, str]]) -> list[dict[str, object]]:
        lines = [json.dumps({**question, "text": _base64(question["text"])}) for question in questions]
        run = subprocess.run(
            [str(tool("goyaml"))], input="\n".join(lines) + "\n", capture_output=True, text=True, check=True
        )
        answers = [json.loads(line) for line in run.stdout.splitlines()]
        assert len(answers) == len(lines)
        for answer in answers:
            answer["text"] = base64.b64decode(answer["text"]).decode("utf-8", "surrogateescape")
        return answers

    return ask


@pytest.fixture
def rng() -> random.Random:
    """Draw from a fresh seed, which a failure shows; SEED in the environment repeats a run."""
    seed = places.ENVIRONMENT.get("SEED") or str(random.SystemRandom().getrandbits(32))
    print(f"SEED={seed}")
    return random.Random(seed)


def _base64(text: str) -> str:
    return base64.b64encode(text.encode("utf-8", "surrogateescape")).decode()
