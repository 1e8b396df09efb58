package postern_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	postern "github.com/postern-accounts/postern-go"
)

func TestOutputThatIsNotAReplyEndsTheClient(t *testing.T) {
	for _, line := range []string{
		"garbage",
		"[]",
		`{"jsonrpc":"2.0","id":{{id}}}`,
		`{"jsonrpc":"2.0","result":null}`,
		`{"jsonrpc":"1.0","id":{{id}},"result":null}`,
		`{"jsonrpc":"2.0","id":"{{id}}","result":null}`,
		`{"jsonrpc":"2.0","id":99,"result":null}`,
		`{"jsonrpc":"2.0","id":{{id}},"result":{"name":}}`,
		`{"jsonrpc":"2.0","id":{{id}},"result":null,"error":{"code":1,"message":"x"}}`,
		`{"jsonrpc":"2.0","id":{{id}},"error":{"code":"x","message":"x"}}`,
		`{"jsonrpc":"2.0","id":{{id}},"error":{"message":"x"}}`,
		`{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"Parse error"}}`,
	} {
		client := openFake(t, "says", postern.Options{Env: []string{"TEST_SAYS=" + line}})
		for _, call := range []string{"in flight", "later"} {
			_, err := client.System.Info(limited(t))
			var broken *postern.ProtocolError
			if !errors.As(err, &broken) || broken.Method != "" {
				t.Errorf("%s: the call %s gave %v", line, call, err)
			}
		}
		var broken *postern.ProtocolError
		if err := client.Close(); !errors.As(err, &broken) {
			t.Errorf("%s: Close gave %v", line, err)
		}
	}
}

// The service replies to a request that it cannot parse without an id, so that no call would get the reply.
func TestParamsThatTheServiceCannotParseAreNotSent(t *testing.T) {
	client := open(t, postern.Options{})
	lists := func(depth int) string { return strings.Repeat("[", depth) + strings.Repeat("]", depth) }
	// The request object is one more level.
	const depthMax = postern.NestingDepthMax - 1
	for params, expected := range map[string]error{
		`{"a":` + lists(depthMax) + `}`:                   postern.ErrNestedTooDeep,
		`{"\\\"":` + lists(depthMax) + `}`:                postern.ErrNestedTooDeep,
		`{"a":` + lists(depthMax-1) + `}`:                 nil,
		`{"a":"` + strings.Repeat("[", 200) + `\"["}`:     nil,
		`{"a":[` + strings.Repeat("[],{},", 200) + "[]]}": nil,
		`{"a":"\ud800"}`:                                  postern.ErrNotUTF8,
		`{"a":"\uDC00\ud800"}`:                            postern.ErrNotUTF8,
		`{"a":"\uD800\\udc00"}`:                           postern.ErrNotUTF8,
		`{"a":"\\\uDBFFx"}`:                               postern.ErrNotUTF8,
		`{"\udfff":1}`:                                    postern.ErrNotUTF8,
		`{"a":"\uD834\udd1e \\ud800 \u00e9 \ufffd"}`:      nil,
	} {
		if _, err := client.Call(limited(t), "system.info", json.RawMessage(params)); !errors.Is(err, expected) {
			t.Errorf("%.40s gave %v", params, err)
		}
	}
	if _, err := client.System.Info(limited(t)); err != nil {
		t.Error(err)
	}
}

func TestTheErrorQuotesALineThatCannotHaveASession(t *testing.T) {
	for line, quoted := range map[string]string{"stray": `"stray\n"`, `{"session_id":"secret"`: "23 bytes"} {
		client := openFake(t, "says", postern.Options{Env: []string{"TEST_SAYS=" + line}})
		if _, err := client.System.Info(limited(t)); err == nil || !strings.Contains(err.Error(), quoted) {
			t.Errorf("got %v", err)
		}
	}
}

// JSON-RPC allows properties in any order, and unknown ones.
func TestAReplyInAnotherFormatIsRead(t *testing.T) {
	const line = ` { "result" : {"name":"postern","extra":[{}],"version":"9","methods":[],"store":{"kind":"memory"},` +
		`"contract":"1.0.0","apis":[],"admin":false,"events":false,"deterministic":true}, ` +
		`"id":{{id}}, "jsonrpc":"2.0"}`
	client := openFake(t, "says", postern.Options{Env: []string{"TEST_SAYS=" + line}})
	if info, err := client.System.Info(limited(t)); err != nil || info.Version != "9" || info.Methods == nil {
		t.Errorf("got %v, %v", info, err)
	}
}

