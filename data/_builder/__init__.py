"""How ``data/kazakhstan`` is derived, one module per group of files."""
