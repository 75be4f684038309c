# The image in which every step runs, on every stack that has containers. ZenML adds the code as the last layer, so an
# edit of the code leaves all layers of this file in the cache.
FROM python:3.11-slim-bookworm

ENV PYTHONUNBUFFERED=1 \
    PATH=/opt/venv/bin:$PATH

# libgomp1: scikit-learn and scipy load it.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libgomp1 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 1000 steps

COPY requirements/steps.txt /tmp/build/
# Compiled now, since nobody can write to the installed packages later.
RUN python3 -m venv /opt/venv \
    && python -m pip install --no-cache-dir --disable-pip-version-check --require-hashes --no-deps \
        --requirement /tmp/build/steps.txt \
    && rm -rf /tmp/build

# The steps may run as any user, also as one without a home: libraries write into a folder that every user may write to.
# ZenML puts the code into /app.
ENV HOME=/tmp/home \
    ZENML_CUSTOM_SOURCE_ROOT=/app \
    BENTOML_HOME=/tmp/home/bentoml \
    MPLCONFIGDIR=/tmp/home/matplotlib \
    ZENML_ANALYTICS_OPT_IN=false \
    MLFLOW_DISABLE_TELEMETRY=true \
    BENTOML_DO_NOT_TRACK=True \
    GX_ANALYTICS_ENABLED=false \
    DO_NOT_TRACK=1 \
    ZENML_ENABLE_RICH_TRACEBACK=false \
    MLFLOW_LOGGING_LEVEL=ERROR \
    GIT_PYTHON_REFRESH=quiet
RUN mkdir -p /tmp/home && chmod 1777 /tmp/home
# ZenML adds the code as root and then changes to the user `steps`: `user` in the stack files.
