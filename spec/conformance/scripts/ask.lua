-- SPDX-License-Identifier: Apache-2.0
--
-- Questions of the conformance runner to the library that workflows use.
--
-- @api 1
-- @name ask
-- @version 1.0.0
-- @on Conformance/placeholder, Conformance/ready, Conformance/cron, Conformance/labels, Conformance/heal
-- @effects read, draft

local cron = require("lanai.cron")
local krm = require("lanai.krm")
local lanai = require("lanai")
local revision = require("lanai.revision")

local QUESTIONS = {
  placeholder = function(ctx, req)
    return { answer = revision.is_placeholder(ctx, req.object) }
  end,

  ready = function(_, req)
    return { answer = revision.missing_gate(req.object) == nil }
  end,

  cron = function(_, req)
    return { answer = cron.parse(req.text) ~= nil }
  end,

  -- The files after a save, before they are rendered.
  heal = function(ctx, req)
    local function list(files)
      local out = {}
      for path, text in lanai.sorted_pairs(files) do
        out[#out + 1] = { path = path, text = text }
      end
      return out
    end
    local healed, err = krm.heal { before = list(req.before), files = list(req.files),
      compat = "lanai" }
    if not healed then
      return ctx.fail("internal", err.message)
    end
    local files = lanai.copy(req.files)
    for _, file in ipairs(healed) do
      files[file.path] = file.text
    end
    return { files = files }
  end,

  -- What a creation (merge) or an update (replace) makes of a Kptfile's labels.
  labels = function(ctx, req)
    local draft = ctx.draft()
    assert(draft:set("Kptfile", req.kptfile))
    local ok, err
    if req.replace then
      ok, err = revision.replace_metadata(draft, req.object)
    else
      ok, err = revision.upsert_metadata(draft, req.object.spec)
    end
    if not ok then
      return ctx.fail("internal", err.message)
    end
    local after = draft:file("Kptfile")
    return { changed = after ~= req.kptfile, kptfile = after }
  end,
}

local function run(ctx, req)
  local question = ctx.verb:match("/(.*)$")
  return QUESTIONS[question](ctx, req)
end

return {
  api = 1,
  name = "ask",
  version = "1.0.0",
  summary = "Answers questions of the conformance runner.",
  on = { "Conformance/placeholder", "Conformance/ready", "Conformance/cron",
    "Conformance/labels", "Conformance/heal" },
  effects = { "read", "draft" },
  run = run,
}
