"""The front page: findings of the chapters in a sentence each, and a figure of all registered models."""
