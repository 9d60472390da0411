-- What all scripts share; it stands before each of them. KEYS[1] is the fleet's prefix.
local P = KEYS[1]
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local GROUP = 'workers'
local ENDED = {done = true, error = true, aborted = true}

-- No run's id has a brace, so no run's keys are another's.
local function stream_of(run) return P .. ':run:{' .. run .. '}' end
local function job_of(run) return stream_of(run) .. ':job' end
local function control_of(run) return stream_of(run) .. ':control' end
local function of_queue(queue, what) return P .. ':queue:' .. queue .. ':' .. what end
local function lane_key(queue, lane) return of_queue(queue, 'lane:' .. lane) end

-- The job's fields, by their names; nil where there is no such job.
local function read(run)
  local flat = redis.call('HGETALL', job_of(run))
  if #flat == 0 then return nil end
  local job = {run = run}
  for i = 1, #flat, 2 do job[flat[i]] = flat[i + 1] end
  return job
end

local function lane_of(job) return job.tenant .. '\n' .. job.credential end

local function limit(kind, name)
  local found = redis.call('HMGET', P .. ':limits', kind .. ':' .. name, kind .. ':*')
  return tonumber(found[1] or found[2] or nil)
end

-- Puts a job where it waits for a slot, behind those of its tenant that came before it.
local function enlist(job)
  local lane = lane_of(job)
  local score = (9 - tonumber(job.priority)) * 1e14 + tonumber(job.order)
  redis.call('ZADD', lane_key(job.queue, lane), string.format('%.0f', score), job.run)
  local served = redis.call('HGET', of_queue(job.queue, 'served'), job.tenant) or '0'
  redis.call('ZADD', of_queue(job.queue, 'lanes'), 'NX', served, lane)
  redis.call('HSET', job_of(job.run), 'state', 'queued', 'owner', '', 'entry', '')
end

-- Puts a job where it waits for its time.
local function postpone(job, due)
  redis.call('ZADD', of_queue(job.queue, 'later'), string.format('%.0f', due), job.run)
  redis.call('HSET', job_of(job.run), 'state', 'scheduled', 'owner', '', 'entry', '', 'due', string.format('%.0f', due))
end

local function leave_lane(job)
  local lane = lane_of(job)
  redis.call('ZREM', lane_key(job.queue, lane), job.run)
  if redis.call('EXISTS', lane_key(job.queue, lane)) == 0 then
    redis.call('ZREM', of_queue(job.queue, 'lanes'), lane)
  end
end

-- Takes a job out of all that counts it as running.
local function release(job)
  redis.call('SREM', of_queue(job.queue, 'running'), job.run)
  redis.call('SREM', of_queue(job.queue, 'asking'), job.run)
  if job.tenant ~= '' then redis.call('SREM', P .. ':tenant:' .. job.tenant .. ':running', job.run) end
  if job.entry and job.entry ~= '' then
    redis.call('XACK', of_queue(job.queue, 'jobs'), GROUP, job.entry)
    redis.call('XDEL', of_queue(job.queue, 'jobs'), job.entry)
  end
end

local function is_paused(credential)
  local till = tonumber(redis.call('HGET', P .. ':paused', credential) or nil)
  if till and till <= now then
    redis.call('HDEL', P .. ':paused', credential)
    return false
  end
  return till ~= nil
end

-- Whether a tenant has as many runs as it may; what has gone without an end, as after a loss of data, does not count.
local function is_at(tenant, most)
  local key = P .. ':tenant:' .. tenant .. ':running'
  if redis.call('SCARD', key) < most then return false end
  for _, run in ipairs(redis.call('SMEMBERS', key)) do
    if redis.call('EXISTS', job_of(run)) == 0 then redis.call('SREM', key, run) end
  end
  return redis.call('SCARD', key) >= most
end

-- The next job of a lane; those of it that have ended or expired meanwhile are taken out.
local function next_of(queue, lane)
  while true do
    local run = redis.call('ZRANGE', lane_key(queue, lane), 0, 0)[1]
    if not run then
      redis.call('ZREM', of_queue(queue, 'lanes'), lane)
      return nil
    end
    local job = read(run)
    if job and not ENDED[job.state] then return job end
    redis.call('ZREM', lane_key(queue, lane), run)
  end
end

