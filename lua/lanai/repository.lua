-- SPDX-License-Identifier: Apache-2.0
--
-- When a Repository is synced or checked, and what its status says about it. Pure functions of the
-- object, the time and what the process knows; workflows/sync.lua and workflows/sync-result.lua
-- ask them. The procedure is that of Porch's repository controller.

local cron = require("lanai.cron")
local lanai = require("lanai")

local M = {}

M.SYNC_FREQUENCY = 3600 -- seconds between full syncs without a schedule
M.HEALTH_FREQUENCY = 300 -- seconds between health checks
M.STALE = 1200 -- a sync that has been running for longer is given up
M.BACKOFF = 30 -- seconds until the next look at a running sync

-- First match wins; parts of the error text in lower case, and seconds until the next try.
local RETRY = {
  { 30, "no such host", "connection refused" },
  { 600, "authentication", "permission denied", "failed to resolve credentials",
    "resolved credentials are invalid" },
  { 120, "not found", "invalid", "branch" },
  { 60, "timeout", "deadline exceeded" },
  { 300, "certificate", "tls", "ssl" },
  { 300, "rate limit", "too many requests" },
}
local RETRY_DEFAULT = 30

--- How files of a repository's packages are written: its annotation goes before the server's
--- setting.
--- @param ctx lanai.Ctx
--- @param repository lanai.Node|nil
--- @return string
function M.compat(ctx, repository)
  local annotations = lanai.at(repository or {}, "metadata.annotations") or {}
  local wanted = annotations["lanai.dev/compat"]
  return (wanted == "kpt" or wanted == "lanai") and wanted or ctx.compat
end

--- Seconds until a failed repository is tried again.
--- @param message string|nil
--- @return integer
function M.retry_after(message)
  local text = (message or ""):lower()
  for _, row in ipairs(RETRY) do
    for i = 2, #row do
      if text:find(row[i], 1, true) then
        return row[1]
      end
    end
  end
  return RETRY_DEFAULT
end

--- The Ready condition of a Repository, or nil.
--- @param object lanai.Node
--- @return lanai.Node|nil
function M.ready_condition(object)
  for _, condition in ipairs(lanai.at(object, "status.conditions") or {}) do
    if condition.type == "Ready" then
      return condition
    end
  end
end

-- Seconds from a fact of the process, or the default when it is 0 or missing.
local function frequency(value, default)
  return value and value > 0 and value or default
end

-- When the next full sync is due by schedule or frequency.
local function next_full(object, fact, last)
  local text = lanai.at(object, "spec.sync.schedule")
  if text and text ~= "" then
    local schedule = cron.parse(text)
    local due = schedule and cron.next(schedule, last)
    if due then
      return due
    end
  end
  return last + frequency(lanai.at(fact, "sync_frequency"), M.SYNC_FREQUENCY)
end
M.next_full = next_full

--- What is known about a Repository at a point in time.
--- @param req lanai.Node {object, now, fact = {synced_before, sync_frequency, health_frequency}}
--- @return table
function M.facts(req)
  local object, fact, now = req.object, req.fact, req.now
  local status = object.status or lanai.map()
  local ready = M.ready_condition(object)
  local changed = ready and cron.parse_time(ready.lastTransitionTime) or nil
  local last = cron.parse_time(status.lastFullSyncTime)
  local run_once = lanai.at(object, "spec.sync.runOnceAt")
  local full_due = last and next_full(object, fact, last) or now
  local f = {
    now = now,
    generation = object.metadata.generation,
    observed_generation = status.observedGeneration,
    tried_generation = ready and ready.observedGeneration,
    reason = ready and ready.status == "False" and ready.reason or nil,
    run_once = run_once,
    run_once_at = cron.parse_time(run_once),
    run_once_new = run_once ~= nil and run_once ~= status.observedRunOnceAt,
    synced_before = lanai.at(fact, "synced_before") == true,
    changed = changed or 0,
    -- A recovered repository says that it wants its full sync earlier.
    full_due = math.min(full_due, cron.parse_time(status.nextFullSyncTime) or full_due),
    health_due = (changed or 0) + frequency(lanai.at(fact, "health_frequency"), M.HEALTH_FREQUENCY),
  }
  f.failed = f.reason == lanai.message("repository-error-reason")
  f.running = f.reason == lanai.message("repository-reconciling-reason")
  f.retry_due = f.failed and f.changed + M.retry_after(ready.message) or nil
  f.run_once_pending = f.run_once_at ~= nil and f.run_once_new and f.run_once_at > now
  return f
end

--- The status with its Ready condition replaced.
--- @param object lanai.Node
--- @param now integer
--- @param id string "ready", "reconciling" or an error text with failed = true
--- @param failed boolean|nil
--- @return lanai.Node
function M.with_condition(object, now, id, failed)
  local status = object.status and lanai.copy(object.status) or lanai.map()
  local condition = lanai.map()
  condition.type = "Ready"
  condition.status = id == "ready" and not failed and "True" or "False"
  condition.observedGeneration = object.metadata.generation
  condition.lastTransitionTime = cron.format_time(now)
  if failed then
    condition.reason = lanai.message("repository-error-reason")
    condition.message = id ~= "" and id or lanai.message("repository-error-unknown")
  else
    condition.reason = lanai.message("repository-" .. id .. "-reason")
    condition.message = lanai.message("repository-" .. id)
  end
  status.conditions = lanai.list({ condition })
  return status
end

return M
