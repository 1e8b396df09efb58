package postern

import (
	"fmt"
	"strconv"
	"strings"
)

// redactedText replaces a secret in the output of package fmt.
const redactedText = "[redacted]"

func redacted(secret string) string {
	if secret == "" {
		return ""
	}
	return redactedText
}

func redactedPointer(secret *string) *string {
	if secret == nil {
		return nil
	}
	text := redacted(*secret)
	return &text
}

// format writes a value without secrets with the verb, and with the flags, width and precision of state.
func format(state fmt.State, verb rune, value any) {
	var directive strings.Builder
	directive.WriteByte('%')
	for _, flag := range "+-# 0" {
		if state.Flag(int(flag)) {
			directive.WriteRune(flag)
		}
	}
	if width, isSet := state.Width(); isSet {
		directive.WriteString(strconv.Itoa(width))
	}
	if precision, isSet := state.Precision(); isSet {
		directive.WriteString("." + strconv.Itoa(precision))
	}
	directive.WriteRune(verb)
	_, _ = fmt.Fprintf(state, directive.String(), value)
}