-- The next job of a queue: of the tenant that was served the longest ago, and may have one more running. Lanes are looked at
-- a few at a time, for there may be thousands. One whose tenant was served by another of its lanes moves behind when it is met.
local function pick(queue)
  local lanes, at = of_queue(queue, 'lanes'), 0
  while true do
    local found = redis.call('ZRANGE', lanes, at, at + 15, 'WITHSCORES')
    if #found == 0 then return nil end
    for i = 1, #found, 2 do
      local lane = found[i]
      local tenant, credential = string.match(lane, '^(.*)\n(.*)$')
      local served = tonumber(redis.call('HGET', of_queue(queue, 'served'), tenant) or 0)
      if served > tonumber(found[i + 1]) then
        redis.call('ZADD', lanes, 'XX', served, lane)
        return pick(queue)
      end
      local most = tenant ~= '' and limit('tenant', tenant) or nil
      if not (most and is_at(tenant, most)) and not is_paused(credential) then
        local job = next_of(queue, lane)
        if not job then return pick(queue) end
        local turn = redis.call('INCR', of_queue(queue, 'turn'))
        redis.call('HSET', of_queue(queue, 'served'), tenant, turn)
        redis.call('ZADD', lanes, 'XX', turn, lane)
        leave_lane(job)
        return job
      end
    end
    at = at + 16
  end
end

-- Gives jobs to the queue's stream: as many as there are idle slots, and as the limits leave.
local function admit(queue)
  local later = of_queue(queue, 'later')
  for _, run in ipairs(redis.call('ZRANGEBYSCORE', later, '-inf', now, 'LIMIT', 0, 100)) do
    redis.call('ZREM', later, run)
    local job = read(run)
    if job and job.state == 'scheduled' then enlist(job) end
  end
  local slots = redis.call('ZCOUNT', of_queue(queue, 'slots'), now, '+inf')
  local most = limit('queue', queue)
  if most and most < slots then slots = most end
  while redis.call('SCARD', of_queue(queue, 'running')) < slots do
    local job = pick(queue)
    if not job then return end
    redis.call('SADD', of_queue(queue, 'running'), job.run)
    if job.tenant ~= '' then redis.call('SADD', P .. ':tenant:' .. job.tenant .. ':running', job.run) end
    local entry = redis.call('XADD', of_queue(queue, 'jobs'), '*', 'run', job.run, 'traceparent', job.traceparent or '')
    redis.call('HSET', job_of(job.run), 'state', 'admitted', 'entry', entry)
  end
end

-- Lets the next jobs of a queue begin; where a tenant has its limit, also those of the other queues.
local function admit_after(job)
  admit(job.queue)
  if job.tenant ~= '' and limit('tenant', job.tenant) then
    for _, queue in ipairs(redis.call('SMEMBERS', P .. ':queues')) do
      if queue ~= job.queue then admit(queue) end
    end
  end
end

-- Number of the last event of the run's present attempt.
local function last_seq(run, attempt)
  local last = redis.call('XREVRANGE', stream_of(run), '+', '-', 'COUNT', 1)[1]
  if not last then return 0 end
  local of_attempt, seq = string.match(last[1], '^(%d+)-(%d+)$')
  return tonumber(of_attempt) == tonumber(attempt) and tonumber(seq) or 0
end

-- Ends a run whose last event is written.
local function finish(job, state, code, keep_ms)
  release(job)
  redis.call('ZREM', of_queue(job.queue, 'later'), job.run)
  redis.call('ZREM', P .. ':expiring', job.run)
  redis.call('HSET', job_of(job.run), 'state', state, 'code', code, 'ended', now, 'owner', '', 'entry', '')
  redis.call('HINCRBY', of_queue(job.queue, 'ended'), code == '' and state or state .. ':' .. code, 1)
  for _, key in ipairs({stream_of(job.run), job_of(job.run), control_of(job.run)}) do
    redis.call('PEXPIRE', key, keep_ms)
  end
  admit_after(job)
end

-- Ends a run that no worker has in hand. The line bears "seq":0, which becomes the event's number.
local function end_unheld(job, line, state, code, keep_ms)
  local attempt = math.max(1, tonumber(job.attempt))
  local seq = last_seq(job.run, attempt) + 1
  -- The event repeats what its request wants echoed, which the submitter has written as its last fields: ,"user":"…"
  local event = string.gsub(line, '"seq":0', function() return '"seq":' .. seq end, 1)
  event = string.sub(event, 1, -2) .. (job.echo or '') .. '}'
  redis.call('XADD', stream_of(job.run), attempt .. '-' .. seq, 'event', event)
  leave_lane(job)
  finish(job, state, code, keep_ms)
end

-- Keeps a failed job for a person to look at, and for whom its on_failure names.
local function bury(job, keep_ms)
  redis.call('ZADD', P .. ':dead', now, job.run)
  redis.call('ZREMRANGEBYSCORE', P .. ':dead', '-inf', string.format('(%.0f', now - keep_ms)) -- of which the job has gone
  redis.call('PEXPIRE', job_of(job.run), keep_ms)
  if job.escalates ~= '1' then return end
  local is_read, document = pcall(cjson.decode, redis.call('HGET', job_of(job.run), 'job'))
  local person = is_read and document.on_failure and document.on_failure.person
  if person then
    redis.call('HSET', job_of(job.run), 'person', person)
    redis.call('XADD', P .. ':for-people', 'MAXLEN', '~', 10000, '*', 'run', job.run, 'person', person)
  else
    redis.call('XADD', P .. ':escalations', '*', 'run', job.run)
  end
end
