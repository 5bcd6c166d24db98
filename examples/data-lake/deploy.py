"""Makes or updates the lake: a rule on Parley's bus, a queue, a function and a bucket, as one CloudFormation stack.

    deploy.py BUS

To where the environment leads boto3: the account of your credentials, or the laptop stack. README.md has both.
"""

from __future__ import annotations

import json
import os
import sys

import boto3
from botocore.exceptions import BotoCoreError, ClientError, WaiterError
from stack import template

STACK = "parley-lake"


def deploy(bus: str) -> str:
    """The bucket's name. Does nothing where nothing has changed."""
    stacks = boto3.client("cloudformation")
    body = json.dumps(template(bus, is_local="AWS_ENDPOINT_URL" in os.environ))
    asked = {"StackName": STACK, "TemplateBody": body, "Capabilities": ["CAPABILITY_IAM"]}
    done = ""
    try:
        stacks.create_stack(**asked)
        done = "stack_create_complete"
    except stacks.exceptions.AlreadyExistsException:
        try:
            stacks.update_stack(**asked)
            done = "stack_update_complete"
        except ClientError as error:
            if "No updates" not in str(error):
                raise
    if done:
        stacks.get_waiter(done).wait(StackName=STACK, WaiterConfig={"Delay": 2})
    [stack] = stacks.describe_stacks(StackName=STACK)["Stacks"]
    return str(stack["Outputs"][0]["OutputValue"])


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("Say which bus: deploy.py parley-prod")
    try:
        print(f"The lake is s3://{deploy(sys.argv[1])}/events/")
    except (BotoCoreError, ClientError, WaiterError) as error:
        sys.exit(f"The lake could not be deployed: {error}")
