// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"regexp"

	"go.starlark.net/starlark"
)

// pattern is what re.compile gives: the functions of re without their first argument.
type pattern struct {
	*regexp.Regexp
}

var patternMethods = map[string]func(*regexp.Regexp) builtin{
	"findall": func(r *regexp.Regexp) builtin { return withText(r, findAll) },
	"match":   func(r *regexp.Regexp) builtin { return withText(r, matchAll) },
	"search":  func(r *regexp.Regexp) builtin { return withText(r, search) },
	"split":   func(r *regexp.Regexp) builtin { return splitter(r) },
	"sub":     func(r *regexp.Regexp) builtin { return substituter(r) },
}

func (p pattern) String() string        { return p.Regexp.String() }
func (p pattern) Type() string          { return "pattern" }
func (p pattern) Freeze()               {}
func (p pattern) Truth() starlark.Bool  { return true }
func (p pattern) Hash() (uint32, error) { return starlark.String(p.String()).Hash() }

func (p pattern) AttrNames() []string {
	return []string{"findall", "match", "search", "split", "sub"}
}

func (p pattern) Attr(name string) (starlark.Value, error) {
	method := patternMethods[name]
	if method == nil {
		return nil, nil
	}
	return starlark.NewBuiltin(name, method(p.Regexp)), nil
}

func stringTuple(texts []string) starlark.Tuple {
	out := make(starlark.Tuple, len(texts))
	for i, s := range texts {
		out[i] = starlark.String(s)
	}
	return out
}

func findAll(r *regexp.Regexp, s string) starlark.Value {
	return stringTuple(r.FindAllString(s, -1))
}

// One tuple per match: the whole text, then its groups.
func matchAll(r *regexp.Regexp, s string) starlark.Value {
	out := starlark.NewList(nil)
	for _, groups := range r.FindAllStringSubmatch(s, -1) {
		out.Append(stringTuple(groups))
	}
	return out
}

// Where the first match begins and ends.
func search(r *regexp.Regexp, s string) starlark.Value {
	at := r.FindStringIndex(s)
	if at == nil {
		return starlark.None
	}
	return starlark.Tuple{starlark.MakeInt(at[0]), starlark.MakeInt(at[1])}
}

func withText(r *regexp.Regexp, fn func(*regexp.Regexp, string) starlark.Value) builtin {
	return func(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		var s string
		var flags int
		if err := starlark.UnpackArgs(b.Name(), args, kwargs, "string", &s, "flags?", &flags); err != nil {
			return nil, err
		}
		return fn(r, s), nil
	}
}

func splitter(r *regexp.Regexp) builtin {
	return func(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		var s string
		var most, flags int
		if err := starlark.UnpackArgs(b.Name(), args, kwargs, "string", &s, "maxsplit?", &most, "flags?", &flags); err != nil {
			return nil, err
		}
		if most <= 0 {
			most = -1
		}
		return stringTuple(r.Split(s, most)), nil
	}
}

func substituter(r *regexp.Regexp) builtin {
	return func(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		var by, s string
		var count, flags int
		if err := starlark.UnpackArgs(b.Name(), args, kwargs, "repl", &by, "string", &s, "count?", &count, "flags?", &flags); err != nil {
			return nil, err
		}
		return starlark.String(r.ReplaceAllString(s, by)), nil
	}
}

// takePattern takes the first argument, `pattern`, away from the others.
func takePattern(b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (*regexp.Regexp, starlark.Tuple, []starlark.Tuple, error) {
	var v starlark.Value
	if len(args) > 0 {
		v, args = args[0], args[1:]
	} else {
		var rest []starlark.Tuple
		for _, kw := range kwargs {
			if kw[0] == starlark.String("pattern") {
				v = kw[1]
			} else {
				rest = append(rest, kw)
			}
		}
		kwargs = rest
	}
	s, ok := starlark.AsString(v)
	if v == nil || !ok {
		return nil, nil, nil, fmt.Errorf("%s: a pattern is expected", b.Name())
	}
	r, err := regexp.Compile(s)
	return r, args, kwargs, err
}

func throughPattern(method string) builtin {
	return func(thread *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		r, args, kwargs, err := takePattern(b, args, kwargs)
		if err != nil {
			return nil, err
		}
		return patternMethods[method](r)(thread, b, args, kwargs)
	}
}

var (
	reFindall = throughPattern("findall")
	reMatch   = throughPattern("match")
	reSearch  = throughPattern("search")
	reSplit   = throughPattern("split")
	reSub     = throughPattern("sub")
)

func reCompile(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var s string
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "pattern", &s); err != nil {
		return nil, err
	}
	r, err := regexp.Compile(s)
	if err != nil {
		return nil, err
	}
	return pattern{r}, nil
}
