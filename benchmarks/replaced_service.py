"""A stand-in for the hand-wired FastAPI service that the Bento replaces, written for this comparison.

    python -m benchmarks.replaced_service train FOLDER [--size 20000]
    ADMIN_PASSWORD=… python -m benchmarks.replaced_service serve FOLDER --port PORT [--endpoint async]

It does in one process what typical services of that kind do, in the way of their tutorials. A login with a password
returns a token (OAuth2, HS256). `/predict` decodes the token and looks the user up in a dictionary. The text is
cleaned, tokenised and stemmed with NLTK. A scikit-learn pipeline of 5,000 terms gives the probabilities. Each
prediction is written as a line of a csv file, under a lock.

Where there was a choice, the stand-in has the faster variant: no access log, uvloop and httptools where they are
installed, a model that is loaded once, compiled patterns, no sync to the disk after a line. The pipeline is asked once
for each listing; tutorials often call `predict` and then `predict_proba`, which takes 1.5 to 2.1 times as long. One
choice has a disadvantage either way. By default the endpoint is a plain `def`, as is usual for computation, and FastAPI
runs it in threads. With `--endpoint async` it runs in the event loop: on two cores it answered 10 to 40 percent more
requests a second, but at 64 connections one request in a hundred waited 1 to 4 s instead of 0.3 to 0.6 s.
"""

import argparse
import csv
import fcntl
import os
import re
import secrets
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from html import unescape
from pathlib import Path
from typing import Annotated, Any

import jwt
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordBearer, OAuth2PasswordRequestForm
from nltk.stem import SnowballStemmer  # type: ignore[import-untyped]
from nltk.tokenize import RegexpTokenizer  # type: ignore[import-untyped]
from pwdlib import PasswordHash
from pydantic import BaseModel

MODEL, LOG = "model.skops", "predictions.csv"
TERMS = 5_000
ENDPOINTS = ("def", "async")
ALGORITHM = "HS256"
TOKEN_LIFETIME = timedelta(hours=1)
_FUNCTION_WORDS = """
au aux avec ce ces cette dans de des du elle en est et il la le les leur mais ne ou par pas plus pour qui que sa sans se
ses si son sont sur tout très un une vos votre vous
a an and are as at be by for from has in is it its of on or that the this to was with you your
als am auch auf aus bei das dem den der die ein eine einen er es für im ist mit nicht oder sie sind und von wie zu zum
"""
STOP_WORDS = frozenset(_FUNCTION_WORDS.split())

_TAG = re.compile(r"<[^>]*>")
_TOKENIZER = RegexpTokenizer(r"[^\W\d_]{2,}")
_STEMMER = SnowballStemmer("french")


class Listing(BaseModel):
    """A listing to classify."""

    designation: str
    description: str | None = None


class Answer(BaseModel):
    """The predicted type."""

    prdtypecode: int
    confidence: float


class Token(BaseModel):
    """The answer to a login."""

    access_token: str
    token_type: str = "bearer"


@dataclass(frozen=True)
class User:
    """A user who may log in."""

    username: str
    password_hash: str


def clean(text: str) -> list[str]:
    """Return the words of a text: without mark-up and stop words, in lower case."""
    tokens: list[str] = _TOKENIZER.tokenize(_TAG.sub(" ", unescape(text)).lower())
    return [token for token in tokens if token not in STOP_WORDS]


def preprocess(designation: str, description: str | None) -> str:
    """Return the stems of a listing's words."""
    return " ".join(map(_STEMMER.stem, clean(f"{designation} {description or ''}")))


def train(folder: Path, size: int) -> None:
    """Fit the pipeline on the embedded listings and write it into the folder."""
    import skops.io
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import SGDClassifier
    from sklearn.pipeline import make_pipeline

    from catalog.synthetic import generate

    listings = generate(size)
    stem = cache(_STEMMER.stem)  # each word is stemmed once; requests stem without a cache
    texts = [
        " ".join(map(stem, clean(f"{designation} {description or ''}")))
        for designation, description in zip(listings["designation"], listings["description"], strict=True)
    ]
    model = make_pipeline(
        TfidfVectorizer(max_features=TERMS), SGDClassifier(loss="log_loss", class_weight="balanced", random_state=0)
    )
    model.fit(texts, listings["prdtypecode"])
    terms = model["tfidfvectorizer"].vocabulary_
    terms.update({term: int(number) for term, number in terms.items()})  # skops is slow with the integers of NumPy
    skops.io.dump(model, folder / MODEL)


