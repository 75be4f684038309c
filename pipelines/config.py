"""The parameters of the pipelines, read from the YAML files in `configs/`; an unknown key is an error."""

from pathlib import Path
from typing import Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from catalog.agreement import QualityRules
from catalog.candidates import Candidate
from catalog.comparison import PromotionRules
from catalog.consolidation import ConsolidationRules
from checks.drift import DriftRules
from ledger.windows import WindowRules

DEFAULT = Path(__file__).parent / "configs" / "training.yaml"


class ConfigurationError(ValueError):
    """A configuration file is missing or not valid."""


class _Config(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    seed: int = 0

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


class TrainingConfig(_Config):
    """All parameters of a training run."""

    size: int = Field(20_000, ge=200)
    target_precision: float = Field(0.95, gt=0, lt=1)
    consolidation: ConsolidationRules = ConsolidationRules()
    candidates: dict[str, Candidate] = Field(min_length=1)
    promotion: PromotionRules = PromotionRules()


class MonitoringConfig(_Config):
    """All parameters of a monitoring run."""

    window: WindowRules = WindowRules()
    drift: DriftRules = DriftRules()
    quality: QualityRules = QualityRules()
