// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"math"
	"math/big"

	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"
)

var unary = map[string]func(float64) float64{
	"exp": math.Exp, "sqrt": math.Sqrt, "fabs": math.Abs, "round": math.Round,
	"acos": math.Acos, "asin": math.Asin, "atan": math.Atan, "cos": math.Cos, "sin": math.Sin,
	"tan": math.Tan, "acosh": math.Acosh, "asinh": math.Asinh, "atanh": math.Atanh,
	"cosh": math.Cosh, "sinh": math.Sinh, "tanh": math.Tanh, "gamma": math.Gamma,
	"degrees": func(x float64) float64 { return x * 180 / math.Pi },
	"radians": func(x float64) float64 { return x * math.Pi / 180 },
}

var binaries = map[string]func(x, y float64) float64{
	"atan2": math.Atan2, "hypot": math.Hypot, "pow": math.Pow, "mod": math.Mod,
	"remainder": math.Remainder, "copysign": math.Copysign,
}

func number(name string, v starlark.Value) (float64, error) {
	f, ok := starlark.AsFloat(v)
	if !ok {
		return 0, fmt.Errorf("%s: got %s, want float or int", name, v.Type())
	}
	return f, nil
}

func numbers(b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple, n int) ([2]float64, error) {
	var v [2]starlark.Value
	var out [2]float64
	err := starlark.UnpackPositionalArgs(b.Name(), args, kwargs, n, &v[0], &v[1])
	for i := 0; i < 2 && v[i] != nil && err == nil; i++ {
		out[i], err = number(b.Name(), v[i])
	}
	return out, err
}

// rounding gives an int, as the module of Starlark does.
func rounding(fn func(float64) float64) builtin {
	return func(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		x, err := numbers(b, args, kwargs, 1)
		if err != nil {
			return nil, err
		}
		f := fn(x[0])
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return nil, fmt.Errorf("%s: cannot convert %v to int", b.Name(), f)
		}
		i, _ := big.NewFloat(f).Int(nil)
		return starlark.MakeBigInt(i), nil
	}
}

func logarithm(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	x, err := numbers(b, args, kwargs, 1)
	if err != nil {
		return nil, err
	}
	if len(args) < 2 {
		return starlark.Float(math.Log(x[0])), nil
	}
	return starlark.Float(math.Log(x[0]) / math.Log(x[1])), nil
}

func mathModule() starlark.Value {
	members := starlark.StringDict{
		"e": starlark.Float(math.E), "pi": starlark.Float(math.Pi), "tau": starlark.Float(2 * math.Pi),
		"phi": starlark.Float(math.Phi), "inf": starlark.Float(math.Inf(1)), "nan": starlark.Float(math.NaN()),
		"ceil":  starlark.NewBuiltin("math.ceil", rounding(math.Ceil)),
		"floor": starlark.NewBuiltin("math.floor", rounding(math.Floor)),
		"log":   starlark.NewBuiltin("math.log", logarithm),
	}
	for name, fn := range unary {
		fn := fn
		members[name] = starlark.NewBuiltin("math."+name, func(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
			x, err := numbers(b, args, kwargs, 1)
			return starlark.Float(fn(x[0])), err
		})
	}
	for name, fn := range binaries {
		fn := fn
		members[name] = starlark.NewBuiltin("math."+name, func(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
			x, err := numbers(b, args, kwargs, 2)
			return starlark.Float(fn(x[0], x[1])), err
		})
	}
	return starlarkstruct.FromStringDict(starlark.String("math"), members)
}
