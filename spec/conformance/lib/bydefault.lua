-- SPDX-License-Identifier: Apache-2.0
-- What comes out in default mode where kpt's result is another. default/*.diff holds for each such
-- case a line with the case, the deviations that explain it, and a digest of the bytes of our
-- result; below it the difference (expected → ours) in the normal form of the peer's writer. There
-- is none when the data and the comments are the same and only bytes differ: order of keys, quotes,
-- indentation, empty lines. A case
-- whose result is not exactly the recorded one fails, and so does one whose record is not needed
-- any more. `run --record` writes the records anew: new ones get the deviation "unexplained", which
-- deviations.md does not have, so that somebody must look at them.
local shell = require("spec.conformance.lib.shell")
local text = require("probe_yaml")
local yaml = require("spec.conformance.lib.yaml")

local M = { recording = false }

local DIR = os.getenv("LANAI_ROOT") .. "/spec/conformance/default/"
local KEPT = "bytes-kept-by-default"

-- FNV-1a, 64 bits, over the files in order.
local function digest(files)
  local paths = {}
  for path in pairs(files) do
    paths[#paths + 1] = path
  end
  table.sort(paths)
  local hash = 0xcbf29ce484222325
  for _, path in ipairs(paths) do
    for _, part in ipairs({ path, files[path] }) do
      for i = 1, #part do
        hash = (hash ~ part:byte(i)) * 0x100000001b3
      end
      hash = (hash ~ 0x100) * 0x100000001b3
    end
  end
  return ("%016x"):format(hash)
end

local function is_yaml(path)
  return path:find("%.ya?ml$") ~= nil or path:match("[^/]*$") == "Kptfile"
end

-- The documents of a YAML file as the peer's writer writes them.
local function documents(bytes)
  local parts = {}
  for part in ("\n" .. bytes:gsub("\r\n", "\n"):gsub("%s+$", "") .. "\n---\n")
    :gmatch("(.-)\n%-%-%-[^\n]*%f[\n]") do
    parts[#parts + 1] = part:find("%S") and text.rewrite(part:sub(2) .. "\n") or part .. "\n"
  end
  return parts
end

local function normal(files)
  local out = {}
  for path, bytes in pairs(files) do
    out[path] = is_yaml(path) and table.concat(documents(bytes), "---\n") or bytes
  end
  return out
end

-- All that stands behind a `#`, in alphabetical order.
local function comments(document)
  local list = {}
  for comment in document:gmatch("%f[^\n%s](#[^\n]*)") do
    list[#list + 1] = comment
  end
  table.sort(list)
  return table.concat(list, "\n")
end

local function same_document(a, b)
  if a == b then
    return true
  end
  local ok, left, right = pcall(function()
    return yaml.to_json(a), yaml.to_json(b)
  end)
  return ok and yaml.equal(left, right) and comments(a) == comments(b)
end

local function same_file(path, a, b)
  if not (a and b) or not is_yaml(path) then
    return a == b
  end
  local left, right = documents(a), documents(b)
  for i = 1, math.max(#left, #right) do
    if not (left[i] and right[i] and same_document(left[i], right[i])) then
      return false
    end
  end
  return true
end

local function write_tree(dir, files)
  shell.sh("mkdir -p " .. shell.quote(dir))
  for path, bytes in pairs(files) do
    local parent = path:match("^(.*)/")
    if parent then
      shell.sh("mkdir -p " .. shell.quote(dir .. "/" .. parent))
    end
    shell.write(dir .. "/" .. path, bytes)
  end
end

-- A unified diff of the files that differ in more than bytes; "" when there are none.
local function difference(want, got)
  local a, b = {}, {}
  for _, files in ipairs({ want, got }) do
    for path in pairs(files) do
      if not same_file(path, want[path], got[path]) then
        a[path], b[path] = want[path], got[path]
      end
    end
  end
  return shell.with_tmp(function(tmp)
    write_tree(tmp .. "/expected", normal(a))
    write_tree(tmp .. "/ours", normal(b))
    local out = "\n" .. shell.sh("cd " .. shell.quote(tmp) .. " && diff -U1 -rN expected ours "
      .. "|| [ $? = 1 ]")
    return (out:gsub("\ndiff [^\n]*\n%-%-%- [^\n]*\n%+%+%+ ours/([^\t]*)[^\n]*", "\n--- %1")
      :gsub("\n@@[^\n]*", "\n@@"):sub(2))
  end)
end

-- Records of a file: id → {deviations, digest, diff}.
local function parse(bytes)
  local records, current = {}, nil
  for line in (bytes or ""):gmatch("([^\n]*)\n") do
    local id, deviations, hash = line:match("^== (%S+) (%S+) (%x+)$")
    if id then
      current = { deviations = deviations, digest = hash, diff = {} }
      records[id] = current
    elseif current then
      table.insert(current.diff, line)
    end
  end
  for _, record in pairs(records) do
    record.diff = table.concat(record.diff, "\n")
  end
  return records
end

local loaded = {}

local function file_of(case)
  return case.id:match("^[^/]+/[^/]+"):gsub("/", "-") .. ".diff"
end

local function records_of(case)
  local name = file_of(case)
  loaded[name] = loaded[name] or { path = DIR .. name, known = parse(shell.read(DIR .. name)),
    seen = {} }
  return loaded[name]
end

--- Compares the result of the default mode with the expected one. Both are maps of path to bytes.
--- @return boolean ok, string|nil why, string|nil deviations separated by commas
function M.check(case, want, got)
  local file = records_of(case)
  local known = file.known[case.id]
  local same = digest(want) == digest(got)
  if same and not known then
    return true
  end
  local diff = same and "" or difference(want, got)
  if M.recording then
    file.seen[case.id] = not same and {
      deviations = diff == "" and KEPT
        or known and known.deviations ~= KEPT and known.deviations or "unexplained",
      digest = digest(got), diff = diff } or nil
    file.changed = true
    return true, nil, file.seen[case.id] and KEPT
  elseif same then
    return false, "the default mode gives kpt's result, and default/" .. file_of(case)
      .. " says something else"
  elseif not known then
    return false, ("the default mode differs, and default/%s does not have it:\n%s"):format(
      file_of(case), diff)
  elseif known.diff ~= diff or known.digest ~= digest(got) then
    return false, ("the default mode differs from default/%s (%s):\n%s"):format(file_of(case),
      known.digest == digest(got) and "same bytes" or digest(got), diff)
  elseif (diff == "") ~= (known.deviations == KEPT) then
    return false, "default/" .. file_of(case) .. " gives the wrong reason"
  end
  return true, nil, known.deviations
end

--- Writes the records of the cases that ran; others stay.
function M.save()
  for _, file in pairs(loaded) do
    if file.changed then
      for id, record in pairs(file.seen) do
        file.known[id] = record
      end
      local ids, out = {}, {}
      for id in pairs(file.known) do
        ids[#ids + 1] = id
      end
      table.sort(ids)
      for _, id in ipairs(ids) do
        local r = file.known[id]
        out[#out + 1] = ("== %s %s %s\n%s"):format(id, r.deviations, r.digest,
          r.diff == "" and "" or r.diff .. "\n")
      end
      shell.write(file.path, table.concat(out))
    end
  end
end

return M
