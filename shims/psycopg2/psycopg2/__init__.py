"""psycopg2, provided by kecoa: the same names, whose objects are kecoa's."""

import sys
from pathlib import Path


def _refuse_the_real_one() -> None:
    """ImportError where the real psycopg2 lies in the same folder: which of the two runs would be chance."""
    here = Path(__file__).parent
    real = next((path.name for path in here.glob("_psycopg*") if path.suffix in (".so", ".pyd")), None)
    if real is not None:
        raise ImportError(
            f"expected kecoa's psycopg2 alone in {here}, found {real} of the real one beside it: uninstall"
            " both with `pip uninstall psycopg2 psycopg2-binary`, then install the one that you want"
        )


def _become_kecoa() -> None:
    import kecoa

    # Out of the way of kecoa's own, which refuses to stand in for a psycopg2 that is imported already.
    own = sys.modules.pop("psycopg2")
    try:
        kecoa.install_as_psycopg2()
        # The import system goes on with what stands in sys.modules.
        __import__("psycopg2")
    except BaseException:
        sys.modules.setdefault("psycopg2", own)
        raise


_refuse_the_real_one()
_become_kecoa()
