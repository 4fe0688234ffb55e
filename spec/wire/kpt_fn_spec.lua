-- SPDX-License-Identifier: Apache-2.0
--
-- Real kpt and `lanai --compat kpt` do the same with functions that are programs: exit codes,
-- trees, printed resources and results. Functions as containers need a container runtime and the
-- images, which are not here.

local packages = require("spec.lib.packages")
local support = require("spec.lua.support")

local COUNT = 24

local function find_kpt()
  local peers = os.getenv("LANAI_PEERS")
  local path = peers and peers ~= "" and peers .. "/kpt"
    or support.shell("command -v kpt"):match("%S+")
  local _, code = support.shell("test -x " .. support.quote(path or "/nonexistent"))
  return code == 0 and path or nil
end

local KPT = find_kpt()

-- Functions by name. Each gets a ResourceList on its input.
local PROGRAMS = {
  same = "cat",
  edit = "sed -e 's/: alpha$/: omega/; s/replicas: [0-9]*$/replicas: 9/'",
  bare = "sed -e 's/ *# .*$//'",
  add = "cat; printf -- '%s\\n' '- apiVersion: v1' '  kind: ConfigMap' '  metadata:' "
    .. "'    name: made' '    namespace: n'",
  none = "cat >/dev/null; printf 'apiVersion: config.kubernetes.io/v1\\nkind: ResourceList\\n"
    .. "items: []\\n'",
  tell = "cat; printf -- '%s\\n' 'results:' '- message: seen' '- message: bad' '  severity: error' "
    .. "'  file: {path: a.yaml}'; echo note >&2",
  fail = "cat; printf -- '%s\\n' 'results:' '- message: no' '  severity: error'; exit 3",
  text = "cat >/dev/null; echo '- 1'",
}

describe("lanai fn beside kpt", function()
  if not KPT then
    pending("does the same with programs: no kpt in LANAI_PEERS or PATH")
    return
  end

  local root, sides

  local function run(side, words)
    if side == "kpt" then
      return support.run(root .. "/kpt", KPT .. " " .. words)
    end
    return support.lanai(root .. "/lanai", words .. " --compat kpt")
  end

  -- Files of a side, without what a render leaves in the Kptfile: that came with a later kpt.
  local function tree(side)
    local files = support.tree(root .. "/" .. side)
    for path, text in pairs(files) do
      if path:find("Kptfile$") then
        files[path] = text:gsub("\nstatus:\n.*$", "\n")
      end
    end
    return files
  end

  local function same(what)
    local theirs, ours = tree("kpt"), tree("lanai")
    for path, text in pairs(theirs) do
      assert(ours[path] == text, ("%s: %s\n--- kpt\n%s\n--- lanai\n%s"):format(what, path, text,
        ours[path]))
    end
    for path in pairs(ours) do
      assert(theirs[path], ("%s: %s is lanai's alone"):format(what, path))
    end
  end

  -- Runs both sides; the code and output that they have in common.
  local function both(what, words)
    local results = {}
    for _, side in ipairs(sides) do
      local code, out, err = run(side, words)
      results[side] = { code = code, out = out, err = err }
    end
    local a, b = results.kpt, results.lanai
    assert(a.code == b.code and a.out == b.out, ("%s: %s\n--- kpt %d\n%s%s\n--- lanai %d\n%s%s")
      :format(what, words, a.code, a.out, a.err, b.code, b.out, b.err))
    return a.code, a.out
  end

  local function write(files)
    for _, side in ipairs(sides) do
      support.write(root .. "/" .. side, files)
    end
  end

  before_each(function()
    root, sides = support.directory(), { "kpt", "lanai" }
    local files = {}
    for name, body in pairs(PROGRAMS) do
      files["bin/" .. name] = "#!/bin/sh\n" .. body .. "\n"
    end
    write(files)
    support.shell(("chmod +x %s/*/bin/*"):format(root))
  end)

  after_each(support.clean)

  it("has the same trees and printed resources after eval", function()
    local names = { "same", "edit", "bare", "add", "none", "tell" }
    for seed = 1, COUNT do
      local files, name = {}, names[seed % #names + 1]
      for path, text in pairs(packages.new(seed):first()) do
        files["p" .. seed .. "/" .. path] = text
      end
      write(files)
      local what = ("seed %d, %s"):format(seed, name)
      both(what, ("fn eval p%d --exec bin/%s -o stdout -- a=b"):format(seed, name))
      both(what, ("fn eval p%d --exec bin/%s -o unwrap --match-kind Deployment"):format(seed, name))
      both(what, ("fn eval p%d --exec bin/%s --results-dir r"):format(seed, name))
      same(what)
    end
  end)

  it("has the same trees after render", function()
    for seed = 1, COUNT do
      local files = {}
      for path, text in pairs(packages.new(seed):first()) do
        files["p" .. seed .. "/" .. path] = text
      end
      local names = { "edit", "bare", "tell", "same" }
      files["p" .. seed .. "/Kptfile"] = ("apiVersion: kpt.dev/v1\nkind: Kptfile\nmetadata:\n"
        .. "  name: p\npipeline:\n  mutators:\n    - exec: bin/%s\n    - exec: bin/%s\n"
        .. "      selectors:\n        - kind: Deployment\n  validators:\n    - exec: bin/tell\n")
        :format(names[seed % 4 + 1], names[(seed // 4) % 4 + 1])
      write(files)
      local what = ("seed %d"):format(seed)
      both(what, ("fn render p%d --allow-exec -o unwrap"):format(seed))
      both(what, ("fn render p%d --allow-exec --results-dir r"):format(seed))
      same(what)
    end
  end)

  it("fails alike, and then changes nothing", function()
    write { ["p/Kptfile"] = "apiVersion: kpt.dev/v1\nkind: Kptfile\nmetadata:\n  name: p\n"
      .. "pipeline:\n  mutators:\n    - exec: bin/edit\n  validators:\n    - exec: bin/fail\n",
      ["p/a.yaml"] = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c\ndata: {a: alpha}\n" }
    for _, words in ipairs { "fn eval p --exec bin/fail --results-dir r", "fn render p",
      "fn render p --allow-exec --results-dir r", "fn eval p --exec bin/absent",
      "fn eval p --exec \"bin/same 'x\"", "fn eval p --exec bin/same --fn-config absent",
      "fn eval p --exec bin/same -- a b", "fn render p -o p", "fn eval absent --exec bin/same" } do
      assert.not_equal(0, (both("failure", words)))
      same(words)
    end
  end)

  pending("does the same with the catalogue's functions: there are no binaries of them here")
end)
