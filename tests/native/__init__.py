"""Tests of `native`: each runs on the reference and on the compiled twin's two implementations."""
