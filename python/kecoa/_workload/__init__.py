"""The workers of `kecoa workload run --client python`: the same transactions, by the Python driver.

`python -m kecoa._workload` is started by the command line. The first line of its standard input says what to
do, as JSON; each transaction is a line of JSON on its standard output; it ends when its standard input is
closed.
"""
