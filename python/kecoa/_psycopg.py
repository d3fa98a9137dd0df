"""The extension module under the name of psycopg2's: `kecoa._psycopg` is `kecoa._kecoa`.

What imports this module gets the extension itself, so that its `__file__` is the shared library and its
dicts are the live ones. It can also be imported on its own from the package's folder, without `kecoa`.
"""

from __future__ import annotations

import sys

if __package__:
    from kecoa import _kecoa
elif "kecoa._kecoa" in sys.modules:
    # Under `kecoa run` the package is imported before the program begins; an extension is loaded once.
    _kecoa = sys.modules["kecoa._kecoa"]
else:
    import _kecoa  # type: ignore[import-not-found,no-redef]

# The import system goes on with what is in sys.modules.
sys.modules[__name__] = _kecoa
