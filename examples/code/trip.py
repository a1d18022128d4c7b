"""A saga: a trip of several bookings, which are undone when one of them is not to be had.

python3 -m examples.code.trip
"""

from __future__ import annotations

from pyworkflow import ActivityFailed, Context, Process, RetryPolicy, Saga, activity, workflow
from pyworkflow.testing import WorkflowEnvironment

PATIENT = RetryPolicy(maximum_attempts=3)


@activity(execution_timeout=30, retry=PATIENT)
def book(what: str) -> str:
    if what.startswith("flight"):
        raise ActivityFailed(f"no {what} left", non_retryable=True)
    print(f"booked {what}")
    return f"ticket for {what}"


@activity(execution_timeout=30, retry=PATIENT)
def cancel(what: str) -> None:
    print(f"canceled {what}")


@workflow(activities=[book, cancel])
async def trip(ctx: Context, wishes: list[str]) -> list[str]:
    """The tickets; all of them or none."""
    tickets = []
    async with Saga(ctx) as saga:
        for what in wishes:
            saga.on_failure(cancel, what)
            tickets.append(await ctx.call(book, what))
    return tickets


def main() -> None:
    env = WorkflowEnvironment([trip])
    print(env.run(Process(trip, input=["hotel", "train"])))
    try:
        env.run(Process(trip, input=["hotel", "car", "flight to Rome"]))
    except Exception as failure:
        print(f"failed: {failure}")


if __name__ == "__main__":
    main()
