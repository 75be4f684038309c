"""What the files in `configs/` say: parameters of the pipelines, rules of retention. An unknown key is an error."""

from pathlib import Path
from typing import Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from catalog.agreement import QualityRules
from catalog.training_parameters import TrainingParameters
from checks.drift import DriftRules
from ledger.windows import WindowRules

DEFAULT = Path(__file__).parent / "configs" / "training.yaml"


class ConfigurationError(ValueError):
    """A configuration file is missing or not valid."""


class _Config(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a YAML file. Raises `ConfigurationError` naming the file, the key and what was expected."""
        try:
            content = yaml.safe_load(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise ConfigurationError(f"{path}: there is no such configuration file") from None
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise ConfigurationError(f"{path} cannot be read as YAML: {' '.join(str(error).split())}") from error
        try:
            return cls.model_validate(content)
        except ValidationError as error:
            problems = [f"{'.'.join(map(str, entry['loc'])) or 'the file'}: {entry['msg']}" for entry in error.errors()]
            raise ConfigurationError(f"{path}: {'; '.join(problems)}") from None


class TrainingConfig(TrainingParameters, _Config):
    """All parameters of a training run."""


class MonitoringConfig(_Config):
    """All parameters of a monitoring run."""

    seed: int = 0
    window: WindowRules = WindowRules()
    drift: DriftRules = DriftRules()
    quality: QualityRules = QualityRules()


class RunRules(BaseModel):
    """Which runs of a pipeline are kept: the newest `runs` of each model that are younger than `days` (0: no limit)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    runs: int = Field(0, ge=0)
    days: int = Field(0, ge=0)


class RetentionConfig(_Config):
    """What is kept, and for how long. 0 keeps it for ever."""

    training: RunRules = RunRules(runs=20, days=90)
    monitoring: RunRules = RunRules(runs=100, days=30)
    scoring: RunRules = RunRules(runs=100, days=90)
    rollbacks: int = Field(10, ge=0)
    history_days: int = Field(365, ge=0)
    predictions_days: int = Field(0, ge=0)
    requests_days: int = Field(30, ge=0)
    audit_days: int = Field(365, ge=0)
