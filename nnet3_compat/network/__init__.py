"""Networks that compute."""
