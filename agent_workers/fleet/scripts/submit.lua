-- Submits a job, once. Returns {'new' | 'known' | 'other', state}: 'other' where the run is that of another job.
-- ARGV: run, job, queue, tenant, credential, priority, attempts, run_at, expires_at, worker, user, traceparent, escalates, then
-- names and values of more fields, such as echo (see end_unheld). Times are milliseconds, '' for none. Queue, priority and attempts
-- may be '', too: default, 0 and 3.
local run = ARGV[1]
local USUAL = {[3] = 'default', [6] = '0', [7] = '3'}
for i = 1, 13 do
  if not ARGV[i] then return redis.error_reply('ERR submit.lua takes 13 arguments, and has ' .. #ARGV) end
  if ARGV[i] == '' then ARGV[i] = USUAL[i] or '' end
end
local known = redis.call('HMGET', job_of(run), 'job', 'state')
if known[1] then return {known[1] == ARGV[2] and 'known' or 'other', known[2]} end
for i = 6, 9 do -- half of a job that cannot wait would wait for ever
  if not tonumber(ARGV[i]) and (i < 8 or ARGV[i] ~= '') then
    return redis.error_reply('ERR the job has no valid ' .. ({'priority', 'attempts', 'run_at', 'expires_at'})[i - 5])
  end
end
local job = {
  run = run, job = ARGV[2], queue = ARGV[3], tenant = ARGV[4], credential = ARGV[5], priority = ARGV[6],
  attempts = ARGV[7], run_at = ARGV[8], expires_at = ARGV[9], worker = ARGV[10], user = ARGV[11],
  traceparent = ARGV[12], escalates = ARGV[13], attempt = '0', failures = '0', code = '', submitted = string.format('%.0f', now),
  order = redis.call('INCR', P .. ':order'),
}
for i = 14, #ARGV, 2 do job[ARGV[i]] = ARGV[i + 1] end
local flat = {}
for name, value in pairs(job) do
  flat[#flat + 1] = name
  flat[#flat + 1] = value
end
redis.call('HSET', job_of(run), unpack(flat))
redis.call('SADD', P .. ':queues', job.queue)
redis.call('ZADD', P .. ':latest', job.order, run) -- for whoever lists runs: the last thousand
redis.call('ZREMRANGEBYRANK', P .. ':latest', 0, -1001)
if job.expires_at ~= '' then redis.call('ZADD', P .. ':expiring', job.expires_at, run) end
if job.run_at ~= '' and tonumber(job.run_at) > now then
  postpone(job, tonumber(job.run_at))
else
  enlist(job)
end
admit(job.queue)
return {'new', redis.call('HGET', job_of(run), 'state')}
