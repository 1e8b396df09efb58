package postern_test

import (
	"testing"

	"github.com/postern-accounts/postern-go/internal/transcript"
)

func TestAllTranscriptsMatchAndEachTypedMethodIsCalled(t *testing.T) {
	transcripts, err := transcript.All("../../schema/cases")
	if err != nil {
		t.Fatal(err)
	}
	typed := map[string]int{}
	plain := 0
	for _, transcript := range transcripts {
		replies, faults, err := transcript.Play(limited(t))
		if err != nil {
			t.Fatal(err)
		}
		for _, fault := range faults {
			t.Error(fault)
		}
		for _, reply := range replies {
			if reply.IsTyped {
				typed[reply.Method]++
			} else {
				plain++
			}
		}
	}
	for _, method := range transcript.MethodNames {
		if typed[method] == 0 {
			t.Errorf("%s was never called by its typed form", method)
		}
	}
	t.Logf("%d transcripts; %d methods typed, %d replies to plain calls", len(transcripts), len(typed), plain)
}
