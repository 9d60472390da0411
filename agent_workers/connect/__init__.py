"""Lends this machine's workers to its user's runs at a gateway, which it calls itself; ``docs/gateway.md``."""
