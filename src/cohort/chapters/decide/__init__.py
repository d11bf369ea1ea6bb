"""The chapter `decide`: which layout serves a demand, which model to make for it, and where to run it."""
