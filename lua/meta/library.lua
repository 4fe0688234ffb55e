---@meta
-- luacheck: ignore
-- SPDX-License-Identifier: Apache-2.0
--
-- Pure helpers written in C: `require("lanai.node")` and so on. They may be called anywhere.

--- A list or map of an object. Indexing gives plain values; a member that is missing or null gives
--- nil. Handles that the script did not make are read-only.
--- @class lanai.Node

local lanai = { node = {}, yaml = {}, json = {}, api = {}, krm = {} }

--- Makes a list, which may be changed, from a table or empty.
--- @since 1
--- @phases load, needs, check, run
--- @param items table|lanai.Node|nil
--- @return lanai.Node
function lanai.node.list(items) end

--- Makes a map, which may be changed and keeps the order of assignments.
--- @since 1
--- @phases load, needs, check, run
--- @param members table|lanai.Node|nil
--- @return lanai.Node
function lanai.node.map(members) end

--- Copies a value; lists and maps of the copy may be changed.
--- @since 1
--- @phases load, needs, check, run
--- @param value any
--- @return any
function lanai.node.copy(value) end

--- True when two values have the same content, whatever the order of members.
--- @since 1
--- @phases load, needs, check, run
--- @param a any
--- @param b any
--- @return boolean
function lanai.node.equal(a, b) end

--- @since 1
--- @phases load, needs, check, run
--- @param value any
--- @return boolean
function lanai.node.is_list(value) end

--- @since 1
--- @phases load, needs, check, run
--- @param value any
--- @return boolean
function lanai.node.is_map(value) end

--- @since 1
--- @phases load, needs, check, run
--- @param value any
--- @return boolean
function lanai.node.is_null(value) end

--- Gives JSON's null, which is not nil: assigning it keeps the member.
--- @since 1
--- @phases load, needs, check, run
--- @return lanai.Node
function lanai.node.null() end

--- Parses the first document of a YAML text.
--- @since 1
--- @phases load, needs, check, run
--- @param text string
--- @return lanai.Node|nil, lanai.Error?
function lanai.yaml.parse(text) end

--- Parses all documents of a YAML text into a list.
--- @since 1
--- @phases load, needs, check, run
--- @param text string
--- @return lanai.Node|nil, lanai.Error?
function lanai.yaml.parse_all(text) end

--- Writes a value as a YAML document.
--- @since 1
--- @phases load, needs, check, run
--- @param value any
--- @return string
function lanai.yaml.emit(value) end

--- Parses a JSON text.
--- @since 1
--- @phases load, needs, check, run
--- @param text string
--- @return lanai.Node|nil, lanai.Error?
function lanai.json.parse(text) end

--- Writes a value as compact JSON.
--- @since 1
--- @phases load, needs, check, run
--- @param value any
--- @return string
function lanai.json.emit(value) end

--- Gives a text of api/messages.lua with its values filled in.
--- Example: `lanai.message("create-package-exists", "p", "repo")`.
--- @since 1
--- @phases load, needs, check, run
--- @param id string
--- @param ... string|integer
--- @return string
function lanai.api.message(id, ...) end

--- Gives the object name of a package revision, or "" when a part is empty.
--- @since 1
--- @phases load, needs, check, run
--- @param repository string
--- @param package string path of the package
--- @param workspace string
--- @return string
function lanai.krm.name(repository, package, workspace) end

--- Checks the parts of an object name.
--- @since 1
--- @phases load, needs, check, run
--- @param repository string
--- @param package string
--- @param workspace string
--- @return true|nil, lanai.Error?
function lanai.krm.check_name(repository, package, workspace) end

--- Splits the name of a package revision; fails with all that is wrong with it.
--- @since 1
--- @phases load, needs, check, run
--- @param name string
--- @return {repository: string, package: string, workspace: string}|nil, lanai.Error?
function lanai.krm.parse_name(name) end

--- Tells what is wrong with a file path inside a package, or nil.
--- @since 1
--- @phases load, needs, check, run
--- @param path string
--- @return string|nil
function lanai.krm.path_fault(path) end

return lanai
