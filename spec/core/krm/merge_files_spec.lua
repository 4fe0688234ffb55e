-- SPDX-License-Identifier: Apache-2.0
local cjson = require("cjson")
local merge = require("probe_merge")

local function config_map(name, data)
  return "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: " .. name .. "\ndata:\n  a: " .. data
    .. "\n"
end

local function files(base, ours, theirs, options)
  local got, report = merge.files(base, ours, theirs, options or {})
  return got, type(report) == "string" and cjson.decode(report) or report
end

-- "file kind/name taken: reason" of each line.
local function said(report)
  local out = {}
  for i, l in ipairs(report) do
    out[i] = ("%s%s %s: %s"):format(l.file, l.kind and " " .. l.kind .. "/" .. l.name or "",
      l.taken, l.reason)
  end
  return out
end

describe("merging files", function()
  it("has no trouble with 10,000 levels", function()
    local function deep(value, data)
      return { ["a.yaml"] = config_map("a", data) .. "x: " .. ("["):rep(9990) .. value
        .. ("]"):rep(9990) .. "\ny:\n" .. ("- "):rep(9990) .. value .. "\n" }
    end
    assert.same(deep(2, 3), (files(deep(1, 1), deep(1, 3), deep(2, 1))))
    assert.is_table(files(deep(1, 1), deep(1, 3), deep(2, 1), { kpt = true }))
  end)

  for _, mode in ipairs { "kpt", "lanai" } do
    local o = { kpt = mode == "kpt" }

    it("keeps, adds and deletes resources by the table, " .. mode, function()
      local base = { ["a.yaml"] = config_map("both", 1) .. "---\n" .. config_map("gone-there", 1)
        .. "---\n" .. config_map("gone-here", 1) .. "---\n" .. config_map("changed", 1) }
      local ours = { ["a.yaml"] = config_map("both", 1) .. "---\n" .. config_map("gone-there", 1)
        .. "---\n" .. config_map("changed", 2) .. "---\n" .. config_map("mine", 1) }
      local theirs = { ["a.yaml"] = config_map("both", 2) .. "---\n" .. config_map("gone-here", 1)
        .. "---\n" .. config_map("theirs", 1) }
      local got, report = files(base, ours, theirs, o)
      local names = {}
      for name, data in got["a.yaml"]:gmatch("name: ([%w-]+)\ndata:\n  a: (%d)") do
        names[#names + 1] = name .. "=" .. data
      end
      table.sort(names)
      assert.same({ "both=2", "changed=2", "mine=1", "theirs=1" }, names)
      assert.same({ "a.yaml ConfigMap/gone-there deleted: deleted upstream",
        "a.yaml ConfigMap/gone-here ours: deleted here",
        "a.yaml ConfigMap/changed ours: changed here, deleted upstream",
        "a.yaml ConfigMap/theirs added: added upstream" }, said(report))
    end)

    it("knows a renamed resource by its stamp, " .. mode, function()
      local stamped = config_map("new", 1):gsub("metadata:", "metadata: # kpt-merge: /old")
      local got = files({ ["a.yaml"] = config_map("old", 1) }, { ["a.yaml"] = stamped },
        { ["a.yaml"] = config_map("old", 2) }, o)
      assert.same((stamped:gsub("a: 1", "a: 2")), got["a.yaml"])
    end)

    it("refuses two resources of one side that are the same, " .. mode, function()
      local twice = config_map("x", 1) .. "---\n" .. config_map("x", 2)
      local got, err = files({ ["a.yaml"] = config_map("x", 1) }, { ["a.yaml"] = twice },
        { ["a.yaml"] = config_map("x", 3) }, o)
      assert.is_nil(got)
      assert.same('found duplicate "dest" resources in file "a.yaml", please refer to "update" '
        .. "documentation for the fix", err.message)
    end)

    it("merges the same resource in two files apart, " .. mode, function()
      local got = files({ ["a.yaml"] = config_map("x", 1), ["b.yaml"] = config_map("x", 1) },
        { ["a.yaml"] = config_map("x", 1), ["b.yaml"] = config_map("x", 3) },
        { ["a.yaml"] = config_map("x", 2), ["b.yaml"] = config_map("x", 1) }, o)
      assert.same({ ["a.yaml"] = config_map("x", 2), ["b.yaml"] = config_map("x", 3) }, got)
    end)

    it("keeps other files that were changed here, " .. mode, function()
      local got, report = files({ ["r.md"] = "1", ["gone"] = "1", ["same"] = "1" },
        { ["r.md"] = "2", ["gone"] = "1", ["same"] = "1", ["mine"] = "m" },
        { ["r.md"] = "3", ["same"] = "2", ["new"] = "n" }, o)
      assert.same({ ["r.md"] = "2", ["same"] = "2", ["mine"] = "m", ["new"] = "n" }, got)
      assert.same({ "gone deleted: deleted upstream", "mine ours: only here",
        "new added: added upstream", "r.md ours: both changed it" }, said(report))
    end)
  end

  it("leaves files alone that only one side touched, byte for byte", function()
    local odd = "# head\n\n" .. config_map("x", '  1   # "odd"') .. "\n\n"
    local other = "a:   [1,\n  2]   # any layout\n"
    local base = { ["ours.yaml"] = config_map("x", 0), ["theirs.yaml"] = config_map("y", 0) }
    local got = files(base, { ["ours.yaml"] = odd, ["theirs.yaml"] = config_map("y", 0) },
      { ["ours.yaml"] = config_map("x", 0), ["theirs.yaml"] = other })
    assert.same({ ["ours.yaml"] = odd, ["theirs.yaml"] = other }, got)
  end)

  it("changes only lines that upstream changed", function()
    local ours = "# licence\n\n" .. config_map("x", 1) .. "  b:   'odd'   # mine\n"
    local got = files({ ["a.yaml"] = config_map("x", 1) }, { ["a.yaml"] = ours },
      { ["a.yaml"] = config_map("x", 2) })
    assert.same((ours:gsub("a: 1", "a: 2")), got["a.yaml"])
  end)

  it("keeps a file that cannot be read here, and says so", function()
    local broken = "a: [1\n"
    local got, report = files({ ["a.yaml"] = config_map("x", 1), ["b.yaml"] = config_map("y", 1) },
      { ["a.yaml"] = broken, ["b.yaml"] = config_map("y", 1) },
      { ["a.yaml"] = config_map("x", 2), ["b.yaml"] = config_map("y", 2) })
    assert.same({ ["a.yaml"] = broken, ["b.yaml"] = config_map("y", 2) }, got)
    assert.same({ "a.yaml ours: cannot be read here" }, said(report))
    local none, err = files({}, { ["a.yaml"] = broken }, {}, { kpt = true })
    assert.is_nil(none)
    assert.matches("a.yaml", err.message, 1, true)
  end)

  it("leaves a deleted file deleted, where kpt brings it back", function()
    local base, theirs = { ["README.md"] = "1" }, { ["README.md"] = "1" }
    assert.same({}, (files(base, {}, theirs)))
    assert.same(theirs, (files(base, {}, theirs, { kpt = true })))
  end)

  it("follows rules of the package's Kptfile", function()
    local function kptfile(rules)
      return "apiVersion: kpt.dev/v1\nkind: Kptfile\nmetadata:\n  name: p\n" .. rules
    end
    local rules = "  annotations:\n    lanai.dev/merge: 'ConfigMap/x: ours'\n"
    local got = files({ Kptfile = kptfile(""), ["a.yaml"] = config_map("x", 1) },
      { Kptfile = kptfile(rules), ["a.yaml"] = config_map("x", 1) },
      { Kptfile = kptfile(""), ["a.yaml"] = config_map("x", 2) }, { is_root = true })
    assert.same({ Kptfile = kptfile(rules), ["a.yaml"] = config_map("x", 1) }, got)
  end)

  it("does nothing when it is done twice", function()
    local base, theirs = { ["a.yaml"] = config_map("x", 1) }, { ["a.yaml"] = config_map("x", 2) }
    local ours = { ["a.yaml"] = config_map("x", 1) .. "  b: 1\n" }
    for _, o in ipairs { {}, { kpt = true } } do
      local once = files(base, ours, theirs, o)
      assert.same(once, (files(theirs, once, theirs, o)))
    end
  end)

  it("takes time in proportion to the package", function()
    local function package(n, data)
      local list = {}
      for i = 1, n do
        list[i] = config_map("x" .. i, data)
      end
      return { ["a.yaml"] = table.concat(list, "---\n") }
    end
    local function seconds(n)
      local base, ours, theirs = package(n, 1), package(n, 2), package(n, 3)
      local start = os.clock()
      assert(merge.files(base, ours, theirs, {}))
      return os.clock() - start
    end
    seconds(500)
    local small, large = seconds(1000), seconds(8000)
    assert.is_true(large < 24 * small, ("%.3f s, %.3f s"):format(small, large))
  end)
end)

describe("merging Kptfiles", function()
  local function kptfile(body)
    return "apiVersion: kpt.dev/v1\nkind: Kptfile\nmetadata:\n  name: p\n" .. body
  end

  local function pipeline(...)
    local list = {}
    for i, line in ipairs { ... } do
      list[i] = "  - " .. line .. "\n"
    end
    return kptfile("pipeline:\n  mutators:\n" .. table.concat(list))
  end

  it("keeps comments, layout and unknown fields of ours", function()
    local ours = kptfile("# who\ninfo:\n    description: d  # mine\nextra: {a: 1}\n")
    local got = merge.kptfile(kptfile(""), ours, kptfile("info:\n  site: s\n"))
    assert.same(kptfile("# who\ninfo:\n    description: d  # mine\n    site: s\nextra: {a: 1}\n"),
      got)
  end)

  it("leaves name, upstream and lock alone unless told to take them", function()
    local function located(name, ref)
      return ("apiVersion: kpt.dev/v1\nkind: Kptfile\nmetadata:\n  name: %s\nupstream:\n"
        .. "  type: git\n  git:\n    ref: %s\n"):format(name, ref)
    end
    local base, ours, theirs = located("b", "v1"), located("o", "v1"), located("t", "v2")
    for _, o in ipairs { { kpt = true }, {} } do
      assert.same(ours, (merge.kptfile(base, ours, theirs, o)))
      assert.same(located("o", "v2"), (merge.kptfile(base, ours, theirs, o, true)))
    end
  end)

  it("pairs functions whatever naming each version uses", function()
    local got = merge.kptfile(pipeline("image: set-labels:v1"),
      pipeline("image: set-labels:v1", "image: mine:v1"),
      pipeline("name: labels\n    image: set-labels:v2"))
    assert.same(pipeline("image: set-labels:v2\n    name: labels", "image: mine:v1"), got)
    local failed, err = merge.kptfile(pipeline("image: set-labels:v1"),
      pipeline("name: a\n    image: set-labels:v1"), pipeline("image: set-labels:v2"),
      { kpt = true })
    assert.is_nil(failed)
    assert.same("conflicting merge keys [name,] for field pipeline.mutators", err.message)
    assert.same(pipeline("name: a\n    image: set-labels:v2"),
      (merge.kptfile(pipeline("image: set-labels:v1"),
        pipeline("name: a\n    image: set-labels:v1"), pipeline("image: set-labels:v2"))))
  end)

  it("tells functions of one image apart by their number", function()
    local got = merge.kptfile(pipeline("image: s:v1\n    configPath: a", "image: s:v1"),
      pipeline("image: s:v1\n    configPath: a", "image: s:v1", "image: x"),
      pipeline("image: s:v1\n    configPath: b", "image: s:v2"))
    assert.same(pipeline("image: s:v1\n    configPath: b", "image: s:v2", "image: x"), got)
  end)

  it("does not take a new function of the same image for an old one", function()
    local old = "image: s:v1\n    configMap:\n      a: b"
    local got = merge.kptfile(pipeline(old), pipeline("image: s:v1\n    name: mine", old),
      pipeline((old:gsub("a: b", "a: c"))))
    assert.same(pipeline("image: s:v1\n    name: mine", (old:gsub("a: b", "a: c"))), got)
  end)

  it("removes a function that upstream removed, with a line", function()
    local got, report = merge.kptfile(pipeline("image: a:v1", "image: b:v1"),
      pipeline("image: a:v1", "image: b:v1\n    configPath: mine"), pipeline("image: a:v1"))
    assert.same(pipeline("image: a:v1"), got)
    local line = cjson.decode(report)[1]
    assert.same("pipeline.mutators[function=b]", line.path)
    assert.same("changed here, deleted upstream", line.reason)
  end)

  it("takes a missing Kptfile from the other side", function()
    assert.same(kptfile(""), (merge.kptfile(nil, nil, kptfile(""))))
    assert.same(kptfile(""), (merge.kptfile(kptfile(""), kptfile(""), nil)))
    assert.is_false((merge.kptfile(kptfile(""), nil, nil)))
  end)
end)
