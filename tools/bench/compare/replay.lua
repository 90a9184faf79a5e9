-- For wrk: sends requests that were prepared byte for byte (see request-file.ts), in the order that the file gives, and
-- prints what it measured as one line of JSON. Nothing is put together while the clock runs, so that the generator
-- costs the same whatever it sends.
--   wrk -s replay.lua URL -- FILE OFFSET SLOW_MS

local requests, order, at = {}, {}, 0

local function block(file)
  local length = file:read("*n")
  file:read(1)
  return file:read(length)
end

function init(args)
  local file = assert(io.open(args[1], "rb"))
  local tail = block(file)
  for i = 1, file:read("*n") do
    local hasTail = file:read("*n") == 1
    local head = block(file)
    requests[i] = hasTail and head .. tail or head
  end
  for i = 1, file:read("*n") do
    order[i] = file:read("*n")
  end
  file:close()
  at = tonumber(args[2]) % #order
  -- Each thread has a state of its own, and done() runs in another one: it has only what wrk keeps.
  slow_ms = tonumber(args[3])
end

function setup(thread)
  threads = threads or {}
  threads[#threads + 1] = thread
end

function request()
  at = at % #order + 1
  return requests[order[at]]
end

function done(summary, latency)
  local slow = 0
  local limit = threads[1]:get("slow_ms") * 1000
  for i = #latency, 1, -1 do
    local value, count = latency(i)
    if value <= limit then break end
    slow = slow + count
  end
  local errors = summary.errors
  io.write(string.format(
    '\nRESULT {"requests":%d,"durationUs":%d,"p50Us":%d,"p99Us":%d,"p999Us":%d,"maxUs":%d,"slow":%d,"cpuSeconds":%.3f,' ..
    '"connect":%d,"read":%d,"write":%d,"status":%d,"timeout":%d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), latency:percentile(99.9),
    latency.max, slow, os.clock(), errors.connect, errors.read, errors.write, errors.status, errors.timeout))
end
