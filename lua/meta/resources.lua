---@meta
-- luacheck: ignore
-- SPDX-License-Identifier: Apache-2.0
--
-- Packages as resources, and merges of them: pure helpers over files as lists of {path, text}.
-- `compat` is "kpt" (write as kpt does, its defects included) or "lanai" (the default: what did not
-- change keeps its bytes).

--- @class lanai.File
--- @field path string
--- @field text string

local lanai = { resources = {}, krm = {}, yaml = {} }

--- Reads YAML and JSON files into resources. `annotate` tells each its path and index, `wide` how
--- its lists are indented; `wrap` accepts lists at the top of a document.
--- @since 1
--- @phases load, needs, check, run
--- @param files lanai.File[]
--- @param opts {annotate: boolean?, wide: boolean?, wrap: boolean?}|nil
--- @return lanai.Node|nil, lanai.Error?
function lanai.resources.read(files, opts) end

--- Writes resources into files by their path and index annotations. `keep` are the files as they
--- were: what did not change keeps its bytes.
--- @since 1
--- @phases load, needs, check, run
--- @param items lanai.Node
--- @param opts {keep: lanai.File[]?, compat: string?}|nil
--- @return lanai.File[]|nil, lanai.Error?
function lanai.resources.write(items, opts) end

--- Writes resources as YAML documents. The index and indentation annotations go unless `keep`, and
--- those that `without` names.
--- @since 1
--- @phases load, needs, check, run
--- @param items lanai.Node
--- @param opts {keep: boolean?, without: string[]?, compat: string?}|nil
--- @return string|nil, lanai.Error?
function lanai.resources.text(items, opts) end

--- Writes resources as a ResourceList, perhaps with a functionConfig.
--- @since 1
--- @phases load, needs, check, run
--- @param items lanai.Node
--- @param opts {config: lanai.Node?, compat: string?}|nil
--- @return string|nil, lanai.Error?
function lanai.resources.list(items, opts) end

--- Reads the items of a list object, or the documents of a text.
--- @since 1
--- @phases load, needs, check, run
--- @param text string
--- @return lanai.Node|nil, lanai.Error?
function lanai.resources.parse(text) end

--- Puts the fields of a resource into their usual order.
--- @since 1
--- @phases load, needs, check, run
--- @param resource lanai.Node
function lanai.resources.format(resource) end

--- Removes all comments of a resource.
--- @since 1
--- @phases load, needs, check, run
--- @param resource lanai.Node
function lanai.resources.strip_comments(resource) end

--- Reads the known fields of a Kptfile strictly; others are left out. The result may be changed.
--- @since 1
--- @phases load, needs, check, run
--- @param text string
--- @return lanai.Node|nil, lanai.Error?
function lanai.krm.kptfile_parse(text) end

--- Writes a Kptfile as kpt does.
--- @since 1
--- @phases load, needs, check, run
--- @param file lanai.Node
--- @return string
function lanai.krm.kptfile_emit(file) end

--- Merges Kptfiles into ours: {base, ours, theirs, take_upstream, compat}. Gives the text (false
--- when there is none) and the conflicts.
--- @since 1
--- @phases load, needs, check, run
--- @param sides table
--- @return string|false|nil, lanai.Node|lanai.Error
function lanai.krm.kptfile_merge(sides) end

--- Merges the files of a package: {base, ours, theirs, is_root, rules, compat}. Gives the files of
--- the result and the conflicts.
--- @since 1
--- @phases load, needs, check, run
--- @param sides table
--- @return lanai.File[]|nil, lanai.Node|lanai.Error
function lanai.krm.merge(sides) end

--- Adds identity stamps to the resources of files: {files, attribute, compat}.
--- @since 1
--- @phases load, needs, check, run
--- @param opts table
--- @return lanai.File[]|nil, lanai.Error?
function lanai.krm.stamp(opts) end

--- Writes the package context of a deployment: {files, package_path, compat}.
--- @since 1
--- @phases load, needs, check, run
--- @param opts table
--- @return lanai.File[]|nil, lanai.Error?
function lanai.krm.context(opts) end

--- Gives back what a save lost: {before, files, compat}. Comments return to the resources that they
--- are about. The result has the files that change; with "kpt" all YAML files, written anew.
--- @since 1
--- @phases load, needs, check, run
--- @param opts table
--- @return lanai.File[]|nil, lanai.Error?
function lanai.krm.heal(opts) end

--- Gives a YAML text with one value set, or deleted with nil; every other byte stays.
--- @since 1
--- @phases load, needs, check, run
--- @param text string
--- @param members string[]
--- @param value any
--- @return string|nil, lanai.Error?
function lanai.yaml.set(text, members, value) end

return lanai
