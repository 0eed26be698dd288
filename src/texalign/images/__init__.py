"""Images: where they come from, and which are of one class."""
