---@meta
-- luacheck: ignore
-- SPDX-License-Identifier: Apache-2.0
--
-- The files of a package: `ctx.package` gives a lanai.Package, `ctx.draft` a lanai.Draft.

--- @class lanai.Package
--- @class lanai.Draft : lanai.Package
local tree = {}

--- Gives the bytes of a file, or nil when there is none.
--- @since 1
--- @phases check, run
--- @param path string
--- @return string|nil
function tree:file(path) end

--- Lists the paths of all files in order.
--- @since 1
--- @phases check, run
--- @return string[]
function tree:files() end

--- Tells what a file is: "file", "executable" or "link"; nil when there is none.
--- @since 1
--- @phases check, run
--- @param path string
--- @return string|nil
function tree:kind(path) end

--- Parses the root Kptfile; the result is read-only.
--- @since 1
--- @phases check, run
--- @return lanai.Node|nil, lanai.Error?
function tree:kptfile() end

--- True when something was changed since the tree was opened.
--- @since 1
--- @phases check, run
--- @return boolean
function tree:changed() end

--- Sets the bytes of a file, or deletes it with nil. A file that is there keeps what it is unless
--- kind ("file", "executable" or "link") says otherwise.
--- @since 1
--- @phases run
--- @param path string
--- @param text string|nil
--- @param kind string|nil
--- @return true|nil, lanai.Error?
function tree:set(path, text, kind) end

--- Replaces all files by those of a map; nothing is changed when one of them is refused.
--- @since 1
--- @phases run
--- @param files lanai.Node|table<string, string>
--- @return true|nil, lanai.Error?
function tree:replace(files) end

--- Sets or deletes (nil) one value of a YAML file; every other byte stays as it is.
--- Example: `draft:edit("Kptfile", { "metadata", "labels", "tier" }, "gold")`.
--- @since 1
--- @phases run
--- @param path string
--- @param members string[]
--- @param value any
--- @return true|nil, lanai.Error?
function tree:edit(path, members, value) end

return tree
