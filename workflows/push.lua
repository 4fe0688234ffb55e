-- SPDX-License-Identifier: Apache-2.0
--
-- New content for a draft: the files of the request replace all files of the package. Comments
-- that the client lost come back to the resources that they are about.
--
-- @api 1
-- @name push
-- @version 1.0.0
-- @on PackageRevisionResources/update
-- @effects read, draft

local krm = require("lanai.krm")
local lanai = require("lanai")
local render = require("lanai.render")
local repository = require("lanai.repository")
local yaml = require("lanai.yaml")

local PUSH_ANYWAY = "porch.kpt.dev/push-on-render-failure"

local function is_yaml(path)
  return path:find("%.ya?ml$") or path == "Kptfile" or path:find("/Kptfile$")
end

-- The files of a save with what it lost. Files that say they are YAML must be: everything later
-- reads them.
local function heal(draft, resources, compat)
  local before, after, files = {}, {}, lanai.map()
  for _, path in ipairs(draft:files()) do
    if is_yaml(path) and draft:kind(path) ~= "link" then
      before[#before + 1] = { path = path, text = draft:file(path) }
    end
  end
  for path, text in lanai.sorted_pairs(resources) do
    local yaml_text = type(text) == "string" and is_yaml(path)
    if yaml_text then
      after[#after + 1] = { path = path, text = text }
    end
    if not yaml_text or compat ~= "kpt" then
      files[path] = text
    end
  end
  local healed, err = krm.heal({ before = before, files = after, compat = compat })
  if not healed then
    return nil, err
  end
  for _, file in ipairs(healed) do
    files[file.path] = file.text
  end
  return files
end

-- Duplicate keys and other values that no later reader takes.
local function check_yaml(ctx, draft, files)
  for path, text in lanai.sorted_pairs(files) do
    if type(text) == "string" and is_yaml(path) and draft:file(path) ~= text then
      local documents, err = yaml.parse_all(text)
      if not documents then
        return ctx.fail("internal", lanai.message("resources-heal", path .. ": " .. err.message))
      end
    end
  end
  return true
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

  local draft, files, ok, err
  draft, err = ctx.draft(object)
  if not draft then
    return nil, err
  end
  local compat = repository.compat(ctx, ctx.get("repositories", object.spec.repository))
  files, err = heal(draft, req.resources or lanai.map(), compat)
  if not files then
    return ctx.fail("internal", lanai.message("resources-heal", err.message))
  end
  ok, err = check_yaml(ctx, draft, files)
  if not ok then
    return nil, err
  end
  ok, err = draft:replace(files)
  if not ok then
    return nil, err
  end
  if not draft:file("Kptfile") then
    return ctx.fail("internal", lanai.message("resources-kptfile"))
  end
  local outcome
  outcome, err = render.run(ctx, draft, object)
  if not outcome then
    return nil, err
  end
  if not outcome.failed then
    local said = lanai.at(outcome.status, "result.items")
    ctx.save(object, draft, { render = said and outcome.status })
    return true
  end
  if (object.metadata.annotations or {})[PUSH_ANYWAY] ~= "true" then
    return ctx.fail("internal", lanai.message("resources-render", outcome.error))
  end
  ctx.save(object, draft, { render = outcome.status,
    failure = lanai.message("resources-render-pushed", outcome.error) })
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
