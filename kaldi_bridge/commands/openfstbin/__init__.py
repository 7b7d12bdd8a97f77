"""Programs of OpenFst's command line."""
