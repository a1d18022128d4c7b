"""What a worker must know: `pyworkflow -A examples.orders.app:workflows -b sqlite:///orders.db worker`."""

from .workflows import InvoiceWorkflow, OrderWorkflow

workflows = [OrderWorkflow, InvoiceWorkflow]
