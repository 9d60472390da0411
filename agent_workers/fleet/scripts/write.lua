-- Writes events of an attempt, each once. Returns 'written'; 'lost' where the run is not this consumer's any more; or the
-- number of the last event that is there, where some that were written are not: Redis came back without its last moments.
-- ARGV: run, attempt, consumer, number of the last event that was written, state, code, keep_ms, is_dead, dead_ms, number of
-- fields, their names and values, then seq, line and what it is ('call' for a call of an application's tool, else '') of each
-- event. A state ends the run.
-- What an event that ends nothing needs of the job, which may be large.
local function writing(run)
  local found = redis.call('HMGET', job_of(run), 'state', 'attempt', 'owner', 'queue')
  return found[1] and {run = run, state = found[1], attempt = found[2], owner = found[3], queue = found[4]}
end

local job = ARGV[5] ~= '' and read(ARGV[1]) or writing(ARGV[1])
if not job or job.state ~= 'running' or job.attempt ~= ARGV[2] or job.owner ~= ARGV[3] then
  -- The answer to a last write may have been lost: said again, it has been done.
  local is_said = job and ARGV[5] ~= '' and job.state == ARGV[5] and job.attempt == ARGV[2] and job.writer == ARGV[3]
  return is_said and 'written' or 'lost'
end
local last = last_seq(job.run, ARGV[2])
if last < tonumber(ARGV[4]) then return tostring(last) end
local at = 11 + tonumber(ARGV[10]) * 2
for i = at, #ARGV, 3 do
  local seq = tonumber(ARGV[i])
  if seq > last then
    redis.call('XADD', stream_of(job.run), ARGV[2] .. '-' .. seq, 'event', ARGV[i + 1])
    if ARGV[i + 2] == 'call' then
      redis.call('XADD', P .. ':calls', 'MAXLEN', '~', 10000, '*', 'run', job.run, 'attempt', ARGV[2], 'event', ARGV[i + 1])
    end
    last = seq
  end
end
for i = 11, at - 1, 2 do
  redis.call('HSET', job_of(job.run), ARGV[i], ARGV[i + 1])
  if ARGV[i] == 'asking' then
    redis.call(ARGV[i + 1] == '0' and 'SREM' or 'SADD', of_queue(job.queue, 'asking'), job.run)
  end
end
if ARGV[5] ~= '' then
  redis.call('HSET', job_of(job.run), 'writer', ARGV[3])
  finish(job, ARGV[5], ARGV[6], ARGV[7])
  if ARGV[8] == '1' then bury(job, ARGV[9]) end
end
return 'written'
