package postern

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"unicode/utf8"
)

// Ptr makes a pointer to a value, for params that may be left out: postern.Ptr("Major").
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
	// After encoding, which ends with an error where a value holds itself.
	if !utf8.ValidString(method) || !isUTF8(reflect.ValueOf(params)) {
		return nil, fmt.Errorf("postern: %q: %w", method, ErrNotUTF8)
	}
	if length := line.Len() - 1; length > MessageBytesMax {
		return nil, &MessageTooLong{Method: method, Bytes: length}
	}
	return line.Bytes(), nil
}

// trimLineFeed takes away what an encoder puts behind each value.
func trimLineFeed(line *bytes.Buffer) { line.Truncate(line.Len() - 1) }

// isUTF8 says whether all strings in a value are UTF-8. Encoding would replace what is not, so that passwords that
// differ would become one and the same.
func isUTF8(value reflect.Value) bool {
	switch value.Kind() {
	case reflect.String:
		return utf8.ValidString(value.String())
	case reflect.Pointer, reflect.Interface:
		return value.IsNil() || isUTF8(value.Elem())
	case reflect.Struct:
		for index := 0; index < value.NumField(); index++ {
			if !isUTF8(value.Field(index)) {
				return false
			}
		}
	case reflect.Slice, reflect.Array:
		if value.Type().Elem().Kind() == reflect.Uint8 {
			return value.Type() != rawMessageType || utf8.Valid(value.Bytes())
		}
		for index := 0; index < value.Len(); index++ {
			if !isUTF8(value.Index(index)) {
				return false
			}
		}
	case reflect.Map:
		for members := value.MapRange(); members.Next(); {
			if !isUTF8(members.Key()) || !isUTF8(members.Value()) {
				return false
			}
		}
	}
	return true
}

var rawMessageType = reflect.TypeOf(json.RawMessage{})
