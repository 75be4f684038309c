# The image in which every step runs, on every stack that has containers. The code comes on top, by ZenML: an edit of it
# leaves all of this in the cache.
FROM python:3.11-slim-bookworm

ENV PYTHONUNBUFFERED=1 \
    PATH=/opt/venv/bin:$PATH

# libgomp1: scikit-learn and scipy load it.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libgomp1 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 1000 steps

COPY requirements.lock stacks/requirements.py /tmp/build/
# The lock less what only development needs; compiled now, since the code cannot be written to later.
RUN python3 /tmp/build/requirements.py /tmp/build/requirements.lock > /tmp/build/requirements.txt \
    && python3 -m venv /opt/venv \
    && python -m pip install --no-cache-dir --disable-pip-version-check --require-hashes --no-deps \
        --requirement /tmp/build/requirements.txt \
    && rm -rf /tmp/build

# Whoever runs the steps may be any user, without a home: what libraries write goes where everybody may write. ZenML
# puts the code into /app.
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
