-- Does what is due in a queue. ARGV: queue, keep_ms, the body of the error of a job that has expired, up to its run and after
-- it. Returns the number of jobs that have expired.
local FORGOTTEN_MS = 3600000
local count = 0
for _, run in ipairs(redis.call('ZRANGEBYSCORE', P .. ':expiring', '-inf', now, 'LIMIT', 0, 100)) do
  redis.call('ZREM', P .. ':expiring', run)
  local job = read(run)
  if job and not ENDED[job.state] and job.state ~= 'running' then
    end_unheld(job, ARGV[3] .. cjson.encode(run) .. ARGV[4], 'error', 'timeout', ARGV[2])
    count = count + 1
  end
end
-- What has gone without an end, as after a loss of data, does not count.
local function is_counted(job)
  return job and (job.state == 'admitted' or job.state == 'running')
end
for _, run in ipairs(redis.call('SRANDMEMBER', of_queue(ARGV[1], 'running'), 20)) do
  local job = read(run)
  if not is_counted(job) or job.queue ~= ARGV[1] then
    redis.call('SREM', of_queue(ARGV[1], 'running'), run)
  elseif job.state == 'admitted' and #redis.call('XRANGE', of_queue(job.queue, 'jobs'), job.entry, job.entry) == 0 then
    release(job) -- no slot will find it
    enlist(job)
  end
end
for _, lane in ipairs(redis.call('ZRANDMEMBER', of_queue(ARGV[1], 'lanes'), 20)) do
  local tenant = string.match(lane, '^(.*)\n')
  for _, run in ipairs(redis.call('SRANDMEMBER', running_of(tenant), 20)) do
    if not is_counted(read(run)) then redis.call('SREM', running_of(tenant), run) end
  end
end
-- The names of slots that have gone; where the group has not been made yet, there are none.
local is_there, consumers = pcall(redis.call, 'XINFO', 'CONSUMERS', of_queue(ARGV[1], 'jobs'), GROUP)
for _, each in ipairs(is_there and not consumers.err and consumers or {}) do
  if each[4] == 0 and each[6] > FORGOTTEN_MS then
    redis.call('XGROUP', 'DELCONSUMER', of_queue(ARGV[1], 'jobs'), GROUP, each[2])
  end
end
admit(ARGV[1])
return count