func TestAResultThatDoesNotMatchTheContractFailsOnlyItsCall(t *testing.T) {
	const good = `{"clients":[{"id":1,"created":"4444-05-05T05:05:05.555555Z","user":{"id":2,` +
		`"created":"4444-06-06T06:06:06.666666Z","first_name":"","last_name":"","email":""},` +
		`"address":"","deleted":null}],"provision":3}`
	cases := []struct{ property, part, replacement string }{
		{"", good, "null"},
		{"provision", `,"provision":3`, ""},
		{"provision", `3`, `"3"`},
		{"clients", `[`, `{"x":[`},
		{"clients[0]", `{"id":1`, `null,{"id":1`},
		{"clients[1]", `}],`, `},7],`},
		{"clients[0].id", `1`, `1.5`},
		{"clients[0].created", `"4444-05-05T05:05:05.555555Z"`, `"4444-05-05"`},
		{"clients[0].created", `"4444-05-05T05:05:05.555555Z"`, `"4444-05-05T05:05:05+01:00"`},
		{"clients[0].created", `"4444-05-05T05:05:05.555555Z"`, `{}`},
		{"clients[0].user.created", `"4444-06-06T06:06:06.666666Z"`, `null`},
		{"clients[0].deleted", `,"deleted":null`, ""},
		{"clients[0].deleted", `"deleted":null`, `"deleted":false`},
		{"clients[0].address", `"address":""`, `"address":null`},
		{"clients[0].user", `"user":`, `"user":[],"x":`},
		{"clients[0].user.id", `2`, `true`},
		{"clients[0].user.email", `"email"`, `"Email"`},
	}
	for _, one := range cases {
		result := strings.Replace(good, one.part, one.replacement, 1)
		if one.property == "clients" {
			result = strings.Replace(result, `],`, `]},`, 1)
		}
		line := `{"jsonrpc":"2.0","id":{{id}},"result":` + result + `}`
		client := openFake(t, "says", postern.Options{Env: []string{"TEST_SAYS=" + line}})
		_, err := client.Operators.Clients.Get(limited(t), postern.OperatorsClientsGetParams{})
		var broken *postern.ProtocolError
		if !errors.As(err, &broken) || broken.Method != "operators.clients.get" || broken.Property != one.property {
			t.Errorf("%s: got %v", result, err)
		}
		if _, err := client.Call(limited(t), "operators.clients.get", nil); err != nil {
			t.Errorf("%s: the client has ended with %v", result, err)
		}
		client.Close()
	}
}

func TestMetadataHasAnyPropertiesAndExactNumbers(t *testing.T) {
	client := open(t, postern.Options{})
	user := postern.OperatorsPersonInput{FirstName: "Luke", LastName: "Sorenson", Email: "lasoren@bu.edu"}
	operator, err := client.Operators.Register(limited(t), postern.OperatorsRegisterParams{
		User:     user,
		Password: "a long password",
	})
	if err != nil {
		t.Fatal(err)
	}
	metadata := map[string]any{
		"":     []any{nil, true, map[string]any{"é": json.Number("12345678901234567890"), "": map[string]any{}}},
		"half": json.Number("0.50"),
	}
	stored, err := client.Operators.SetMetadata(limited(t), postern.OperatorsSetMetadataParams{
		UserID:    operator.ID,
		SessionID: operator.SessionID,
		Metadata:  metadata,
	})
	if err != nil || !reflect.DeepEqual(stored.Metadata, metadata) || len(stored.AppMetadata) != 0 {
		t.Errorf("got %v, %v", stored, err)
	}
	params := postern.OperatorsMetadataParams{UserID: operator.ID, SessionID: operator.SessionID}
	if shown, err := client.Operators.Metadata(limited(t), params); err != nil || !reflect.DeepEqual(shown, stored) {
		t.Errorf("got %v, %v", shown, err)
	}
}

func TestMetadataOfAnotherTypeDoesNotMatchTheContract(t *testing.T) {
	for _, value := range []string{`[]`, `null`, `"{}"`, `7`, `true`} {
		line := `{"jsonrpc":"2.0","id":{{id}},"result":{"metadata":{"a":[{}]},"app_metadata":` + value + `}}`
		client := openFake(t, "says", postern.Options{Env: []string{"TEST_SAYS=" + line}})
		_, err := client.Operators.Metadata(limited(t), postern.OperatorsMetadataParams{})
		var broken *postern.ProtocolError
		if !errors.As(err, &broken) || broken.Property != "app_metadata" {
			t.Errorf("%s: got %v", value, err)
		}
		client.Close()
	}
}

