"""What happened: users, predictions, feedback, audit, attempts to log in, receipts."""
