-- SPDX-License-Identifier: Apache-2.0
--
-- New content for a draft: the files of the request replace all files of the package. A YAML file
-- that comes back without any of its comments keeps them.
--
-- @api 1
-- @name push
-- @version 1.0.0
-- @on PackageRevisionResources/update
-- @effects read, draft

local heal = require("lanai.heal")
local lanai = require("lanai")
local yaml = require("lanai.yaml")

local function is_yaml(path)
  return path:find("%.ya?ml$") or path == "Kptfile" or path:find("/Kptfile$")
end

-- Files that say they are YAML must be: everything later reads them. Gives the texts that changed
-- files had before.
local function check_yaml(ctx, draft, resources)
  local before = {}
  for path, text in lanai.sorted_pairs(resources) do
    if type(text) == "string" and is_yaml(path) and draft:file(path) ~= text then
      local documents, err = yaml.parse_all(text)
      if not documents then
        return ctx.fail("internal", lanai.message("resources-heal", path .. ": " .. err.message))
      end
      before[path] = draft:file(path)
    end
  end
  return before
end

local function run(ctx, req)
  local name = req.object.metadata.name
  local object = ctx.get("packagerevisions", name)
  if not object then
    return ctx.fail("not-found", 'packagerevisions.porch.kpt.dev "' .. name .. '" not found')
  end
  if object.spec.lifecycle ~= "Draft" then
    return ctx.fail("internal", lanai.message("resources-not-draft", object.spec.lifecycle))
  end

  local draft, before, ok, err
  draft, err = ctx.draft(object)
  if not draft then
    return nil, err
  end
  local resources = req.resources or lanai.map()
  before, err = check_yaml(ctx, draft, resources)
  if not before then
    return nil, err
  end
  ok, err = draft:replace(resources)
  if not ok then
    return nil, err
  end
  if not draft:file("Kptfile") then
    return ctx.fail("internal", lanai.message("resources-kptfile"))
  end
  for path, text in lanai.sorted_pairs(before) do
    ok, err = heal.restore(draft, path, text)
    if not ok then
      return nil, err
    end
  end
  ctx.save(object, draft)
  return true
end

return {
  api = 1,
  name = "push",
  version = "1.0.0",
  summary = "Replaces the files of a draft.",
  on = { "PackageRevisionResources/update" },
  effects = { "read", "draft" },
  run = run,
}
