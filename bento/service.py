"""What `bentoml serve` serves: one application around one predictor."""

from typing import Annotated

import bentoml
from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field

from bento.settings import model_folder
from catalog.contract import CONTRACT
from catalog.language import detect_language
from catalog.predictor import Predictor


class Listing(BaseModel):
    """A listing to classify."""

    model_config = ConfigDict(extra="forbid")

    designation: Annotated[str, Field(min_length=1, max_length=CONTRACT.title_limit)]
    description: Annotated[str | None, Field(max_length=CONTRACT.description_limit)] = None


class RankedType(BaseModel):
    """One of the most likely types."""

    code: int
    label: str
    confidence: float


class Answer(BaseModel):
    """The predicted type. `abstained`: the confidence is below the model's threshold, a person should look."""

    predicted_class: str
    predicted_code: int
    confidence: float
    abstained: bool
    top_k: list[RankedType]
    language: str
    model_version: str


class Health(BaseModel):
    """The service is up, and what it serves."""

    model_config = ConfigDict(protected_namespaces=())

    status: str
    model_name: str
    model_version: str


def create_app(predictor: Predictor) -> FastAPI:
    """Return the application that answers with this predictor. Its pages load nothing from elsewhere."""
    app = FastAPI(title="Product types", docs_url=None, redoc_url=None)

    @app.post("/predict")
    def predict(listing: Listing) -> Answer:
        prediction = predictor.predict_top_k(listing.designation, listing.description)
        return Answer(
            predicted_class=prediction.label,
            predicted_code=prediction.code,
            confidence=prediction.confidence,
            abstained=prediction.abstained,
            top_k=[
                RankedType(code=code, label=label, confidence=confidence)
                for code, label, confidence in prediction.top_k
            ],
            language=detect_language(f"{listing.designation} {listing.description or ''}"),
            model_version=predictor.manifest.model_version,
        )

    @app.get("/health")
    def health() -> Health:
        manifest = predictor.manifest
        return Health(status="ok", model_name=manifest.name, model_version=manifest.model_version)

    return app


app = FastAPI(title="Product types", docs_url=None, redoc_url=None, openapi_url=None)


@bentoml.service(
    name="product_types",
    http={"host": "127.0.0.1", "port": 3000},  # loopback unless told otherwise
    workers=1,
    logging={"access": {"enabled": False}},
    metrics={"enabled": False},
    tracing={"excluded_urls": ".*"},
)
@bentoml.asgi_app(app, path="/")
class ProductTypes:
    """Loads the model folder, which must be what its manifest says, and answers."""

    def __init__(self) -> None:
        app.mount("/", create_app(Predictor(model_folder())))
