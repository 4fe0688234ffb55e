---@meta
-- luacheck: ignore
-- SPDX-License-Identifier: Apache-2.0
--
-- What `ctx` of a workflow offers. Declarations only: editors, the manual and a spec read this
-- file. `@phases` says where a function may be called, `@effect` which entry of the workflow's
-- `effects` grants it (none: always there).

--- What a run knows besides its functions.
--- @class lanai.Ctx
--- @field req lanai.Node the request: {object, old, resources, …} by verb
--- @field user {name: string, groups: string[]} who asks
--- @field config lanai.Node operator's values for this workflow
--- @field got table<string, any> what `needs` asked for; false for what is absent
--- @field verb string "PackageRevision/approve"
--- @field compat string "lanai" or "kpt": how the server is to write package files
--- @field dry_run boolean nothing will be committed
--- @field deadline integer|nil monotonic milliseconds at which the request ends
local ctx = { log = {} }

--- @class lanai.Error
--- @field kind string "conflict", "not-found", "invalid", "forbidden", "internal" …
--- @field message string
--- @field causes {reason: string?, field: string?, message: string}[]|nil

--- Gives an object of the request's namespace, read-only, or nil when there is none. It is
--- recorded as read: the commit fails, and the run is repeated, when it changes meanwhile.
--- @since 1
--- @phases check, run
--- @effect read
--- @param kind string resource name: "packagerevisions", "repositories"
--- @param name string|lanai.Node
--- @return lanai.Node|nil
function ctx.get(kind, name) end

--- Lists objects of the request's namespace in name order. Equality of fields is answered from an
--- index where the kind has one (spec.repository and spec.packageName of package revisions).
--- What is given is recorded as read, and so is that no name begins with the prefix.
--- Example: `ctx.list("packagerevisions", { ["spec.repository"] = "r" }, { limit = 1 })`.
--- @since 1
--- @phases check, run
--- @effect read
--- @param kind string
--- @param where table<string, string>|nil field path to value
--- @param opts {limit: integer?, prefix: string?, containing: string?, referring: string?}|nil
---   prefix of names; text that the encoded object contains; name of the upstream that a package
---   revision was cloned from or upgraded to (from an index)
--- @return lanai.Node[]
function ctx.list(kind, where, opts) end

--- Opens the content of a package revision for reading.
--- @since 1
--- @phases check, run
--- @effect read
--- @param revision string|lanai.Node
--- @return lanai.Package|nil, lanai.Error?
function ctx.package(revision) end

--- Fetches any git repository and opens a package in it: the directory at the first of the `refs`
--- (full names of refs, or commit ids) that is there. Gives the package and its commit; false and
--- what is missing ("reference" or "directory"); nil and an error. `secret` names a Secret, `ref` is
--- what errors call the wanted ref.
--- Example: `ctx.fetch { repo = url, refs = { "refs/tags/v1" }, directory = "pkg" }`.
--- @since 1
--- @phases run
--- @effect read
--- @param source {repo: string, refs: string[], ref: string?, directory: string?, secret: string?}
--- @return lanai.Package|false|nil, string|lanai.Error
function ctx.fetch(source) end

--- Opens the content of a package revision, or of an opened package, as a draft to change; without
--- argument an empty one.
--- @since 1
--- @phases run
--- @effect draft
--- @param revision string|lanai.Node|lanai.Package|nil
--- @return lanai.Draft|nil, lanai.Error?
function ctx.draft(revision) end

--- Runs the pipelines of a draft, which stays as it is: `files` has what they changed (false: the
--- file goes), also when they failed. No function sees the files of `except`.
--- @since 1
--- @phases run
--- @effect draft
--- @param draft lanai.Draft
--- @param opts {compat: ("kpt"|"lanai")?, except: string[]?}|nil
--- @return {failed: boolean, error: string, results: lanai.Node, files: table}|nil, lanai.Error?
function ctx.render(draft, opts) end

--- Wants the draft, as it is now, to become the content of the object.
--- @since 1
--- @phases run
--- @effect draft
--- @param object lanai.Node|table
--- @param draft lanai.Draft
--- `task` says how the content came into being (creation only), `render` what status.renderStatus says
--- about it; with `failure` it is kept and the request fails with that text.
--- @param opts {task: table?, render: table?, failure: string?}|nil
function ctx.save(object, draft, opts) end

--- Wants the object to go to another lifecycle.
--- @since 1
--- @phases run
--- @effect publish
--- @param object lanai.Node|table
--- @param lifecycle string
function ctx.transition(object, lifecycle) end

--- Wants the object to become a published revision in git.
--- @since 1
--- @phases run
--- @effect publish
--- @param object lanai.Node|table
function ctx.publish(object) end

--- Wants what the request may change of the object (metadata, spec of plain kinds) to be written.
--- @since 1
--- @phases run
--- @effect objects
--- @param object lanai.Node|table
function ctx.apply(object) end

--- Wants the object to be deleted.
--- @since 1
--- @phases run
--- @effect objects
--- @param object lanai.Node|table
function ctx.remove(object) end

--- Wants an Event about the object to be recorded.
--- @since 1
--- @phases run
--- @effect objects
--- @param object lanai.Node|table
--- @param reason string "PushFailed"
--- @param text string
--- @param opts {warning: boolean?}|nil
function ctx.event(object, reason, text, opts) end

--- Gives the time of the run in seconds since 1970; it does not change during the run.
--- @since 1
--- @phases check, run
--- @return integer
function ctx.now() end

--- Gives a new id; the same run gives the same ids when it is repeated.
--- @since 1
--- @phases check, run
--- @return string
function ctx.id() end

--- True when the engine has a capability.
--- @since 1
--- @phases check, run
--- @param capability string "capabilities", "yaml.edit"
--- @return boolean
function ctx.has(capability) end

--- Gives nil and an error to return. An internal error gets the frame its Status message has.
--- Example: `return ctx.fail("conflict", "name is taken")`.
--- @since 1
--- @phases check, run
--- @param kind string
--- @param message string
--- @param causes {reason: string?, field: string?, message: string}[]|nil
--- @return nil, lanai.Error
function ctx.fail(kind, message, causes) end

--- Writes a log line at debug level: text, or {text, key = value, …}.
--- @since 1
--- @phases check, run
--- @param entry string|table
function ctx.log.debug(entry) end

--- Writes a log line at info level.
--- @since 1
--- @phases check, run
--- @param entry string|table
function ctx.log.info(entry) end

--- Writes a log line at warning level.
--- @since 1
--- @phases check, run
--- @param entry string|table
function ctx.log.warn(entry) end

return ctx
