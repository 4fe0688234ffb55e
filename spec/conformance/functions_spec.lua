-- SPDX-License-Identifier: Apache-2.0
-- Built-in functions over the real packages of the corpus: no crash, no comment lost, documents
-- that they do not mean keep their bytes, a second run changes nothing.
local eval = require("probe_eval")
local shell = require("spec.conformance.lib.shell")

local ROOT = (os.getenv("LANAI_CONFORMANCE") or "../shared/conformance") .. "/corpus/real"
local MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: config\ndata:\n"

-- untouched: nothing in the corpus is meant; removes: comments go with what they stand at.
local FUNCTIONS = {
  ["annotate-apply-time-mutations"] = { untouched = true },
  ["delete-annotations"] = { removes = true,
    config = MAP .. "  annotationKeys: argocd.argoproj.io/sync-wave\n" },
  ["enable-gcp-services"] = {},
  ["ensure-name-substring"] = { config = MAP .. "  prepend: zz-\n" },
  ["format"] = {},
  ["remove-local-config-resources"] = { removes = true },
  ["search-replace"] = { config = MAP .. "  by-value-regex: ^(.*)nginx(.*)$\n"
    .. "  put-value: ${1}httpd${2}\n" },
  ["set-annotations"] = { config = MAP .. "  color: orange\n" },
  ["set-enforcement-action"] = { config = MAP .. "  enforcementAction: warn\n" },
  ["set-image"] = { config = MAP .. "  name: nginx\n  newTag: 9.9.9\n" },
  ["set-name-prefix"] = { config = MAP .. "  prefix: zz\n  oldPrefix: argocd\n", context = true },
  ["set-project-id"] = { config = MAP .. "  project-id: mine\n", kptfile = true },
  ["upsert-resource"] = { config = MAP .. "  a: b\n" },
}

local CONTEXT = { "zz-context.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n"
  .. "  name: kptfile.kpt.dev\ndata:\n  name: example\n" }
local KPTFILE = { "Kptfile", "apiVersion: kpt.dev/v1\nkind: Kptfile\nmetadata:\n  name: p\n" }

-- Files by the two directories at the top, less what is no YAML.
local function packages()
  local list, by_dir = {}, {}
  local found = shell.sh("cd " .. shell.quote(ROOT) .. " && find . -type f \\( -name '*.yaml' -o "
    .. "-name '*.yml' -o -name Kptfile \\) | LC_ALL=C sort")
  for path in found:gmatch("%./([^\n]+)") do
    local dir = path:match("^[^/]*/[^/]*")
    if not by_dir[dir] then
      by_dir[dir] = {}
      list[#list + 1] = by_dir[dir]
    end
    table.insert(by_dir[dir], { path, shell.read(ROOT .. "/" .. path) })
  end
  return list
end

local function without(files, path)
  local left = {}
  for _, file in ipairs(files) do
    if file[1] ~= path then
      left[#left + 1] = file
    end
  end
  return left
end

-- Runs a function; takes out files that cannot be read, which the error names.
local function run(name, files, config)
  while true do
    local got, _, message = eval.run(files, { image = name, config = config, keep = true })
    local broken = not got and message:match("^([^:]+): ")
    if not broken then
      return assert(got, message), files
    end
    local left = without(files, broken)
    assert(#left < #files, message)
    files = left
  end
end

-- How far the text of a block scalar that begins in this line is indented at least; nil for none.
local function block_indent(line)
  if not line:find("[|>][-+%d]*%s*$") and not line:find("[|>][-+%d]*%s+#") then
    return nil
  end
  local dashes, rest = line:match("^([ -]*)(.*)$")
  return rest:find("^[|>]") and #line:match("^ *") or #dashes
end

-- Counts comments; what block scalars have is none.
local function comments(text)
  local count, block = {}, nil
  for line in text:gmatch("[^\n]+") do
    local inside = block and #line:match("^ *") > block
    local comment = not inside and (" " .. line):match("%s(#%D.*)$")
    if comment then
      count[comment] = (count[comment] or 0) + 1
    end
    block = inside and block or block_indent(line)
  end
  return count
end

local function check_comments(before, after, path)
  local now = comments(after)
  for comment, n in pairs(comments(before)) do
    assert((now[comment] or 0) >= n, path .. ": lost " .. comment)
  end
end

local function texts(files)
  local by_path = {}
  for _, file in ipairs(files) do
    by_path[file[1]] = file[2]
  end
  return by_path
end

local function check(name, f, files)
  files = { table.unpack(files) }
  files[#files + 1] = f.context and CONTEXT or nil
  files[#files + 1] = f.kptfile and KPTFILE or nil
  local got, read = run(name, files, f.config)
  assert(got.ok or f.kptfile, got.error)
  local after = texts(got.files)
  for _, file in ipairs(read) do
    local text = after[file[1]]
    if f.untouched then
      assert(not text or text == file[2], file[1])
    elseif text and not f.removes then
      check_comments(file[2], text, file[1])
    end
  end
  local again = texts(run(name, got.files, f.config).files)
  for path, text in pairs(after) do
    assert(again[path] == nil or again[path] == text, path .. " changed again")
  end
end

describe("built-in functions on real packages", function()
  local found = shell.read(ROOT .. "/README.md") or os.execute("test -d " .. shell.quote(ROOT))
  local list = found and packages() or {}
  for name, f in pairs(FUNCTIONS) do
    it("keep what they do not mean: " .. name, function()
      if #list == 0 then
        return pending("no corpus of real packages")
      end
      for _, files in ipairs(list) do
        check(name, f, files)
      end
    end)
  end
end)
