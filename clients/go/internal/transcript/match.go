package transcript

import (
	"encoding/json"
	"reflect"
	"regexp"
	"strconv"
	"strings"
)

// kinds are the patterns of a transcript for text that differs in each replay.
var kinds = map[string]*regexp.Regexp{
	"<string>":  regexp.MustCompile(`(?s)^.*$`),
	"<time>":    regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$`),
	"<hex 32>":  regexp.MustCompile("^[0-9a-f]{32}$"),
	"<hex 64>":  regexp.MustCompile("^[0-9a-f]{64}$"),
	"<hex 128>": regexp.MustCompile("^[0-9a-f]{128}$"),
	"<uuid>":    regexp.MustCompile("^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"),
}

// matches reports whether a value is what a transcript expects.
func matches(value, expected any) bool {
	switch expected := expected.(type) {
	case string:
		if expected == "<any>" {
			return true
		}
		if number, isNumber := value.(json.Number); isNumber && expected == "<integer>" {
			_, err := number.Int64()
			return err == nil
		}
		text, isText := value.(string)
		if kind := kinds[expected]; kind != nil {
			return isText && kind.MatchString(text)
		}
		return isText && text == expected
	case []any:
		elements, isList := value.([]any)
		if !isList || len(elements) != len(expected) {
			return false
		}
		for index := range expected {
			if !matches(elements[index], expected[index]) {
				return false
			}
		}
		return true
	case map[string]any:
		properties, isObject := value.(map[string]any)
		if !isObject || len(properties) != len(expected) {
			return false
		}
		for name := range expected {
			if property, isThere := properties[name]; !isThere || !matches(property, expected[name]) {
				return false
			}
		}
		return true
	default:
		return reflect.DeepEqual(value, expected)
	}
}

// filled returns a value with every `{{name}}` replaced by the value kept under that name.
func filled(value any, kept map[string]any) any {
	switch value := value.(type) {
	case string:
		for name, replacement := range kept {
			if value == "{{"+name+"}}" {
				return replacement
			}
			if text, isText := replacement.(string); isText {
				value = strings.ReplaceAll(value, "{{"+name+"}}", text)
			}
		}
		return value
	case []any:
		elements := make([]any, len(value))
		for index := range value {
			elements[index] = filled(value[index], kept)
		}
		return elements
	case map[string]any:
		properties := map[string]any{}
		for name := range value {
			properties[name] = filled(value[name], kept)
		}
		return properties
	default:
		return value
	}
}

// found returns the value that a `keep` selects from a reply: the value at a pointer, or the first group of an
// expression in the text there.
func found(place any, reply map[string]any) (any, bool) {
	pointer, isPointer := place.(string)
	object, _ := place.(map[string]any)
	if !isPointer {
		pointer, _ = object["at"].(string)
	}
	target := any(reply)
	for _, name := range strings.Split(strings.TrimPrefix(pointer, "/"), "/") {
		switch container := target.(type) {
		case map[string]any:
			target = container[name]
		case []any:
			index, err := strconv.Atoi(name)
			if err != nil || index < 0 || index >= len(container) {
				return nil, false
			}
			target = container[index]
		default:
			return nil, false
		}
	}
	expression, hasExpression := object["match"].(string)
	if !hasExpression {
		return target, target != nil
	}
	text, _ := target.(string)
	groups := regexp.MustCompile(expression).FindStringSubmatch(text)
	if len(groups) < 2 {
		return nil, false
	}
	return groups[1], true
}
