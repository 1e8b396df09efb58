package transcript

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"strconv"
)

// form calls the typed form of a method if the params have its types.
type form func(ctx context.Context, params any) (fits bool, result any, err error)

func withBoth[Params, Result any](method func(context.Context, Params) (Result, error)) form {
	return func(ctx context.Context, params any) (bool, any, error) {
		typed, fits := fitted[Params](params)
		if !fits {
			return false, nil, nil
		}
		result, err := method(ctx, typed)
		return true, result, err
	}
}

func withoutResult[Params any](method func(context.Context, Params) error) form {
	return withBoth(func(ctx context.Context, params Params) (any, error) { return nil, method(ctx, params) })
}

func withoutParams[Result any](method func(context.Context) (Result, error)) form {
	return func(ctx context.Context, params any) (bool, any, error) {
		if properties, isObject := params.(map[string]any); params != nil && (!isObject || len(properties) > 0) {
			return false, nil, nil
		}
		result, err := method(ctx)
		return true, result, err
	}
}

// fitted converts params to the type of a method; fits is whether converting them back gives the same params.
func fitted[Params any](params any) (typed Params, fits bool) {
	text, err := json.Marshal(params)
	if err != nil || json.Unmarshal(text, &typed) != nil {
		return typed, false
	}
	again, err := generic(typed)
	return typed, err == nil && reflect.DeepEqual(again, params)
}

// is reports whether an error has a type.
func is[Type error](err error) bool {
	var typed Type
	return errors.As(err, &typed)
}

// generic returns a value as decoded JSON, with numbers as text.
func generic(value any) (result any, err error) {
	text, err := json.Marshal(value)
	if err == nil {
		err = decode(text, &result)
	}
	return result, err
}

func decode(text []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	return decoder.Decode(into)
}

func number(value int64) json.Number { return json.Number(strconv.FormatInt(value, 10)) }
