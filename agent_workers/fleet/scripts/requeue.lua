-- Gives a run back, for another attempt, unless it was to stop. Returns 'queued', 'aborted' or 'lost'.
-- ARGV: run, attempt, consumer, delay_ms, is_failure, seq and line of one last event ('' for none), keep_ms,
-- head of the chain after it ('' for none).
local job = read(ARGV[1])
if not job or job.state ~= 'running' or job.attempt ~= ARGV[2] or job.owner ~= ARGV[3] then return 'lost' end
if job.aborting then
  end_aborted(job, ARGV[8])
  return 'aborted'
end
if ARGV[7] ~= '' and tonumber(ARGV[6]) > last_seq(job.run, ARGV[2]) then
  redis.call('XADD', stream_of(job.run), ARGV[2] .. '-' .. ARGV[6], 'event', ARGV[7])
  if ARGV[9] ~= '' then redis.call('HSET', job_of(job.run), 'head', ARGV[9]) end
end
release(job)
if ARGV[5] == '1' then redis.call('HINCRBY', job_of(job.run), 'failures', 1) end
if tonumber(ARGV[4]) > 0 then postpone(job, now + tonumber(ARGV[4])) else enlist(job) end
admit_after(job)
return 'queued'
