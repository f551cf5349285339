"""A node in a boot storm, played in seconds: its disk, its guests, and the very functions of decide/boot.

What it is: mean values. In each step all guests that boot share the disk as a closed queue (each keeps so
many requests outstanding and thinks between them), whose throughput at that depth the disk states. What it
is not: single requests, so latencies are means of a step, never one request's own.
"""
