"""The few orders of the tests, one for each kind of customer, and how each must end."""

from __future__ import annotations

from pathlib import Path

FEW = Path(__file__).with_name("orders-25.csv")
TICKETS = {"T-16", "T-17", "T-18"}  # who gets the six seats is a matter of luck, how many orders do is not
EXPECTED = {
    **dict.fromkeys(
        ["T-01", "T-02", "T-03", "T-06", "T-07", "T-09", "T-10", "T-11", "T-13", "T-14", "T-15"], "shipped"
    ),
    **dict.fromkeys(["T-04", "T-05"], "card declined"),
    **dict.fromkeys(["T-19", "T-20"], "parcel refused"),
    **dict.fromkeys(["T-21", "T-22"], "out of stock"),
    "T-08": "bank unreachable",
    "T-12": "unpaid",
}
