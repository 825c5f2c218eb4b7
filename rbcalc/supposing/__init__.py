"""Questions of what if: options, single changes, sweeps and searches."""
