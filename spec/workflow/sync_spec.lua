-- SPDX-License-Identifier: Apache-2.0
--
-- The repository controller's procedure: sync decides, sync-result writes down.

local cron = require("lanai.cron")
local setup = require("spec.workflow.setup")

local NOW = cron.parse_time("2026-01-01T12:00:00Z")

local function at(seconds)
  return cron.format_time(NOW + seconds)
end

-- A repository that was synced in this process a while ago and is fine.
local function repository(change)
  local r = {
    metadata = { name = "repo", generation = 1 },
    spec = { sync = {} },
    status = { observedGeneration = 1, lastFullSyncTime = at(-600), packageCount = 3,
      conditions = { { type = "Ready", status = "True", reason = "Ready", observedGeneration = 1,
        lastTransitionTime = at(-60) } } },
  }
  if change then
    change(r, r.status.conditions[1])
  end
  return r
end

local function broken(message, age)
  return repository(function(_, ready)
    ready.status, ready.reason, ready.message = "False", "Error", message
    ready.lastTransitionTime = at(-age)
  end)
end

describe("sync", function()
  after_each(setup.clean)

  local env

  before_each(function()
    env = setup.open()
  end)

  local function decide(object, fact)
    fact = fact or {}
    if fact.synced_before == nil then
      fact.synced_before = true
    end
    local r = env:run("Repository/sync", { object = object, now = NOW, fact = fact })
    assert.is_true(r.ok, r.message)
    assert.same({}, r.effects)
    return r.result
  end

  it("syncs what is new, and says that it is at it", function()
    local plan = decide({ metadata = { name = "repo", generation = 1 }, spec = {} },
      { synced_before = false })
    assert.equal("sync", plan.action)
    assert.same({ type = "Ready", status = "False", reason = "Reconciling",
      message = "Repository reconciliation in progress", observedGeneration = 1,
      lastTransitionTime = at(0) }, plan.status.conditions[1])
  end)

  it("syncs once per process", function()
    assert.equal("sync", decide(repository(), { synced_before = false }).action)
    assert.equal("none", decide(repository()).action)
  end)

  it("keeps the rest of the status when it begins", function()
    assert.equal(3, decide(repository(), { synced_before = false }).status.packageCount)
  end)

  it("leaves a running sync alone until it is stale", function()
    local function running(age)
      return repository(function(_, ready)
        ready.status, ready.reason, ready.lastTransitionTime = "False", "Reconciling", at(-age)
      end)
    end
    assert.equal("none", decide(running(60), { running = true, synced_before = false }).action)
    assert.equal("sync", decide(running(1201), { running = true, synced_before = false }).action)
    -- nobody runs it: the process that did is gone
    assert.equal("sync", decide(running(60), { running = false, synced_before = false }).action)
  end)

  it("syncs at runOnceAt, once, also when that is past", function()
    local function once(offset, observed)
      return repository(function(r)
        r.spec.sync.runOnceAt = at(offset)
        r.status.observedRunOnceAt = observed and at(observed)
      end)
    end
    assert.equal("sync", decide(once(-5)).action)
    assert.equal("sync", decide(once(0)).action)
    assert.equal("none", decide(once(-5, -5)).action)
    local plan = decide(once(100))
    assert.equal("none", plan.action)
    assert.equal(100, plan.next)
  end)

  it("waits for a runOnceAt to come instead of syncing by frequency", function()
    local plan = decide(repository(function(r, ready)
      r.spec.sync.runOnceAt = at(100)
      r.status.lastFullSyncTime = at(-7200)
      ready.lastTransitionTime = at(-10)
    end))
    assert.equal("none", plan.action)
  end)

  it("notes a changed runOnceAt and syncs after other changes", function()
    local plan = decide(repository(function(r)
      r.metadata.generation = 2
      r.spec.sync.runOnceAt = at(100)
    end))
    assert.equal("record", plan.action)
    assert.equal(2, plan.status.observedGeneration)
    assert.equal("True", plan.status.conditions[1].status)
    assert.equal(2, plan.status.conditions[1].observedGeneration)
    assert.equal("sync", decide(repository(function(r) r.metadata.generation = 2 end)).action)
  end)

  it("checks a failed one when its retry interval is over", function()
    local cases = {
      { "dial: no such host", 30 }, { "Connection Refused", 30 },
      { "Authentication required", 600 }, { "Permission denied", 600 },
      { "failed to resolve credentials: x", 600 }, { "resolved credentials are invalid", 600 },
      { "repository not found", 120 }, { 'branch "x" not found in repository', 120 },
      { "i/o timeout", 60 }, { "context deadline exceeded", 60 },
      { "x509: certificate signed by unknown authority", 300 }, { "TLS handshake", 300 },
      { "rate limit exceeded", 300 }, { "Too Many Requests", 300 }, { "something else", 30 },
      { "authentication failed: not found", 600 }, -- the first match counts
    }
    for _, case in ipairs(cases) do
      local message, interval = case[1], case[2]
      local plan = decide(broken(message, interval - 10))
      assert.equal("none", plan.action, message)
      assert.equal(10, plan.next, message)
      assert.equal("check", decide(broken(message, interval)).action, message)
    end
  end)

  it("uses the retry table for a repository that never synced, too", function()
    assert.equal("none", decide(broken("not found", 60), { synced_before = false }).action)
    assert.equal("sync", decide(broken("not found", 121), { synced_before = false }).action)
  end)

  it("tries a failed one at once when it was changed", function()
    local object = broken("not found", 10)
    object.metadata.generation = 2
    assert.equal("sync", decide(object, { synced_before = false }).action)
  end)

  it("tries a failed one at once when its Secret was changed", function()
    local object = broken("Authentication required", 10)
    assert.equal("check", decide(object, { credentials_changed = true }).action)
    assert.equal("sync", decide(object,
      { credentials_changed = true, synced_before = false }).action)
    assert.equal("none", decide(repository(), { credentials_changed = true }).action)
  end)

  it("syncs by frequency or by schedule", function()
    local function last(age, schedule)
      return repository(function(r)
        r.status.lastFullSyncTime = at(-age)
        r.spec.sync.schedule = schedule
      end)
    end
    assert.equal("none", decide(last(3599)).action)
    assert.equal("sync", decide(last(3600)).action)
    assert.equal("sync", decide(last(600), { sync_frequency = 600 }).action)
    assert.equal("sync", decide(last(60, "*/1 * * * *")).action)
    assert.equal("none", decide(last(7200, "0 18 * * *")).action)
    assert.equal("none", decide(last(3500, "nonsense")).action) -- the frequency counts then
    assert.equal("sync", decide(last(3700, "nonsense")).action)
  end)

  it("checks health now and then", function()
    local function checked(age)
      return repository(function(_, ready) ready.lastTransitionTime = at(-age) end)
    end
    assert.equal("check", decide(checked(300)).action)
    local plan = decide(checked(100))
    assert.same({ action = "none", next = 200 }, plan)
    assert.equal("check", decide(checked(100), { health_frequency = 90 }).action)
  end)
end)

