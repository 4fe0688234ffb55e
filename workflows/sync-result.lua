-- SPDX-License-Identifier: Apache-2.0
--
-- What the outcome of a sync or check means for a Repository's status. Answers {status, next,
-- clear_run_once_at}; the request holds {object, now, fact, outcome = {action, ok, error, head,
-- revisions}}.
--
-- @api 1
-- @name sync-result
-- @version 1.0.0
-- @on Repository/sync-result
-- @effects none

local cron = require("lanai.cron")
local lanai = require("lanai")
local repository = require("lanai.repository")

local function failed(req)
  local message = req.outcome.error or ""
  return {
    status = repository.with_condition(req.object, req.now, message, true),
    next = repository.retry_after(message),
    clear_run_once_at = false,
  }
end

-- A repository that answers again after an error is synced at once.
local function checked(req)
  local status = repository.with_condition(req.object, req.now, "ready")
  if repository.facts(req).failed then
    status.nextFullSyncTime = cron.format_time(req.now)
  end
  return { status = status, next = 1, clear_run_once_at = false }
end

local function synced(req)
  local object, now = req.object, req.now
  local run_once = lanai.at(object, "spec.sync.runOnceAt")
  -- Only the value that has fired is taken out; one that is still to come stays.
  local fired = run_once ~= nil and (cron.parse_time(run_once) or 0) <= now

  local status = repository.with_condition(object, now, "ready")
  status.observedGeneration = object.metadata.generation
  status.lastFullSyncTime = cron.format_time(now)
  status.nextFullSyncTime = cron.format_time(repository.next_full(object, req.fact, now))
  local count = req.outcome.revisions
  status.packageCount = count > 0 and count or nil -- none is not written, as the peer has it
  status.gitCommitHash = req.outcome.head
  if fired then
    status.observedRunOnceAt = run_once
  elseif not run_once then
    status.observedRunOnceAt = nil
  end
  return { status = status, next = 1, clear_run_once_at = fired }
end

local function run(_, req)
  if not req.outcome.ok then
    return failed(req)
  end
  if req.outcome.action == "check" then
    return checked(req)
  end
  return synced(req)
end

return {
  api = 1,
  name = "sync-result",
  version = "1.0.0",
  summary = "Turns the outcome of a sync or check into a repository's status.",
  on = { "Repository/sync-result" },
  effects = {},
  run = run,
}
