"""What pacing reads: guests and where their disks are, their counters, the disks of the node."""
