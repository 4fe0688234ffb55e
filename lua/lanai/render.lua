-- SPDX-License-Identifier: Apache-2.0
--
-- Rendering as part of a verb: what the pipelines made of a draft becomes the draft.

local ignore = require("lanai.ignore")
local lanai = require("lanai")
local repository = require("lanai.repository")
local tree = require("lanai.tree")

local M = {}

-- Resource files that a .krmignore keeps from functions, or nil when there is no such file.
local function ignored(draft)
  local found, paths = false, draft:files()
  for _, path in ipairs(paths) do
    found = found or path:match("[^/]+$") == ".krmignore"
  end
  if not found then
    return nil
  end
  local read, list = {}, {}
  for _, path in ipairs(ignore.files(tree.load(draft), { packages = true })) do
    read[path] = true
  end
  for _, path in ipairs(paths) do
    list[#list + 1] = not read[path] and path or nil
  end
  return list
end

--- Renders a draft in place. A failed render leaves the files as they were, except for the status
--- in the Kptfile, or what its Kptfile wants saved.
--- @param ctx lanai.Ctx
--- @param draft lanai.Draft
--- @param object lanai.Node the package revision: its Repository may say how files are written
--- @return {failed: boolean, error: string, status: table}|nil, lanai.Error?
function M.run(ctx, draft, object)
  local name = object.spec.repository
  local compat = repository.compat(ctx, name and ctx.get("repositories", name) or lanai.map())
  local outcome, err = ctx.render(draft, { compat = compat, except = ignored(draft) })
  if not outcome then
    return nil, err
  end
  for path, text in lanai.sorted_pairs(outcome.files) do
    local ok
    ok, err = draft:set(path, text or nil)
    if not ok then
      return nil, err
    end
  end
  local text = outcome.failed and "fn.render: pkg /:\n\t" .. outcome.error or ""
  return { failed = outcome.failed, error = text,
    status = lanai.map({ error = text, result = outcome.results }) }
end

return M
