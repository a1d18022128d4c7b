"""A worker without pyworkflow: plain boto3 does the activity `Double` of whatever decider asks for it.

Usage: python examples/swf/worker.py DOMAIN TASK_LIST [NUMBER]. AWS_ENDPOINT_URL_SWF says where, NUMBER after how many
tasks it ends.
"""

import json
import sys
from itertools import count

import boto3
from botocore.config import Config


def main(domain: str, task_list: str, number: str = "") -> None:
    swf = boto3.client("swf", config=Config(read_timeout=70))
    numbers = range(int(number)) if number else count()
    for _ in numbers:
        task = {}
        while not task.get("taskToken"):  # An empty reply after 60 seconds: nothing to do.
            task = swf.poll_for_activity_task(domain=domain, taskList={"name": task_list}, identity="plain boto3")
        result = json.dumps({"doubled": json.loads(task["input"])["n"] * 2})
        swf.respond_activity_task_completed(taskToken=task["taskToken"], result=result)


if __name__ == "__main__":
    main(*sys.argv[1:])
