-- Takes a failed run off the list of those that wait for a person. ARGV: run, the run that its job was submitted again as, or
-- '' for one that is dropped: then its job goes with its events. Returns 'settled' or 'none'.
if redis.call('ZREM', P .. ':dead', ARGV[1]) == 0 then return 'none' end
if redis.call('EXISTS', job_of(ARGV[1])) == 1 then
  if ARGV[2] ~= '' then
    redis.call('HSET', job_of(ARGV[1]), 'retried_as', ARGV[2])
  else
    redis.call('PEXPIRE', job_of(ARGV[1]), math.max(0, redis.call('PTTL', stream_of(ARGV[1]))))
  end
end
return 'settled'
