"""What pyworkflow.testing gives to users."""
