-- For wrk: sends the request in a file over and over; every ######### in it
-- becomes the request's number. Usage: wrk … -s numbered.lua URL -- FILE
local threads = 0

function setup(thread)
  thread:set("thread_number", threads)
  threads = threads + 1
end

function init(arguments)
  local file = assert(io.open(arguments[1], "rb"))
  local text = file:read("*a")
  file:close()
  before, between, after = text:match("^(.-)#########(.-)#########(.*)$")
  assert(after and not after:find("#########", 1, true), "the request needs two numbers")
  number = thread_number * 100000000
end

function request()
  number = number + 1
  local digits = string.format("%09d", number)
  return before .. digits .. between .. digits .. after
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    'RESULT {"requests": %d, "microseconds": %d, "p50_us": %d, "p99_us": %d, "max_us": %d, ' ..
    '"not_2xx": %d, "socket_errors": %d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), latency.max,
    errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
