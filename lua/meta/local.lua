---@meta
-- luacheck: ignore
-- SPDX-License-Identifier: Apache-2.0
--
-- What verbs of the command line (lua/cli) have besides the pure helpers. Workflows and functions
-- never see these.

local lanai = { process = {}, files = {}, git = {}, eval = {} }

--- Writes to standard output.
--- @since 1
--- @phases local
--- @param text string
--- @return true|nil, lanai.Error?
function lanai.process.out(text) end

--- Writes to standard error.
--- @since 1
--- @phases local
--- @param text string
--- @return true|nil, lanai.Error?
function lanai.process.warn(text) end

--- Reads standard input to its end.
--- @since 1
--- @phases local
--- @return string|nil, lanai.Error?
function lanai.process.input() end

--- Gives a variable of the environment.
--- @since 1
--- @phases local
--- @param name string
--- @return string|nil
function lanai.process.env(name) end

--- Runs a program to its end; gives its exit code and what it printed.
--- @since 1
--- @phases local
--- @param words string[] program and arguments
--- @return integer|nil, string|lanai.Error
function lanai.process.run(words) end

--- Tells what a path leads to: "file", "executable", "directory", "link" (to nowhere), "other"; nil
--- when nothing is there.
--- @since 1
--- @phases local
--- @param path string
--- @return string|nil
function lanai.files.kind(path) end

--- @since 1
--- @phases local
--- @param path string
--- @return boolean
function lanai.files.is_link(path) end

--- Gives the absolute path without links.
--- @since 1
--- @phases local
--- @param path string
--- @return string|nil, lanai.Error?
function lanai.files.real(path) end

--- Lists everything below a directory, names in order, a directory before what it holds. Links are
--- not followed, nothing inside `.git` is listed.
--- @since 1
--- @phases local
--- @param directory string
--- @return {path: string, kind: string}[]|nil, lanai.Error?
function lanai.files.list(directory) end

--- @since 1
--- @phases local
--- @param path string
--- @return string|nil, lanai.Error?
function lanai.files.read(path) end

--- Writes a file below a directory, whole or not at all, and makes the directories it needs. Goes
--- through no link; a file that is there keeps its mode.
--- @since 1
--- @phases local
--- @param directory string
--- @param path string relative
--- @param bytes string
--- @param kind string|nil "executable" for a new file that is one
--- @return true|nil, lanai.Error?
function lanai.files.write(directory, path, bytes, kind) end

--- Removes a file below a directory, and the directories that become empty by it.
--- @since 1
--- @phases local
--- @param directory string
--- @param path string relative
--- @return true|nil, lanai.Error?
function lanai.files.remove(directory, path) end

--- Makes a directory and those above it.
--- @since 1
--- @phases local
--- @param path string
--- @return true|nil, lanai.Error?
function lanai.files.make(path) end

--- Makes a directory that goes when the verb ends.
--- @since 1
--- @phases local
--- @return string|nil, lanai.Error?
function lanai.files.temporary() end

--- Gives all branches and tags of a repository by full name. The first question about a repository
--- fetches it.
--- @since 1
--- @phases local
--- @param url string
--- @return table<string, string>|nil, lanai.Error?
function lanai.git.refs(url) end

--- Gives the branch that the server's HEAD stands for; false when it does not say.
--- @since 1
--- @phases local
--- @param url string
--- @return string|false|nil, lanai.Error?
function lanai.git.default_branch(url) end

--- Gives the commit of a full ref name, or of a commit id that may be short; false for none.
--- @since 1
--- @phases local
--- @param url string
--- @param name string
--- @return string|false|nil, lanai.Error?
function lanai.git.commit(url, name) end

--- Gives the files of a directory ("" is the root) at a commit; false when there is none.
--- @since 1
--- @phases local
--- @param url string
--- @param commit string
--- @param directory string
--- @return lanai.Package|false|nil, lanai.Error?
function lanai.git.tree(url, commit, directory) end

--- Loads the functions that ship, and those of directories: NAME.lua shadows a shipped one.
--- @since 1
--- @phases local
--- @param directories string[]
--- @return true|nil, lanai.Error?
function lanai.eval.open(directories) end

--- Gives what each function says about itself, by name.
--- @since 1
--- @phases local
--- @return table[] of {name, summary, doc, path, versions, images}
function lanai.eval.functions() end

--- What a run shows while it happens; each may be left out.
--- @class lanai.EvalListener
--- @field package fun(dir: string)|nil the pipeline of a package begins
--- @field done fun(dir: string)|nil it went well
--- @field starts fun(result: table)|nil
--- @field ends fun(result: table, failure: string)|nil failure: why it could not be run, or what it
--- gave is not accepted

--- Runs one function over items as pipelines do and changes them: {items, image or exec, tag,
--- config, selectors, exclude, allow_exec, prefix, compat, on: lanai.EvalListener}. The answer tells
--- what became of it: {image or exec, exit_code, results, log, error, ran, ms}, and `failure` when it could
--- not be run, or input or output are not allowed. A function that fails leaves the items as they were.
--- @since 1
--- @phases local
--- @param step table
--- @return table
function lanai.eval.one(step) end

--- Renders the package in files: {files, root: absolute path in messages, allow_exec, prefix, compat,
--- on}. The answer is {files, items, results: a FunctionResultList, functions, packages}, the last two
--- being numbers; and when it failed `failure`, and in `written` whether files hold what was done.
--- @since 1
--- @phases local
--- @param what table
--- @return table|nil, lanai.Error?
function lanai.eval.render(what) end

return lanai
