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

-- The job's fields, by their names; nil where there is no such job. One that lacks some does not stop those of others.
local function read(run)
  local flat = redis.call('HGETALL', job_of(run))
  if #flat == 0 then return nil end
  local job = {
    run = run, job = '', state = '', queue = 'default', tenant = '', credential = '', expires_at = '',
    priority = '0', order = '0', attempts = '1', attempt = '0', failures = '0',
  }
  for i = 1, #flat, 2 do job[flat[i]] = flat[i + 1] end
  return job
end

local function lane_of(job) return job.tenant .. '\n' .. job.credential end

local limits
local function limit(kind, name)
  if not limits then
    limits = {}
    local flat = redis.call('HGETALL', P .. ':limits')
    for i = 1, #flat, 2 do limits[flat[i]] = tonumber(flat[i + 1]) end
  end
  return limits[kind .. ':' .. name] or limits[kind .. ':*']
end

-- Puts a job where it waits for a slot, behind those of its tenant that came before it.
local function enlist(job)
  local lane = lane_of(job)
  local score = (9 - (tonumber(job.priority) or 0)) * 1e14 + (tonumber(job.order) or 0)
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

local function running_of(tenant) return P .. ':tenant:' .. tenant .. ':running' end

-- Takes a job out of all that counts it as running; returns whether it was counted, so that another may have its place.
local function release(job)
  local was_counted = redis.call('SREM', of_queue(job.queue, 'running'), job.run) == 1
  redis.call('SREM', of_queue(job.queue, 'asking'), job.run)
  if job.tenant ~= '' then was_counted = redis.call('SREM', running_of(job.tenant), job.run) == 1 or was_counted end
  if job.entry and job.entry ~= '' then
    redis.call('XACK', of_queue(job.queue, 'jobs'), GROUP, job.entry)
    redis.call('XDEL', of_queue(job.queue, 'jobs'), job.entry)
  end
  return was_counted
end

local paused = {}
local function is_paused(credential)
  if paused[credential] == nil then
    local till = tonumber(redis.call('HGET', P .. ':paused', credential) or nil)
    if till and till <= now then redis.call('HDEL', P .. ':paused', credential) end
    paused[credential] = till ~= nil and till > now
  end
  return paused[credential]
end

local function is_full(tenant)
  local most = tenant ~= '' and limit('tenant', tenant)
  return most and redis.call('SCARD', running_of(tenant)) >= most
end

-- Takes the first job out of a lane; nil where it has ended, or gone.
local function take(queue, lane)
  local run = redis.call('ZPOPMIN', lane_key(queue, lane))[1]
  if redis.call('EXISTS', lane_key(queue, lane)) == 0 then redis.call('ZREM', of_queue(queue, 'lanes'), lane) end
  local job = run and read(run)
  return job and job.state == 'queued' and job or nil
end

-- The next job of a queue: of the tenant that was served the longest ago, and may have one more running. Lanes are looked at
-- a few at a time, for there may be thousands. One whose tenant was served by another of its lanes moves behind when it is met.
-- Those before a place have been found to wait, as they do for as long as a script runs; returns the job, and such a place.
local function pick(queue, place)
  local lanes = of_queue(queue, 'lanes')
  while true do
    local found = redis.call('ZRANGE', lanes, place, place + 31, 'WITHSCORES')
    if #found == 0 then return nil end
    for i = 1, #found, 2 do
      local lane = found[i]
      local tenant, credential = string.match(lane, '^(.*)\n(.*)$')
      if is_full(tenant) or is_paused(credential) then
        place = place + 1
      else
        local served = tonumber(redis.call('HGET', of_queue(queue, 'served'), tenant) or 0)
        if served > tonumber(found[i + 1]) then
          redis.call('ZADD', lanes, 'XX', served, lane)
          break -- the others have moved up
        end
        local job = take(queue, lane)
        if not job then break end
        local turn = redis.call('INCR', of_queue(queue, 'turn'))
        redis.call('HSET', of_queue(queue, 'served'), tenant, turn)
        redis.call('ZADD', lanes, 'XX', turn, lane)
        return job, place
      end
    end
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
  local place, job = 0, nil
  while redis.call('SCARD', of_queue(queue, 'running')) < slots do
    job, place = pick(queue, place)
    if not job then return end
    redis.call('SADD', of_queue(queue, 'running'), job.run)
    if job.tenant ~= '' then redis.call('SADD', running_of(job.tenant), job.run) end
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
  local has_left = release(job)
  redis.call('ZREM', of_queue(job.queue, 'later'), job.run)
  redis.call('ZREM', P .. ':expiring', job.run)
  redis.call('HSET', job_of(job.run), 'state', state, 'code', code, 'ended', now, 'owner', '', 'entry', '')
  redis.call('HINCRBY', of_queue(job.queue, 'ended'), code == '' and state or state .. ':' .. code, 1)
  for _, key in ipairs({stream_of(job.run), job_of(job.run), control_of(job.run)}) do
    redis.call('PEXPIRE', key, keep_ms)
  end
  if has_left then admit_after(job) end
end

-- Ends a run that no worker has in hand. The line bears "seq":0, which becomes the event's number.
local function end_unheld(job, line, state, code, keep_ms)
  local attempt = math.max(1, tonumber(job.attempt) or 1)
  local seq = last_seq(job.run, attempt) + 1
  -- The event repeats what its request wants echoed, which the submitter has written as its last fields: ,"user":"…"
  local event = string.gsub(line, '"seq":0', function() return '"seq":' .. seq end, 1)
  -- Where the attempt's lines are chained, the digest of its last one was noted with it; see chain.py.
  local prev = job.head and ',"prev":"' .. job.head .. '"' or ''
  event = string.sub(event, 1, -2) .. (job.echo or '') .. prev .. '}'
  redis.call('HDEL', job_of(job.run), 'head') -- that of this line is not known here
  redis.call('XADD', stream_of(job.run), attempt .. '-' .. seq, 'event', event)
  leave_lane(job)
  finish(job, state, code, keep_ms)
end

-- Ends a run that was to stop, where its worker has not come to it.
local function end_aborted(job, keep_ms)
  end_unheld(job, job.aborting, 'aborted', '', keep_ms)
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
