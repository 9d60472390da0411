"""The worker's side of the pool: processes that are started first and get their request later."""
