-- Takes slots out of a queue: they begin nothing more. ARGV: queue, then their consumers. What was given to one that has not
-- begun it goes to another.
local queue = ARGV[1]
for i = 2, #ARGV do
  redis.call('ZREM', of_queue(queue, 'slots'), ARGV[i])
  local pending = redis.call('XPENDING', of_queue(queue, 'jobs'), GROUP, '-', '+', 100, ARGV[i])
  local is_idle = true
  for _, each in ipairs(pending) do
    local entry = redis.call('XRANGE', of_queue(queue, 'jobs'), each[1], each[1])[1]
    local job = entry and read(entry[2][2])
    if job and job.entry == each[1] and job.state == 'admitted' then
      release(job)
      enlist(job)
    elseif job and job.entry == each[1] then
      is_idle = false
    end
  end
  if is_idle then redis.call('XGROUP', 'DELCONSUMER', of_queue(queue, 'jobs'), GROUP, ARGV[i]) end
end
admit(queue)
return 'left'
