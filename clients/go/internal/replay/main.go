// Command replay replays all transcripts of a folder and prints each reply as a line of JSON in a canonical format, so
// that the replies through several clients can be compared byte by byte.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"

	"github.com/postern-accounts/postern-go/internal/transcript"
)

func main() {
	cases := flag.String("cases", "../../schema/cases", "the folder of the transcripts")
	flag.Parse()
	if err := replay(*cases); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func replay(folder string) error {
	transcripts, err := transcript.All(folder)
	if err != nil {
		return err
	}
	output := bufio.NewWriter(os.Stdout)
	for _, transcript := range transcripts {
		replies, faults, err := transcript.Play(context.Background())
		if err != nil {
			return err
		}
		for _, fault := range faults {
			fmt.Fprintln(os.Stderr, fault)
		}
		for _, reply := range replies {
			line := map[string]any{"case": transcript.Name, "line": reply.Line, "reply": reply.Value}
			if err := writeLine(output, line); err != nil {
				return err
			}
		}
	}
	return output.Flush()
}

// writeLine writes a value with sorted properties, without spaces, and without escapes for letters.
func writeLine(output *bufio.Writer, value any) error {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return err
	}
	_, err := output.Write(text.Bytes())
	return err
}
