-- SPDX-License-Identifier: Apache-2.0

local support = require("spec.lua.support")

-- Which of the paths the rules ignore; a path that ends in "/" is a directory.
local function ignored(rules, paths)
  local answer = support.eval([[
    local ignore, list = require("lanai.ignore"), node.map()
    local rules = ignore.parse(value.rules)
    for _, path in ipairs(value.paths) do
      local name = path:gsub("/$", "")
      list[path] = ignore.matches(rules, name, path ~= name)
    end
    return list
  ]], { rules = rules, paths = paths })
  local list = {}
  for _, path in ipairs(paths) do
    list[#list + 1] = answer[path] and path or nil
  end
  return list
end

local PATHS = { "x.yaml", "a/x.yaml", "a/b/x.yaml", "z/a/x.yaml", "a/", "a/b/" }

describe(".krmignore", function()
  after_each(support.clean)

  it("matches names, tails of paths, anchored paths and directories", function()
    assert.same({ "x.yaml", "a/x.yaml", "a/b/x.yaml", "z/a/x.yaml" }, ignored("x.yaml\n", PATHS))
    assert.same({ "x.yaml" }, ignored("/x.yaml", PATHS))
    assert.same({ "a/x.yaml", "z/a/x.yaml" }, ignored("a/x.yaml", PATHS))
    assert.same({ "a/" }, ignored("a/", PATHS))
    assert.same({ "a/x.yaml", "z/a/x.yaml", "a/b/" }, ignored("a/**", PATHS))
  end)

  it("lets accepted names win, wherever they stand", function()
    assert.same({}, ignored("!x.yaml\n*.yaml\n", PATHS))
    assert.same({ "b.yaml" }, ignored("*.yaml\n!x.yaml\n", { "x.yaml", "b.yaml" }))
  end)

  it("knows wild cards within a component, comments and blanks", function()
    assert.same({ "ab.yaml", "b.yaml" },
      ignored("  # c\n\n  [a-c]?.yaml  \n[!x].yaml\n",
        { "ab.yaml", "b.yaml", "x.yaml", "abc.yaml" }))
    assert.same({ "#x" }, ignored("\\#x", { "#x", "x" }))
    assert.same({ "a.b" }, ignored("a.b", { "a.b", "axb" }))
  end)

  it("counts for its own package, not for those inside", function()
    local list = support.eval([[
      local ignore, tree = require("lanai.ignore"), require("lanai.tree")
      local root = tree.new { [".krmignore"] = "x.yaml\nskipped\n", ["x.yaml"] = "",
        ["y.yaml"] = "", ["sub/Kptfile"] = "", ["sub/x.yaml"] = "", ["sub/.krmignore"] = "y.yaml",
        ["sub/y.yaml"] = "", ["plain/x.yaml"] = "", ["skipped/z.yaml"] = "" }
      return table.concat(ignore.files(root, { packages = true }), " ")
    ]])
    assert.equal(".krmignore sub/.krmignore sub/Kptfile sub/x.yaml y.yaml", list)
  end)
end)
