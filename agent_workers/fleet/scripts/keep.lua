-- Says that slots live, and keeps what they have in hand. ARGV: queue, lease_ms, number of consumers, the consumers, then
-- entry, run and consumer of each run in hand. Returns the runs that are not theirs any more.
local queue, lease, count = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
redis.call('ZREMRANGEBYSCORE', of_queue(queue, 'slots'), '-inf', now - 10 * lease)
for i = 4, 3 + count do redis.call('ZADD', of_queue(queue, 'slots'), string.format('%.0f', now + lease), ARGV[i]) end
local lost = {}
for i = 4 + count, #ARGV, 3 do
  local found = redis.call('HMGET', job_of(ARGV[i + 1]), 'owner', 'entry')
  if found[1] ~= ARGV[i + 2] or found[2] ~= ARGV[i] then
    lost[#lost + 1] = ARGV[i + 1]
  else
    redis.call('XCLAIM', of_queue(queue, 'jobs'), GROUP, ARGV[i + 2], 0, ARGV[i], 'JUSTID')
  end
end
return lost
