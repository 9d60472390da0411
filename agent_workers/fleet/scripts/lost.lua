-- Gives the run of an abandoned entry to another worker, or ends it. ARGV: queue, entry, run, line of its error, keep_ms,
-- dead_ms. Returns 'dropped', 'queued', 'aborted' or 'dead'.
local job = read(ARGV[3])
if not job or job.entry ~= ARGV[2] then
  redis.call('XACK', of_queue(ARGV[1], 'jobs'), GROUP, ARGV[2])
  redis.call('XDEL', of_queue(ARGV[1], 'jobs'), ARGV[2])
  return 'dropped'
end
if job.state == 'running' then
  redis.call('HINCRBY', of_queue(job.queue, 'ended'), 'lost', 1)
  if job.aborting then
    end_aborted(job, ARGV[5])
    return 'aborted'
  end
  local failures = redis.call('HINCRBY', job_of(job.run), 'failures', 1)
  if failures >= (tonumber(job.attempts) or 1) then
    end_unheld(job, ARGV[4], 'error', 'worker_lost', ARGV[5])
    bury(job, ARGV[6])
    return 'dead'
  end
end
release(job)
enlist(job)
admit_after(job)
return 'queued'
