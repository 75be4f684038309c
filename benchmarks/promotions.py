"""Moves the alias `production` to each version that is named on standard input, as a promotion or a rollback does.

python -m benchmarks.promotions MODEL
"""

import sys


def main(arguments: list[str]) -> int:
    """Move it, and print a line each time."""
    import mlflow

    from stacks.active import connect_tracker
    from tracking.registry import PRODUCTION

    (name,) = arguments
    connect_tracker(quiet=True)
    client = mlflow.MlflowClient()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for version in sys.stdin:
        client.set_registered_model_alias(name, PRODUCTION, version.strip())
        sys.stdout.write("moved\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
