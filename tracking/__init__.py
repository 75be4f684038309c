"""The tracker, the model registry and the Pushgateway: what a run leaves there, and what is read back."""
