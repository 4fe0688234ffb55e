// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"sort"
	"strings"
	"unicode/utf8"

	"go.starlark.net/resolve"
	"go.starlark.net/starlark"
	"go.starlark.net/starlarkjson"
	"go.starlark.net/syntax"
)

// The dialect of the catalogue's function.
func init() {
	resolve.AllowFloat = true
	resolve.AllowGlobalReassign = true
	resolve.AllowLambda = true
	resolve.AllowNestedDef = true
	resolve.AllowRecursion = true
	resolve.AllowSet = true
}

// result is an answer of the protocol.
type result struct {
	code   int
	log    []byte
	output []byte
}

// context is `ctx` of a script. Documents that most scripts never look at are made when they do.
type context struct {
	resources   *starlark.Dict
	openAPI     starlark.Value
	environment starlark.Value
}

// variables are those that the process was started with.
var variables []string

func environment() starlark.Value {
	d := starlark.NewDict(len(variables))
	for _, v := range variables {
		name, value, _ := strings.Cut(v, "=")
		d.SetKey(starlark.String(name), starlark.String(value))
	}
	return d
}

func (c *context) String() string        { return "context" }
func (c *context) Type() string          { return "struct" }
func (c *context) Freeze()               {}
func (c *context) Truth() starlark.Bool  { return true }
func (c *context) Hash() (uint32, error) { return 0, fmt.Errorf("unhashable: context") }

func (c *context) AttrNames() []string {
	return []string{"environment", "open_api", "resource_list"}
}

func (c *context) Attr(name string) (starlark.Value, error) {
	switch name {
	case "resource_list":
		return c.resources, nil
	case "environment":
		if c.environment == nil {
			c.environment = environment()
		}
		return c.environment, nil
	case "open_api":
		if c.openAPI == nil {
			c.openAPI = openAPI()
		}
		return c.openAPI, nil
	}
	return nil, nil
}

// member gives the value at a path of dict keys, or nil.
func member(v starlark.Value, path ...string) starlark.Value {
	for _, key := range path {
		dict, ok := v.(*starlark.Dict)
		if !ok {
			return nil
		}
		if v, ok, _ = dict.Get(starlark.String(key)); !ok {
			return nil
		}
	}
	return v
}

func text(v starlark.Value, path ...string) string {
	s, _ := starlark.AsString(member(v, path...))
	return s
}

// program finds the name and the source of the script in a functionConfig.
func program(list *starlark.Dict) (name, source string, err error) {
	config := member(list, "functionConfig")
	if config == nil || config == starlark.None {
		return "", "", fmt.Errorf("FunctionConfig is missing. Expect `ConfigMap` or `StarlarkRun`")
	}
	kind := text(config, "kind")
	group, version, grouped := strings.Cut(text(config, "apiVersion"), "/")
	if !grouped {
		group, version = "", group
	}
	switch {
	case kind == "ConfigMap" && group == "":
		source = text(config, "data", "source")
	case kind == "StarlarkRun" && group == "fn.kpt.dev":
		source = text(config, "source")
	default:
		return "", "", fmt.Errorf("`functionConfig` must be either `ConfigMap` or `StarlarkRun`, but we got: %s/%s, Kind=%s",
			group, version, kind)
	}
	if source == "" {
		return "", "", fmt.Errorf("`source` must not be empty")
	}
	return text(config, "metadata", "name"), source, nil
}

func run(list *starlark.Dict, log *strings.Builder) error {
	name, source, err := program(list)
	if err != nil {
		return err
	}
	ctx := &context{resources: list}
	thread := &starlark.Thread{
		Name: name,
		Load: loadModule,
		Print: func(_ *starlark.Thread, message string) {
			if log.Len() < maxLog {
				log.WriteString(message)
				log.WriteByte('\n')
			}
		},
	}
	_, err = starlark.ExecFile(thread, name, source, starlark.StringDict{"ctx": ctx})
	switch failure := err.(type) {
	case *starlark.EvalError:
		if isDeep(failure) {
			list.SetKey(starlark.String("traceback"), starlark.String(failure.Backtrace()))
		}
	case syntax.Error:
		return atLineEnd(failure, source)
	}
	return err
}

// atLineEnd puts an unexpected end of line where the line ends. The interpreter of Debian 12 finds it
// at the start of the next one; later ones, and with them the catalogue's function, do not.
func atLineEnd(failure syntax.Error, source string) error {
	line := int(failure.Pos.Line) - 1
	lines := strings.Split(source, "\n")
	if failure.Pos.Col == 1 && line >= 1 && line <= len(lines) && strings.HasPrefix(failure.Msg, "got newline") {
		name := failure.Pos.Filename()
		column := utf8.RuneCountInString(lines[line-1]) + 1
		failure.Pos = syntax.MakePosition(&name, int32(line), int32(column))
	}
	return failure
}

// isDeep: the script failed in a function of its own; else a traceback says nothing more.
func isDeep(failure *starlark.EvalError) bool {
	n := 0
	for _, frame := range failure.CallStack {
		if frame.Pos.Filename() != "<builtin>" {
			n++
		}
	}
	return n > 1
}

// addFailure appends an error result to what the script left in results.
func addFailure(list *starlark.Dict, message string) {
	item := starlark.NewDict(2)
	item.SetKey(starlark.String("message"), starlark.String(message))
	item.SetKey(starlark.String("severity"), starlark.String("error"))
	results, ok := member(list, "results").(*starlark.List)
	if !ok {
		results = starlark.NewList(nil)
		list.SetKey(starlark.String("results"), results)
	}
	results.Append(item)
}

func decode(thread *starlark.Thread, request []byte) (*starlark.Dict, error) {
	v, err := starlark.Call(thread, starlarkjson.Module.Members["decode"],
		starlark.Tuple{starlark.String(request)}, nil)
	if err != nil {
		return nil, err
	}
	list, ok := v.(*starlark.Dict)
	if !ok {
		return nil, fmt.Errorf("a ResourceList is expected")
	}
	return list, nil
}

// evaluate runs the script of one request in an interpreter of its own.
func evaluate(request []byte) (a result) {
	a.code = 1
	list, err := decode(&starlark.Thread{}, request)
	if err != nil {
		a.log = []byte("failed to read ResourceList input: " + err.Error() + "\n")
		return a
	}
	var log strings.Builder
	err = run(list, &log)
	if err == nil {
		a.output, err = encode(nil, list, 0)
	}
	if err != nil {
		addFailure(list, err.Error())
		log.WriteString("failed to evaluate function: error: function failure\n")
		only := starlark.NewDict(3)
		for _, key := range []string{"apiVersion", "kind", "results", "traceback"} {
			if v := member(list, key); v != nil {
				only.SetKey(starlark.String(key), v)
			}
		}
		a.output, _ = encode(nil, only, 0)
	} else {
		a.code = 0
	}
	a.log = []byte(log.String())
	return a
}

func sortedKeys(d *starlark.Dict) ([]string, error) {
	keys := make([]string, 0, d.Len())
	for _, k := range d.Keys() {
		s, ok := starlark.AsString(k)
		if !ok {
			return nil, fmt.Errorf("a key of a resource must be a string, but %s is a %s", k, k.Type())
		}
		keys = append(keys, s)
	}
	sort.Strings(keys)
	return keys, nil
}
