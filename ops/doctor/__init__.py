"""`make doctor`: a deployed stack, looked at as its client and as its operator, step by step.

It uses what anybody has: the Python client, the HTTP API, and boto3. What it makes it names `doctor-…` and takes away.
"""
