---@meta
-- luacheck: ignore
-- SPDX-License-Identifier: Apache-2.0
--
-- What a function of lua/fn is given: `run(items, config, out)`. items is a list of resources that may
-- be changed, with the annotations that say where they came from; config the functionConfig or nil.

--- @class lanai.fn.Result
--- @field message string
--- @field severity "error"|"warning"|"info"|nil shown as info when it is not said
--- @field resource lanai.Node|{apiVersion: string, kind: string, name: string, namespace: string}|nil
--- @field field {path: string, current: string, proposed: string}|nil
--- @field file {path: string, index: integer}|nil
--- @field tags table<string, string>|nil

--- @class lanai.fn.Out
--- @field version string the release that the image asks for, "v0.4.1"
local out = {}

--- Adds a result.
--- @param result lanai.fn.Result
function out:result(result) end

--- True when the version is that one or newer.
--- @param version string
--- @return boolean
function out:at_least(version) end

--- Waits, at most 600 seconds and not longer than the run may take. For tests of deadlines.
--- @param seconds number
function out:wait(seconds) end

return out
