"""What is prepared once, before any worker starts: tables, keys, the first admin; and the model is verified."""

import os
import sys
from pathlib import Path

from bento.auth import ensure_first_admin
from bento.metrics_folder import metrics_folder
from bento.settings import ADMIN_PASSWORD_FILE, Settings
from bento.tokens import TokenError, public_key
from catalog.model_folder import Manifest
from catalog.sentence_vectors import require_encoder
from ledger.database import LedgerError, migrate, open_engine
from state.private import SharedFolderError, keep_private, private_folder
from web.settings import SettingsError

# Served from a checkout: the model that was trained on files, else that of the embedded listings.
CHECKOUT_MODELS = ("rakuten", "rakuten-embedded")
# What a start may fail with; ValueError: of settings, secrets and the model.
_EXPECTED = (ValueError, LedgerError, TokenError, SharedFolderError, OSError)
# For the workers' glibc: return the memory of a finished batch. Measured: 8 MB less a worker, at the same speed.
_MALLOC = {"MALLOC_ARENA_MAX": "2", "MALLOC_TRIM_THRESHOLD_": "131072", "MALLOC_MMAP_THRESHOLD_": "131072"}


def prepare_service() -> None:
    """Prepare the prediction service. Its workers inherit the environment and the umask that are set here.

    Ends the process with one sentence on an error; a worker that fails would be started again and again.
    """
    keep_private()
    _silence_bentoml()
    # BentoML starts uvicorn, which believes the X-Forwarded-For of every local process unless this says otherwise.
    # TRUSTED_PROXIES says who is believed.
    os.environ["FORWARDED_ALLOW_IPS"] = ""
    for name, value in _MALLOC.items():
        os.environ.setdefault(name, value)
    try:
        settings = _settings()
        if not settings.model_dir.is_dir() and not os.environ.get("MODEL_DIR"):
            settings = settings.model_copy(update={"model_dir": _newest_packaged_model()})
        # The workers run in another folder, where a relative path would name something else.
        os.environ["STATE_DIR"] = str(settings.state_dir)
        os.environ["MODEL_DIR"] = str(settings.model_dir)
        os.environ["DATABASE_URL"] = settings.database_url
        if home := os.environ.get("BENTOML_HOME"):
            os.environ["BENTOML_HOME"] = str(Path(home).expanduser().absolute())
        if not os.environ.get("METRICS_DIR"):  # `run.py serve` has one for all versions that it serves
            os.environ["METRICS_DIR"] = str(metrics_folder(settings.state_dir))
        manifest = Manifest.verified(settings.model_dir)
        if manifest.encoder:
            require_encoder(manifest.encoder)
        settings.required("metrics_token")
        if settings.auth_url is None:
            settings.required("jwt_secret")
            _prepare_ledger(settings, with_admin=True)
        else:
            settings.required("auth_service_token")
            if settings.auth_public_key:
                public_key(settings.auth_public_key)
            _prepare_ledger(settings, with_admin=False)
    except _EXPECTED as error:
        sys.exit(f"error: {error}")


def prepare_auth() -> Settings:
    """Prepare auth alone, and return its settings. Ends the process with one sentence on an error."""
    keep_private()
    try:
        settings = _settings()
        settings.required("metrics_token")
        settings.required("auth_service_token")
        _prepare_ledger(settings, with_admin=True)
    except _EXPECTED as error:
        sys.exit(f"error: {error}")
    return settings


def _silence_bentoml() -> None:
    """Send no usage reports, unless BENTOML_DO_NOT_TRACK says otherwise; BentoML has read the variable already."""
    from bentoml._internal.utils.analytics import usage_stats

    os.environ.setdefault("BENTOML_DO_NOT_TRACK", "True")
    usage_stats.do_not_track.cache_clear()


def _settings() -> Settings:
    # With `bentoml serve` state is in the folder where it is called.
    if not os.environ.get("STATE_DIR"):
        os.environ["STATE_DIR"] = str(Path.cwd() / ".state")
    settings = Settings.from_environment()
    if settings.state_dir.exists():  # with all keys in the environment and PostgreSQL none is needed
        private_folder(settings.state_dir)
    return settings


def _prepare_ledger(settings: Settings, *, with_admin: bool) -> None:
    migrate(settings.database_url)
    if not with_admin:
        return
    engine = open_engine(settings.database_url)
    try:
        password = ensure_first_admin(engine, settings)
    finally:
        engine.dispose()
    if password:
        kept = settings.state_dir / ADMIN_PASSWORD_FILE
        sys.stderr.write(
            f"\nFirst start: user '{settings.admin_username}' was created with the password  {password}\n"
            f"It is kept in {kept} and not shown again. Change it: PATCH /me\n\n"
        )


def _newest_packaged_model() -> Path:
    """Return the model folder of the newest Bento of the 27 types, for serving from a checkout, and say which it is."""
    import bentoml
    from bentoml.exceptions import NotFound

    for name in CHECKOUT_MODELS:
        try:
            bento = bentoml.get(f"{name}:latest")
        except NotFound:
            continue
        sys.stderr.write(f"The model is that of {bento.tag}, the newest Bento of '{name}'.\n")
        return Path(bento.path) / "src" / "model"
    raise SettingsError(
        f"there is no Bento {' or '.join(map(repr, CHECKOUT_MODELS))} to take a model from: train one with "
        "'python run.py', or name a model folder in MODEL_DIR"
    )
