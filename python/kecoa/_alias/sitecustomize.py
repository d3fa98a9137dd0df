"""Runs at the start of every Python below `kecoa run`: psycopg2 is kecoa there too.

Another sitecustomize, which this one hides, is run after it.
"""

import importlib.machinery
import importlib.util
import os
import sys


def _answer_psycopg2() -> None:
    # A child may be another Python, without kecoa: it is left alone.
    if importlib.util.find_spec("kecoa") is None:
        return
    from kecoa._alias import install_as_psycopg2

    install_as_psycopg2()


def _run_the_hidden_one() -> None:
    here = os.path.dirname(os.path.realpath(__file__))  # noqa: PTH120  (pathlib is not loaded yet)
    others = [entry for entry in sys.path if os.path.realpath(entry) != here]
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize", others)
    if spec is None or spec.loader is None:
        return
    module = importlib.util.module_from_spec(spec)
    sys.modules["sitecustomize"] = module
    spec.loader.exec_module(module)


_answer_psycopg2()
_run_the_hidden_one()
