-- SPDX-License-Identifier: Apache-2.0
--
-- What to do about a Repository now, and when to look again. The first matching rule wins.
-- Answers {action, next, status?}: "sync" fetches and compares, "check" asks the server for its
-- refs, "record" only writes the status, "none" waits. `status` is written before the action.
--
-- @api 1
-- @name sync
-- @version 1.0.0
-- @on Repository/sync
-- @effects none

local lanai = require("lanai")
local repository = require("lanai.repository")

local function sync(req, f)
  return {
    action = "sync",
    next = repository.BACKOFF,
    status = repository.with_condition(req.object, f.now, "reconciling"),
  }
end

local function check()
  return { action = "check", next = repository.BACKOFF }
end

-- A change of the schedule alone is only noted. What was Ready stays so for this generation, too:
-- clients that wait for the condition compare its generation.
local function record(req, f)
  local status = req.object.status and lanai.copy(req.object.status) or lanai.map()
  status.observedGeneration = f.generation
  for _, condition in ipairs(status.conditions or {}) do
    if condition.status == "True" then
      condition.observedGeneration = f.generation
    end
  end
  return { action = "record", next = 1, status = status }
end

-- Seconds until the earliest of the times at which something becomes due.
local function wait(f)
  local due = f.failed and f.retry_due or math.min(f.full_due, f.health_due)
  if f.run_once_pending then
    due = math.min(due, f.run_once_at)
  end
  return { action = "none", next = math.max(1, due - f.now) }
end

local function run(_, req)
  local f = repository.facts(req)

  -- Another pass is at it, unless it has been for too long or died with its process.
  if f.running and f.now - f.changed < repository.STALE and lanai.at(req, "fact.running") then
    return { action = "none", next = repository.BACKOFF }
  end
  -- It has failed: nothing until its retry interval is over, unless it or its Secret was changed
  -- meanwhile.
  if f.failed and f.now < f.retry_due and f.generation == f.tried_generation
    and not lanai.at(req, "fact.credentials_changed") then
    return wait(f)
  end
  -- This process has never seen it in good order.
  if not f.synced_before then
    return sync(req, f)
  end
  -- A single sync was asked for, and its time has come.
  if f.run_once_at and f.run_once_new and f.run_once_at <= f.now then
    return sync(req, f)
  end
  -- Its description has changed.
  if f.generation ~= f.observed_generation then
    if f.run_once_new then
      return record(req, f)
    end
    return sync(req, f)
  end
  -- It may have recovered.
  if f.failed then
    return check()
  end
  -- It is time for a full sync; a single one that is still to come replaces it.
  if not f.run_once_pending and f.full_due <= f.now then
    return sync(req, f)
  end
  -- It is time to see whether the server answers.
  if f.health_due <= f.now then
    return check()
  end
  return wait(f)
end

return {
  api = 1,
  name = "sync",
  version = "1.0.0",
  summary = "Decides whether a repository is synced, checked or left alone.",
  on = { "Repository/sync" },
  effects = {},
  run = run,
}
