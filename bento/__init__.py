"""The prediction service. What is imported here is all that a serving process loads."""
