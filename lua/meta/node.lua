---@meta
-- luacheck: ignore
-- SPDX-License-Identifier: Apache-2.0
--
-- lanai.node beyond plain values: what YAML text says about a node, and edits that keep or drop it.
-- A scalar becomes a plain Lua value when it is indexed; `node.at` gives a handle of it instead.

local lanai = { node = {} }

--- Gives a handle of the value with that key or index, whatever its type; nil when there is none.
--- Example: `node.text(node.at(data, "replicas"))`.
--- @since 1
--- @phases load, needs, check, run
--- @param parent lanai.Node
--- @param key string|integer
--- @return lanai.Node|nil
function lanai.node.at(parent, key) end

--- @since 1
--- @phases load, needs, check, run
--- @param value lanai.Node
--- @return "null"|"bool"|"int"|"float"|"string"|"list"|"map"|"alias"
function lanai.node.kind(value) end

--- Gives the keys of a map in document order.
--- @since 1
--- @phases load, needs, check, run
--- @param map lanai.Node
--- @return string[]
function lanai.node.keys(map) end

--- Gives a scalar as it stands in the source, without quotes; nil for lists and maps.
--- @since 1
--- @phases load, needs, check, run
--- @param scalar lanai.Node
--- @return string|nil
function lanai.node.text(scalar) end

--- Gives how the value is written; plain is block style for lists and maps.
--- @since 1
--- @phases load, needs, check, run
--- @param value lanai.Node
--- @return "plain"|"double"|"single"|"literal"|"folded"|"flow"
function lanai.node.style(value) end

--- Gives the tag that is written at the value: "!!str", "!x"; nil for none.
--- @since 1
--- @phases load, needs, check, run
--- @param value lanai.Node
--- @return string|nil
function lanai.node.tag(value) end

--- Gives a comment of a value: lines with their #, joined by line feeds. "line" is the one behind a
--- scalar or a flow collection; that of a block collection stands behind its key.
--- @since 1
--- @phases load, needs, check, run
--- @param value lanai.Node
--- @param place "head"|"line"|"foot"
--- @return string|nil
function lanai.node.comment(value, place) end

--- Gives a comment of a member's key; comments above a member are its key's.
--- @since 1
--- @phases load, needs, check, run
--- @param map lanai.Node
--- @param key string
--- @param place "head"|"line"|"foot"
--- @return string|nil
function lanai.node.key_comment(map, key, place) end

--- Sets a value as the function SDK does: it loses its quotes and keeps its comments. A missing
--- member is appended.
--- @since 1
--- @phases load, needs, check, run
--- @param parent lanai.Node
--- @param key string|integer
--- @param value any
function lanai.node.set(parent, key, value) end

--- Sets a value as kyaml's field setter does: it keeps its quotes and loses its comments. A missing
--- member is appended.
--- @since 1
--- @phases load, needs, check, run
--- @param parent lanai.Node
--- @param key string|integer
--- @param value any
function lanai.node.put(parent, key, value) end

--- Gives the node of a handle another value, as `set` does with a member.
--- @since 1
--- @phases load, needs, check, run
--- @param target lanai.Node
--- @param value any
function lanai.node.assign(target, value) end

--- Gives a scalar another text in its old style. Without quotes the type is what the text says.
--- @since 1
--- @phases load, needs, check, run
--- @param scalar lanai.Node
--- @param text string
function lanai.node.set_text(scalar, text) end

--- @since 1
--- @phases load, needs, check, run
--- @param value lanai.Node
--- @param style "plain"|"double"|"single"|"literal"|"folded"|"flow"
function lanai.node.set_style(value, style) end

--- @since 1
--- @phases load, needs, check, run
--- @param value lanai.Node
--- @param tag string|nil
function lanai.node.set_tag(value, tag) end

--- Sets or, with nil, deletes a comment. Lines begin with #.
--- @since 1
--- @phases load, needs, check, run
--- @param value lanai.Node
--- @param place "head"|"line"|"foot"
--- @param text string|nil
function lanai.node.set_comment(value, place, text) end

--- @since 1
--- @phases load, needs, check, run
--- @param map lanai.Node
--- @param key string
--- @param place "head"|"line"|"foot"
--- @param text string|nil
function lanai.node.set_key_comment(map, key, place, text) end

--- Puts a value before element i; i is #list + 1 to append.
--- @since 1
--- @phases load, needs, check, run
--- @param list lanai.Node
--- @param i integer
--- @param value any
function lanai.node.insert(list, i, value) end

--- Deletes a member or an element; true when it was there.
--- @since 1
--- @phases load, needs, check, run
--- @param parent lanai.Node
--- @param key string|integer
--- @return boolean
function lanai.node.remove(parent, key) end

--- Gives a member another key; its value, comments and place stay.
--- @since 1
--- @phases load, needs, check, run
--- @param map lanai.Node
--- @param key string
--- @param new string
function lanai.node.rename(map, key, new) end

--- Puts the members that are named in front, in that order.
--- @since 1
--- @phases load, needs, check, run
--- @param map lanai.Node
--- @param keys string[]
function lanai.node.reorder(map, keys) end

--- Iterates over all that is in a resource or a part of it: parents before their children, in document
--- order. Values may be changed on the way, but no parent of the current one. With `line`, only what
--- has a line comment that begins so is given, be it at the value or at its key.
--- Example: `for path, value, parent, key in node.walk(item) do`; path is like `spec.list[0].name`.
--- @since 1
--- @phases load, needs, check, run
--- @param value lanai.Node
--- @param line string|nil
--- @return fun(): string, lanai.Node, lanai.Node, string|integer
function lanai.node.walk(value, line) end

--- Parses the first document of a YAML text with its comments and styles.
--- @since 1
--- @phases load, needs, check, run
--- @param text string
--- @return lanai.Node|nil, lanai.Error?
function lanai.node.parse(text) end

--- Writes a value as YAML with its comments and styles; `wide` indents lists below their key, `values`
--- quotes what old readers of YAML would not take for a string.
--- @since 1
--- @phases load, needs, check, run
--- @param value any
--- @param opts {wide: boolean?, values: boolean?}|nil
--- @return string
function lanai.node.emit(value, opts) end

--- Writes a value as compact JSON.
--- @since 1
--- @phases load, needs, check, run
--- @param value any
--- @return string
function lanai.node.json(value) end

return lanai
