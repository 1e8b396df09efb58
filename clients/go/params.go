package postern

import (
	"bytes"
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// Ptr returns a pointer to a value, for optional params: postern.Ptr("Major").
func Ptr[T any](value T) *T { return &value }

// requestLine is a request with its line feed.
func requestLine(id int64, method string, params any) ([]byte, error) {
	var line bytes.Buffer
	line.WriteString(`{"jsonrpc":"2.0","id":`)
	line.WriteString(strconv.FormatInt(id, 10))
	line.WriteString(`,"method":`)
	encoder := json.NewEncoder(&line)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(method); err != nil {
		return nil, fmt.Errorf("postern: %s: %w", method, err)
	}
	trimLineFeed(&line)
	if params != nil {
		line.WriteString(`,"params":`)
		if err := encoder.Encode(params); err != nil {
			return nil, fmt.Errorf("postern: %s: %w", method, err)
		}
		trimLineFeed(&line)
	}
	line.WriteString("}\n")
	if length := line.Len() - 1; length > MessageBytesMax {
		return nil, &MessageTooLong{Method: method, Bytes: length}
	}
	text := line.Bytes()
	// The encoder writes this escape for bytes that are not UTF-8, so that different passwords would become the same.
	isReplaced := bytes.Contains(text, []byte(`\ufffd`)) && !(utf8.ValidString(method) && isUTF8(reflect.ValueOf(params)))
	if isReplaced || !utf8.Valid(text) || hasLoneSurrogate(text) {
		return nil, fmt.Errorf("postern: %q: %w", method, ErrNotUTF8)
	}
	if isDeeperThan(NestingDepthMax, text) {
		return nil, fmt.Errorf("postern: %s: %w", method, ErrNestedTooDeep)
	}
	return text, nil
}

// trimLineFeed removes the line feed that an encoder writes after each value.
func trimLineFeed(line *bytes.Buffer) { line.Truncate(line.Len() - 1) }

// isUTF8 reports whether all strings in a value are UTF-8, without the values that encode themselves.
func isUTF8(value reflect.Value) bool {
	if writesItself(value) {
		return true
	}
	switch value.Kind() {
	case reflect.String:
		return utf8.ValidString(value.String())
	case reflect.Pointer, reflect.Interface:
		return value.IsNil() || isUTF8(value.Elem())
	case reflect.Struct:
		for index := 0; index < value.NumField(); index++ {
			field := value.Type().Field(index)
			isWritten := (field.IsExported() || field.Anonymous) && field.Tag.Get("json") != "-"
			if isWritten && !isUTF8(value.Field(index)) {
				return false
			}
		}
	case reflect.Slice, reflect.Array:
		if value.Type().Elem().Kind() == reflect.Uint8 {
			return true
		}
		for index := 0; index < value.Len(); index++ {
			if !isUTF8(value.Index(index)) {
				return false
			}
		}
	case reflect.Map:
		for properties := value.MapRange(); properties.Next(); {
			if !isUTF8(properties.Key()) || !isUTF8(properties.Value()) {
				return false
			}
		}
	}
	return true
}

var (
	jsonMarshalerType = reflect.TypeOf((*json.Marshaler)(nil)).Elem()
	textMarshalerType = reflect.TypeOf((*encoding.TextMarshaler)(nil)).Elem()
)

// writesItself reports whether a value encodes itself. Its fields are not checked then: they need not be in the text,
// and may refer to the value itself.
func writesItself(value reflect.Value) bool {
	if !value.IsValid() {
		return false
	}
	is := func(valueType reflect.Type) bool {
		return valueType.Implements(jsonMarshalerType) || valueType.Implements(textMarshalerType)
	}
	return is(value.Type()) || value.CanAddr() && is(reflect.PointerTo(value.Type()))
}

// hasLoneSurrogate reports whether JSON text has an escape of half of a surrogate pair.
func hasLoneSurrogate(text []byte) bool {
	for {
		start := bytes.IndexByte(text, '\\')
		if start < 0 {
			return false
		}
		text = text[start:]
		first, isCodeUnit := escapedCodeUnit(text)
		switch {
		case !isCodeUnit:
			text = text[2:]
		case !utf16.IsSurrogate(first):
			text = text[6:]
		default:
			if second, _ := escapedCodeUnit(text[6:]); utf16.DecodeRune(first, second) == utf8.RuneError {
				return true
			}
			text = text[12:]
		}
	}
}

// escapedCodeUnit reads `\uXXXX` at the start of JSON text.
func escapedCodeUnit(text []byte) (codeUnit rune, isCodeUnit bool) {
	if !bytes.HasPrefix(text, []byte(`\u`)) {
		return 0, false
	}
	number, err := strconv.ParseUint(string(text[2:6]), 16, 16)
	return rune(number), err == nil
}

// isDeeperThan reports whether the objects and lists of JSON text are nested deeper than depthMax levels.
func isDeeperThan(depthMax int, text []byte) bool {
	if bytes.Count(text, []byte("{"))+bytes.Count(text, []byte("[")) <= depthMax {
		return false
	}
	depth, isInString := 0, false
	for index := 0; index < len(text); index++ {
		switch character := text[index]; {
		case character == '"':
			isInString = !isInString
		case character == '\\':
			index++
		case isInString:
		case character == '{' || character == '[':
			if depth++; depth > depthMax {
				return true
			}
		case character == '}' || character == ']':
			depth--
		}
	}
	return false
}
