package postern

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"time"
)

// readResult reads a result into a structure. encoding/json alone would accept missing properties, accept null for any
// type, and match names regardless of case.
func readResult(method string, raw json.RawMessage, result any) error {
	tokens := json.NewDecoder(bytes.NewReader(raw))
	tokens.UseNumber()
	if fault := (resultReader{tokens}).read(reflect.ValueOf(result).Elem()); fault != nil {
		return &ProtocolError{Method: method, Property: strings.TrimPrefix(fault.path, "."), Reason: fault.reason}
	}
	return nil
}

// timeFormat is UTC, with any number of decimals.
const timeFormat = "2006-01-02T15:04:05Z"

var timeType = reflect.TypeOf(time.Time{})

// resultReader reads values token by token. The text is valid JSON.
type resultReader struct{ tokens *json.Decoder }

// resultFault is the fault of a result and its path.
type resultFault struct{ path, reason string }

func (f *resultFault) within(step string) *resultFault {
	f.path = step + f.path
	return f
}

// read reads one value. A pointer is a value that may be null, and a map is an object with any properties.
func (r resultReader) read(into reflect.Value) *resultFault {
	if into.Kind() == reflect.Map {
		return r.readMap(into)
	}
	token, err := r.tokens.Token()
	if err != nil {
		return &resultFault{reason: err.Error()}
	}
	isNullable := into.Kind() == reflect.Pointer
	if token == nil && isNullable {
		return nil
	}
	if isNullable {
		into.Set(reflect.New(into.Type().Elem()))
		into = into.Elem()
	}
	switch token := token.(type) {
	case string:
		if into.Kind() == reflect.String {
			into.SetString(token)
			return nil
		}
		if into.Type() == timeType {
			if moment, err := time.Parse(timeFormat, token); err == nil {
				into.Set(reflect.ValueOf(moment))
				return nil
			}
		}
	case bool:
		if into.Kind() == reflect.Bool {
			into.SetBool(token)
			return nil
		}
	case json.Number:
		if number, err := token.Int64(); err == nil && into.Kind() == reflect.Int64 {
			into.SetInt(number)
			return nil
		}
	case json.Delim:
		if token == '{' && into.Kind() == reflect.Struct && into.Type() != timeType {
			return r.readObject(into)
		}
		if token == '[' && into.Kind() == reflect.Slice {
			return r.readList(into)
		}
	}
	return &resultFault{reason: fmt.Sprintf("is not of the type %v", into.Type())}
}

// readMap reads an object with any properties. Numbers in it keep their digits, as a json.Number.
func (r resultReader) readMap(into reflect.Value) *resultFault {
	// A null would leave the map nil.
	if err := r.tokens.Decode(into.Addr().Interface()); err != nil || into.IsNil() {
		return &resultFault{reason: fmt.Sprintf("is not of the type %v", into.Type())}
	}
	return nil
}

func (r resultReader) readList(into reflect.Value) *resultFault {
	list := reflect.MakeSlice(into.Type(), 0, 0)
	zero := reflect.Zero(into.Type().Elem())
	for r.tokens.More() {
		list = reflect.Append(list, zero)
		if fault := r.read(list.Index(list.Len() - 1)); fault != nil {
			return fault.within(fmt.Sprintf("[%d]", list.Len()-1))
		}
	}
	into.Set(list)
	return r.skipToken()
}

// readObject reads the properties that the structure has, and skips others.
func (r resultReader) readObject(into reflect.Value) *resultFault {
	properties := propertiesOf(into.Type())
	found := make([]bool, len(properties))
	for r.tokens.More() {
		token, err := r.tokens.Token()
		if err != nil {
			return &resultFault{reason: err.Error()}
		}
		index := indexOf(properties, token)
		if index < 0 {
			if err := r.tokens.Decode(new(json.RawMessage)); err != nil {
				return &resultFault{reason: err.Error()}
			}
			continue
		}
		found[index] = true
		if fault := r.read(into.Field(index)); fault != nil {
			return fault.within("." + properties[index].name)
		}
	}
	for index, property := range properties {
		if !found[index] && !property.isOptional {
			return &resultFault{path: "." + property.name, reason: "is missing"}
		}
	}
	return r.skipToken()
}

// skipToken skips the bracket that ends an object or a list.
func (r resultReader) skipToken() *resultFault {
	if _, err := r.tokens.Token(); err != nil {
		return &resultFault{reason: err.Error()}
	}
	return nil
}

// property is the property of a field of a structure.
type property struct {
	name string
	// Whether the property is optional: its tag has omitempty.
	isOptional bool
}

// knownProperties caches the properties of each structure type.
var knownProperties sync.Map

func propertiesOf(structure reflect.Type) []property {
	if known, isKnown := knownProperties.Load(structure); isKnown {
		return known.([]property)
	}
	properties := make([]property, structure.NumField())
	for index := range properties {
		name, options, _ := strings.Cut(structure.Field(index).Tag.Get("json"), ",")
		properties[index] = property{name: name, isOptional: options == "omitempty"}
	}
	knownProperties.Store(structure, properties)
	return properties
}

func indexOf(properties []property, name json.Token) int {
	for index := range properties {
		if properties[index].name == name {
			return index
		}
	}
	return -1
}