def create_app(folder: Path, password: str, endpoint: str = "def") -> FastAPI:
    """Return the application. It loads the model of the folder, writes its log there, and has one user, admin.

    `endpoint` is one of `ENDPOINTS`: whether /predict is a `def` or an `async def`.
    """
    import skops.io

    model = skops.io.load(folder / MODEL)
    secret = secrets.token_hex(32)
    hashing = PasswordHash.recommended()
    users = {"admin": User("admin", hashing.hash(password))}
    bearer = OAuth2PasswordBearer("login")
    app = FastAPI(title="Product types")

    async def current_user(token: Annotated[str, Depends(bearer)]) -> User:
        try:
            claims = jwt.decode(token, secret, algorithms=[ALGORITHM])
        except jwt.InvalidTokenError:
            raise HTTPException(401, "not a valid token", {"WWW-Authenticate": "Bearer"}) from None
        user = users.get(claims.get("sub", ""))
        if user is None:
            raise HTTPException(401, "not a valid token", {"WWW-Authenticate": "Bearer"})
        return user

    @app.post("/login")
    def login(form: Annotated[OAuth2PasswordRequestForm, Depends()]) -> Token:
        user = users.get(form.username)
        if user is None or not hashing.verify(form.password, user.password_hash):
            raise HTTPException(401, "name or password is wrong", {"WWW-Authenticate": "Bearer"})
        claims = {"sub": user.username, "exp": datetime.now(UTC) + TOKEN_LIFETIME}
        return Token(access_token=jwt.encode(claims, secret, ALGORITHM))

    def predict(listing: Listing, user: Annotated[User, Depends(current_user)]) -> Answer:
        probabilities = model.predict_proba([preprocess(listing.designation, listing.description)])[0]
        best = int(probabilities.argmax())
        answer = Answer(prdtypecode=int(model.classes_[best]), confidence=float(probabilities[best]))
        append(
            folder / LOG,
            [datetime.now(UTC).isoformat(), user.username, listing.designation, answer.prdtypecode, answer.confidence],
        )
        return answer

    async def predict_in_loop(listing: Listing, user: Annotated[User, Depends(current_user)]) -> Answer:
        return predict(listing, user)

    app.post("/predict")(predict if endpoint == "def" else predict_in_loop)

    @app.get("/readyz")
    def ready() -> dict[str, str]:
        return {"status": "ok"}

    return app


def append(path: Path, row: list[Any]) -> None:
    """Append a row to a csv file, under a lock for threads and processes."""
    with path.open("a", newline="", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # released when the file is closed
        csv.writer(file).writerow(row)


def main(arguments: list[str]) -> int:
    """Train or serve."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.replaced_service", description=__doc__.split("\n")[0])
    verbs = parser.add_subparsers(dest="verb", required=True)
    trains = verbs.add_parser("train", help="fit the model and write it into the folder")
    trains.add_argument("folder", type=Path)
    trains.add_argument("--size", type=int, default=20_000, help="embedded listings (20000)")
    serves = verbs.add_parser("serve", help="serve on loopback; the user is admin, with ADMIN_PASSWORD")
    serves.add_argument("folder", type=Path)
    serves.add_argument("--port", type=int, required=True)
    serves.add_argument("--endpoint", choices=ENDPOINTS, default="def", help="the function of /predict (def)")
    options = parser.parse_args(arguments)
    if options.verb == "train":
        train(options.folder, options.size)
        return 0

    import uvicorn

    app = create_app(options.folder, os.environ["ADMIN_PASSWORD"], options.endpoint)
    uvicorn.run(app, host="127.0.0.1", port=options.port, access_log=False, log_level="warning")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
