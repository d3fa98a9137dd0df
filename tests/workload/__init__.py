"""`kecoa workload` and its workers in Python."""
