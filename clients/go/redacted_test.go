package postern_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	postern "github.com/postern-accounts/postern-go"
)

func TestFormattedValuesHaveNoSecrets(t *testing.T) {
	operator := postern.OperatorsOperator{ID: 7, SessionID: "a secret"}
	params := postern.OperatorsSigninParams{Email: "lasoren@bu.edu", Password: "a secret"}
	for _, value := range []any{
		operator, &operator, []postern.OperatorsOperator{operator}, struct{ Held any }{&operator},
		params, &params, map[string]any{"params": params},
	} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x", "%10v"} {
			if text := fmt.Sprintf(verb, value); strings.Contains(text, "secret") || strings.Contains(text, fmt.Sprintf("%x", "a secret")) {
				t.Errorf("%s writes %s", verb, text)
			}
		}
	}
	if text := fmt.Sprintf("%+v", operator); !strings.Contains(text, "ID:7") || !strings.Contains(text, "SessionID:[redacted]") {
		t.Errorf("it writes %s", text)
	}
	// JSON, which a host may store, has the secrets.
	if text, err := json.Marshal(operator); err != nil || !strings.Contains(string(text), "a secret") {
		t.Errorf("JSON has %s", text)
	}
}
