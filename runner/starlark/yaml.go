// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"math/big"

	"go.starlark.net/starlark"
	"gopkg.in/yaml.v3"
)

func yamlLoads(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var source string
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "source", &source); err != nil {
		return nil, err
	}
	var document yaml.Node
	if err := yaml.Unmarshal([]byte(source), &document); err != nil {
		return nil, err
	}
	if len(document.Content) == 0 {
		return starlark.None, nil
	}
	left := 1000000
	return fromNode(document.Content[0], &left)
}

// fromNode makes values of a tree in the order of its text; left bounds what aliases unfold.
func fromNode(n *yaml.Node, left *int) (starlark.Value, error) {
	if *left--; *left < 0 {
		return nil, fmt.Errorf("the document is too large")
	}
	switch n.Kind {
	case yaml.AliasNode:
		return fromNode(n.Alias, left)
	case yaml.SequenceNode:
		out := starlark.NewList(nil)
		for _, item := range n.Content {
			v, err := fromNode(item, left)
			if err != nil {
				return nil, err
			}
			out.Append(v)
		}
		return out, nil
	case yaml.MappingNode:
		out := starlark.NewDict(len(n.Content) / 2)
		for i := 0; i+1 < len(n.Content); i += 2 {
			key, err := fromNode(n.Content[i], left)
			if err != nil {
				return nil, err
			}
			value, err := fromNode(n.Content[i+1], left)
			if err != nil {
				return nil, err
			}
			if err := out.SetKey(key, value); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	return fromScalar(n)
}

func fromScalar(n *yaml.Node) (starlark.Value, error) {
	var v interface{}
	if n.Tag == "!!timestamp" || n.Decode(&v) != nil {
		return starlark.String(n.Value), nil
	}
	switch v := v.(type) {
	case nil:
		return starlark.None, nil
	case bool:
		return starlark.Bool(v), nil
	case int:
		return starlark.MakeInt(v), nil
	case int64:
		return starlark.MakeInt64(v), nil
	case uint64:
		return starlark.MakeUint64(v), nil
	case float64:
		return starlark.Float(v), nil
	}
	if i, ok := new(big.Int).SetString(n.Value, 0); ok {
		return starlark.MakeBigInt(i), nil
	}
	return starlark.String(n.Value), nil
}

func yamlDumps(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var obj starlark.Value
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "obj", &obj); err != nil {
		return nil, err
	}
	json, err := encode(nil, obj, 0)
	if err != nil {
		return nil, err
	}
	var v interface{}
	if err := yaml.Unmarshal(json, &v); err != nil {
		return nil, err
	}
	out, err := yaml.Marshal(v)
	return starlark.String(out), err
}
