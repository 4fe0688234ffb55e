-- SPDX-License-Identifier: Apache-2.0
--
-- Where a merge had to decide, told with the revision that it made: as data in an annotation, in
-- short in a condition of the Kptfile, and as an event.

local json = require("lanai.json")
local kptfile = require("lanai.kptfile")
local lanai = require("lanai")

local M = {}

M.ANNOTATION = "lanai.dev/merge-report"
M.RESULT_ANNOTATION = "lanai.dev/merge-result"
M.CONDITION = "MergeConflicts"

-- All annotations of an object may have 256 KiB together.
local MAX_BYTES = 128 * 1024

-- The report as JSON; when it is too long its end is left out and said so.
local function encode(report)
  local list, bytes = {}, 2
  for i, entry in ipairs(report) do
    local text = json.emit(entry)
    bytes = bytes + #text + 1
    if bytes > MAX_BYTES then
      list[#list + 1] = json.emit({ omitted = #report - i + 1 })
      break
    end
    list[#list + 1] = text
  end
  return "[" .. table.concat(list, ",") .. "]"
end

-- Lines that tell of one side's doing only; the others are conflicts.
local ONE_SIDED = { ["added upstream"] = true, ["deleted upstream"] = true, ["only here"] = true,
  ["deleted here"] = true }

--- Counts the places where both sides changed and disagree.
--- @param report table[]
--- @return integer
function M.conflicts(report)
  local count = 0
  for _, entry in ipairs(report) do
    count = count + (entry.taken ~= "both" and not ONE_SIDED[entry.reason] and 1 or 0)
  end
  return count
end

--- Says in one sentence what a report holds.
--- @param report table[]
--- @return string
function M.summary(report)
  local taken = {}
  for _, entry in ipairs(report) do
    taken[entry.taken] = (taken[entry.taken] or 0) + 1
  end
  local parts = {}
  for side, count in lanai.sorted_pairs(taken) do
    parts[#parts + 1] = ("%s: %d"):format(side, count)
  end
  local conflicts = M.conflicts(report)
  return ("%d conflict%s; taken: %s"):format(conflicts, conflicts == 1 and "" or "s",
    table.concat(parts, ", "))
end

-- The condition of the Kptfile; it goes with the first merge that has nothing to tell.
local function set_condition(file, report)
  local kept = lanai.list()
  for _, condition in ipairs(lanai.at(file, "status.conditions") or {}) do
    if condition.type ~= M.CONDITION then
      kept[#kept + 1] = condition
    end
  end
  if M.conflicts(report) > 0 then
    kept[#kept + 1] = { type = M.CONDITION, status = "True", reason = "BothSidesChanged",
      message = M.summary(report) .. "; see annotation " .. M.ANNOTATION }
  end
  file.status = file.status or (#kept > 0 and lanai.map() or nil)
  if file.status then
    file.status.conditions = #kept > 0 and kept or nil
    if #file.status == 0 then
      file.status = nil
    end
  end
end

--- Writes the condition into the Kptfile of a tree; kpt knows no such condition.
--- @param tree lanai.Tree
--- @param compat string
--- @param report table[]
--- @return true|nil, lanai.Error?
function M.condition(tree, compat, report)
  local text = tree:file("Kptfile")
  if compat == "kpt" or (M.conflicts(report) == 0 and not text:find(M.CONDITION, 1, true)) then
    return true
  end
  local edited, err = kptfile.edit(text, compat, function(file)
    set_condition(file, report)
  end)
  return edited and tree:set("Kptfile", edited), err
end

-- What a dry run would have written: path → text, null for a file that goes.
local function changed_files(draft, before)
  local files = lanai.map()
  for _, path in ipairs(before:files()) do
    if not draft:kind(path) then
      files[path] = lanai.null
    end
  end
  for _, path in ipairs(draft:files()) do
    local text = draft:file(path)
    if text ~= before:file(path) then
      files[path] = text
    end
  end
  return files
end

--- Gives the object with the report in its annotations, and records the event. A dry run also says
--- which files the merge changed.
--- @param ctx lanai.Ctx
--- @param object lanai.Node
--- @param report table[]
--- @param draft lanai.Draft
--- @param before lanai.Package the local side before the merge
--- @return lanai.Node
function M.attach(ctx, object, report, draft, before)
  object = lanai.copy(object)
  object.metadata.annotations = object.metadata.annotations or lanai.map()
  local annotations = object.metadata.annotations
  annotations[M.ANNOTATION] = #report > 0 and encode(report) or nil
  annotations[M.RESULT_ANNOTATION] = ctx.dry_run and json.emit(changed_files(draft, before)) or nil
  if #annotations == 0 then
    object.metadata.annotations = nil
  end
  if #report > 0 then
    local conflicts = M.conflicts(report) > 0
    ctx.event(object, conflicts and M.CONDITION or "Merged", M.summary(report),
      { warning = conflicts })
  end
  return object
end

return M
