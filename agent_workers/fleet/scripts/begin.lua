-- Begins an attempt of the run that an entry names. ARGV: queue, entry, run, consumer, host.
-- Returns {'begun', job, attempt, now, expires_at, failures} or {'dropped'} where there is nothing to run.
local job = read(ARGV[3])
if job and job.state == 'running' and job.entry == ARGV[2] and job.owner == ARGV[4] then
  -- The answer was lost with the connection: said again, it is the same attempt.
  return {'begun', job.job, tonumber(job.attempt), job.begun, job.expires_at, job.failures}
end
if not job or job.entry ~= ARGV[2] then
  redis.call('XACK', of_queue(ARGV[1], 'jobs'), GROUP, ARGV[2])
  redis.call('XDEL', of_queue(ARGV[1], 'jobs'), ARGV[2])
  return {'dropped'}
end
if job.state ~= 'admitted' then return {'dropped'} end -- its entry is that of whoever has it
local attempt = tonumber(job.attempt) + 1
redis.call('HSET', job_of(job.run), 'state', 'running', 'attempt', attempt, 'owner', ARGV[4], 'host', ARGV[5], 'begun', now)
redis.call('HDEL', job_of(job.run), 'first_delta', 'head')
redis.call('ZREM', P .. ':expiring', job.run)
-- From here on Redis refuses what an earlier attempt writes: its ids are lower than this one.
redis.call('XADD', stream_of(job.run), attempt .. '-0', 'attempt', attempt, 'host', ARGV[5])
return {'begun', job.job, attempt, string.format('%.0f', now), job.expires_at, job.failures}
