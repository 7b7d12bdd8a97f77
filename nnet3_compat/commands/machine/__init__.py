"""Programs about the installation."""
