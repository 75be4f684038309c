"""What happened: predictions and the feedback that people gave on them."""
