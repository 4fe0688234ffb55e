-- SPDX-License-Identifier: Apache-2.0

local support = require("spec.lua.support")

local function on_tree(body, value)
  return support.eval([[
    local tree = require("lanai.tree")
    local root = tree.new { a = "1", ["b/c"] = "2", ["b/d/e"] = "3", ["b.txt"] = "4" }
  ]] .. body, value)
end

describe("a tree", function()
  after_each(support.clean)

  it("lists files by the names of each directory", function()
    assert.equal("a b/c b/d/e b.txt", on_tree("return table.concat(root:files(), ' ')"))
    assert.equal("c d/e", on_tree("return table.concat(root:directory('b'):files(), ' ')"))
    assert.is_true(on_tree("return root:directory('b/x') == nil and root:directory('a') == nil"))
  end)

  it("forgets directories that lose their last file", function()
    assert.equal("b", on_tree([[
      root:set("b/d/e", nil)
      return root:directory("b/d") == nil and root:directory("b") and "b"
    ]]))
    assert.equal("a b.txt",
      on_tree("root:remove_directory('b') return table.concat(root:files(), ' ')"))
  end)

  it("reads bytes of what it was loaded from when they are asked for, once", function()
    assert.equal("1 x executable", on_tree([[
      local reads = 0
      local source = { files = function() return { "p/q" } end,
        kind = function() return "executable" end,
        file = function() reads = reads + 1 return "x" end }
      local loaded = tree.load(source)
      assert(reads == 0)
      local copy = tree.new()
      copy:take(loaded, "p/q", "r")
      assert(reads == 0)
      copy:file("r")
      return copy:file("r") and reads .. " " .. copy:file("r") .. " " .. copy:kind("r")
    ]]))
  end)

  it("gives what changed: what is gone first", function()
    assert.equal("-a b/c=5 n=6", on_tree([[
      local after, list = tree.load(root), {}
      after:set("a", nil)
      after:set("b/c", "5")
      after:set("n", "6")
      tree.changes(root, after, function(path, bytes)
        list[#list + 1] = bytes and path .. "=" .. bytes or "-" .. path
        return true
      end)
      return table.concat(list, " ")
    ]]))
  end)

  it("knows a path that is both a file and a directory", function()
    assert.is_true(on_tree("return root:clash() == nil"))
    assert.equal("a", on_tree("root:set('a/x', '') return root:clash()"))
  end)
end)
