"""What an image installs: the lock, less what only development needs."""

import re

from stacks.requirements import without_development
from tests.conftest import ROOT

LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")


def names(lock: str) -> set[str]:
    return set(re.findall(r"^([a-z0-9._-]+)==", lock, re.MULTILINE))


def test_the_tools_of_development_stay_out() -> None:
    image = names(without_development(LOCK))
    assert image < names(LOCK)
    assert not image & {"pytest", "mypy", "ruff", "playwright", "hypothesis", "schemathesis", "kubernetes-validate"}


def test_everything_the_steps_need_stays_with_its_hashes() -> None:
    image = without_development(LOCK)
    assert {"zenml", "mlflow", "bentoml", "scikit-learn", "pandas", "s3fs", "evidently"} <= names(image)
    for entry in re.split(r"^(?=[a-z0-9])", image, flags=re.MULTILINE)[1:]:
        assert "--hash=sha256:" in entry


def test_what_a_needed_package_needs_is_needed() -> None:
    lock = (
        "kept==1 \\\n    --hash=sha256:1\n    # via product-types (pyproject.toml)\n"
        "below==1 \\\n    --hash=sha256:2\n    # via\n    #   kept\n    #   tool\n"
        "deeper==1 \\\n    --hash=sha256:3\n    # via below\n"
        "tool==1 \\\n    --hash=sha256:4\n    # via product-types (pyproject.toml:dev)\n"
    )
    assert names(without_development(lock)) == {"kept", "below", "deeper"}
