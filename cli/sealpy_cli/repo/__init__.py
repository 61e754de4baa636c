"""A repository: what git says of it, what its files are, and changes that are pushed to it."""
