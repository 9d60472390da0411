-- Pauses the jobs of a credential. ARGV: its name, milliseconds. Returns until when, in milliseconds since the epoch.
local till = math.max(now + tonumber(ARGV[2]), tonumber(redis.call('HGET', P .. ':paused', ARGV[1]) or 0))
redis.call('HSET', P .. ':paused', ARGV[1], string.format('%.0f', till))
return string.format('%.0f', till)
