"""What ZenML's dashboard shows as the version in production."""

from zenml.client import Client

from stacks.model_versions import show_in_production


def test_a_version_is_shown_in_production() -> None:
    client = Client()
    client.create_model("mirrored-shop")
    try:
        first, second = (client.create_model_version("mirrored-shop").name for _ in range(2))
        for version in (first, second, first):
            assert show_in_production("mirrored-shop", version)
            assert client.get_model_version("mirrored-shop", "production").name == version
    finally:
        client.delete_model("mirrored-shop")


def test_a_version_that_zenml_does_not_have_is_no_error() -> None:
    assert not show_in_production("no-such-shop", "1")
