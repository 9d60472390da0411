-- Tells a run something. ARGV: run, type of the message, message, line of the event that ends a run which has not begun, keep_ms.
-- Returns 'sent', 'ended' (the abort of a run that had not begun), 'over' or 'unknown'.
local job = read(ARGV[1])
if not job then return 'unknown' end
if ENDED[job.state] then return 'over' end
if ARGV[2] == 'abort' and job.state ~= 'running' then
  end_unheld(job, ARGV[4], 'aborted', '', ARGV[5])
  return 'ended'
end
for _, each in ipairs(redis.call('XREVRANGE', control_of(job.run), '+', '-', 'COUNT', 20)) do
  if each[2][2] == ARGV[3] then return 'sent' end -- the answer was lost with the connection: it is said again
end
-- Where the attempt ends by something else, no other begins.
if ARGV[2] == 'abort' then redis.call('HSET', job_of(job.run), 'aborting', ARGV[4]) end
redis.call('XADD', control_of(job.run), 'MAXLEN', '~', 10000, '*', 'message', ARGV[3])
return 'sent'
