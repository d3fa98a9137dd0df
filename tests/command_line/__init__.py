"""The command line of the package: `python -m kecoa`, and the script `kecoa`."""