func TestAProcessThatClosesAPipeEndsTheClient(t *testing.T) {
	shut := make(chan string, 1)
	for fake, wait := range map[string]func(){"mute": func() {}, "shut": func() { <-shut }} {
		client := openFake(t, fake, postern.Options{
			CloseWait: 100 * time.Millisecond,
			Log:       func(_ postern.LogLevel, line string) { shut <- line },
		})
		wait()
		_, err := client.System.Info(limited(t))
		var broken *postern.ProtocolError
		if !errors.As(err, &broken) {
			t.Errorf("%s: got %v", fake, err)
		}
	}
}

// The test does not close the client.
func TestAProcessThatBreaksTheProtocolIsTerminated(t *testing.T) {
	client := openFake(t, "raves", postern.Options{CloseWait: 10 * time.Millisecond})
	for ctx := limited(t); isAlive(client.PID()); time.Sleep(time.Millisecond) {
		if ctx.Err() != nil {
			t.Fatal("it still runs")
		}
	}
}

func TestARequestThatIsTooLongIsNotSentAndTheNextCallWorks(t *testing.T) {
	client := open(t, postern.Options{})
	ctx := limited(t)
	padded := func(length int) map[string]string { return map[string]string{"padding": strings.Repeat("x", length)} }
	_, err := client.Call(ctx, "system.info", padded(postern.MessageBytesMax))
	var tooLong *postern.MessageTooLong
	if !errors.As(err, &tooLong) {
		t.Fatalf("got %v", err)
	}
	most := 2*postern.MessageBytesMax - tooLong.Bytes
	if _, err := client.Call(ctx, "system.info", padded(most)); err != nil {
		t.Errorf("the longest gave %v", err)
	}
	if _, err := client.Call(ctx, "system.info", padded(most+1)); !errors.As(err, &tooLong) {
		t.Errorf("one byte more gave %v", err)
	}
	if _, err := client.System.Info(ctx); err != nil {
		t.Errorf("the next gave %v", err)
	}
}

func TestStringsThatAreNotUTF8AreNotSent(t *testing.T) {
	client := open(t, postern.Options{})
	params := registration(1)
	params.Password = "a long passwor\xe9"
	if _, err := client.Operators.Register(limited(t), params); !errors.Is(err, postern.ErrNotUTF8) {
		t.Errorf("got %v", err)
	}
	for _, value := range []any{
		map[string]any{"a": []any{"\xff"}},
		map[string]int{"\xff": 1},
		json.RawMessage("{\"a\":\"\xff\"}"),
	} {
		if _, err := client.Call(limited(t), "system.info", value); !errors.Is(err, postern.ErrNotUTF8) {
			t.Errorf("%v gave %v", value, err)
		}
	}
	if _, err := client.Call(limited(t), "system.info", map[string]string{"a": "é\ufffd\x00<&>\u2028"}); err != nil {
		t.Error(err)
	}
}

// owner encodes itself, and refers to itself.
type owner struct {
	Self *owner
	text string
}

func (o *owner) MarshalJSON() ([]byte, error) { return json.Marshal(o.text) }

// Only the text that such a value writes is checked, not its fields.
func TestTheTextOfParamsThatEncodeThemselvesMustBeUTF8(t *testing.T) {
	client := open(t, postern.Options{})
	value := &owner{text: "\ufffd"}
	value.Self = value
	hidden := struct {
		Left string `json:"-"`
		left string
	}{"\xff", "\xff"}
	// With this escape, the client checks all strings.
	escape := json.RawMessage(`"\ufffd"`)
	if _, err := client.Call(limited(t), "system.info", []any{value, hidden, time.Now(), escape}); isNotSent(err) {
		t.Error(err)
	}
	value.text = "\xff"
	if _, err := client.Call(limited(t), "system.info", []any{escape, hidden.left}); !isNotSent(err) {
		t.Errorf("got %v", err)
	}
}

func isNotSent(err error) bool { return errors.Is(err, postern.ErrNotUTF8) }

func TestParamsThatJSONCannotRepresentAreNotSent(t *testing.T) {
	client := open(t, postern.Options{})
	for _, value := range []any{make(chan int), json.RawMessage("{")} {
		if _, err := client.Call(limited(t), "system.info", value); err == nil {
			t.Errorf("%v was sent", value)
		}
	}
}