describe("sync-result", function()
  after_each(setup.clean)

  local function result(object, outcome, fact)
    local r = setup.open():run("Repository/sync-result", { object = object, now = NOW,
      fact = fact or { synced_before = true }, outcome = outcome })
    assert.is_true(r.ok, r.message)
    return r.result
  end

  local SYNCED = { action = "sync", ok = true, error = "", head = ("a"):rep(40), revisions = 7 }

  it("writes a full status after a sync", function()
    local r = result(repository(), SYNCED)
    assert.same({
      observedGeneration = 1, lastFullSyncTime = at(0), nextFullSyncTime = at(3600),
      packageCount = 7, gitCommitHash = ("a"):rep(40),
      conditions = { { type = "Ready", status = "True", reason = "Ready",
        message = "Repository Ready", observedGeneration = 1, lastTransitionTime = at(0) } },
    }, r.status)
    assert.is_false(r.clear_run_once_at)
  end)

  it("follows the schedule", function()
    local object = repository(function(o) o.spec.sync.schedule = "30 * * * *" end)
    assert.equal(at(1800), result(object, SYNCED).status.nextFullSyncTime)
  end)

  it("takes out a runOnceAt that has fired and leaves one to come", function()
    local fired = repository(function(o) o.spec.sync.runOnceAt = at(-5) end)
    local r = result(fired, SYNCED)
    assert.is_true(r.clear_run_once_at)
    assert.equal(at(-5), r.status.observedRunOnceAt)
    local coming = repository(function(o) o.spec.sync.runOnceAt = at(50) end)
    r = result(coming, SYNCED)
    assert.is_false(r.clear_run_once_at)
    assert.is_nil(r.status.observedRunOnceAt)
    local gone = repository(function(o) o.status.observedRunOnceAt = at(-500) end)
    assert.is_nil(result(gone, SYNCED).status.observedRunOnceAt)
  end)

  it("says what went wrong and when to try again", function()
    local r = result(repository(), { action = "sync", ok = false, error = "connection refused" })
    local ready = r.status.conditions[1]
    assert.same({ "False", "Error", "connection refused" },
      { ready.status, ready.reason, ready.message })
    assert.equal(30, r.next)
    assert.equal(at(-600), r.status.lastFullSyncTime)
    r = result(repository(), { action = "check", ok = false, error = "" })
    assert.equal("unknown error", r.status.conditions[1].message)
  end)

  it("syncs at once what has recovered", function()
    local r = result(broken("timeout", 100), { action = "check", ok = true, error = "" })
    assert.equal("True", r.status.conditions[1].status)
    local object = broken("timeout", 100)
    object.status = r.status
    local plan = setup.open():run("Repository/sync", { object = object, now = NOW + 1,
      fact = { synced_before = true } })
    assert.equal("sync", plan.result.action)
  end)

  it("only notes the time of a check that went well", function()
    local r = result(repository(), { action = "check", ok = true, error = "" })
    assert.equal(at(0), r.status.conditions[1].lastTransitionTime)
    assert.equal(at(-600), r.status.lastFullSyncTime)
    assert.equal(3, r.status.packageCount)
  end)
end)
