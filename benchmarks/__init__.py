"""Measurements of the project against itself and its neighbours; `nox -s bench` runs them all."""
