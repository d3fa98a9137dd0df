"""Tests of the bar that kecoa cannot pass yet, each with its reason."""

LEFT_OUT: dict[str, str] = {}
