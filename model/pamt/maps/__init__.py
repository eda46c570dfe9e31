"""Files and logs that describe a machine, and files that describe a configuration or a case."""
